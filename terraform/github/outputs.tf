output "role_arn" {
  description = "For `role-to-assume` of aws-actions/configure-aws-credentials."
  value       = aws_iam_role.deploy.arn
}
