output "cell" {
  description = "Fields of the cell in the platform description: `terraform output -json cell`."
  value = {
    ssmParameters = local.parameters
    sharedTables  = [aws_dynamodb_table.shared.name]
  }
}

output "environment" {
  description = "Environment variables of the API and the workers."
  value = {
    TENANTRY_ENABLE_ACCOUNT_PROVISIONING = tostring(var.enable_account_provisioning)
  }
}

output "shared_table_arn" {
  description = "ARN of the table that public accounts share."
  value       = aws_dynamodb_table.shared.arn
}

output "template" {
  description = "Where the template of private accounts is."
  value = {
    bucket  = aws_s3_bucket.templates.bucket
    key     = aws_s3_object.template.key
    version = aws_s3_object.template.version_id
  }
}

output "reader_policy_arn" {
  description = "Policy for the roles of services that look accounts up by the router."
  value       = aws_iam_policy.reader.arn
}

output "worker_policy_arns" {
  description = "Policies for the role of the workers: all of them."
  value       = [aws_iam_policy.worker.arn, aws_iam_policy.stacks.arn]
}

output "policy_documents" {
  description = "The same as JSON, for roles whose policies stand in them."
  value = {
    reader = local.reader_policy
    worker = local.worker_policy
    stacks = local.stack_policy
  }
}
