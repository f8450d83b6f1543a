output "api_url" {
  description = "Where the API is: TENANTRY_API_URL."
  value       = "https://${var.api.host}"
}

output "api_load_balancer" {
  description = "For a record of one's own where no zone was given."
  value       = { dns_name = aws_lb.api.dns_name, zone_id = aws_lb.api.zone_id }
}

output "cluster_name" {
  description = "ECS cluster of the control plane."
  value       = aws_ecs_cluster.this.name
}

output "secrets_to_fill" {
  description = "For fill-secrets.sh: `terraform output -json secrets_to_fill | fill-secrets.sh`. No value stands in it."
  value = [
    for variable, secret in local.secret_names : {
      name     = secret
      arn      = aws_secretsmanager_secret.this[secret].arn
      from     = variable
      value    = secret == "payload-key" ? "payload-key" : contains(keys(local.logins), secret) ? "database-url" : "given"
      login    = try(local.logins[secret].login, null)
      host     = try(local.logins[secret].host, null)
      port     = try(local.logins[secret].port, null)
      database = try(local.logins[secret].name, null)
    }
  ]
}

output "run_task" {
  description = "Commands that run the one-off tasks: `database-setup-*` first, then `migrate` and `doctor`."
  value = {
    for name, family in merge(
      { for name, definition in aws_ecs_task_definition.setup : "database-setup-${name}" => definition.family },
      { for name, definition in aws_ecs_task_definition.this : name => definition.family if contains(["migrate", "doctor"], name) },
    ) : name =>
    "aws ecs run-task --region ${local.region} --cluster ${aws_ecs_cluster.this.name} --launch-type FARGATE --task-definition ${family} --network-configuration 'awsvpcConfiguration={subnets=[${join(",", var.private_subnet_ids)}],securityGroups=[${name == "doctor" ? aws_security_group.worker.id : aws_security_group.migrate.id}],assignPublicIp=DISABLED}' --query 'tasks[0].taskArn' --output text"
  }
}

output "log_groups" {
  description = "By process: where its logs are; `aws logs tail <group> --follow`."
  value       = { for name, group in aws_cloudwatch_log_group.this : name => group.name }
}

output "alarm_topic_arn" {
  description = "Topic that alarms publish to."
  value       = aws_sns_topic.alarms.arn
}

output "dashboards" {
  description = "Names of the dashboards."
  value       = values(aws_cloudwatch_dashboard.this)[*].dashboard_name
}

# R-TF-12, and the names of R-TF-03 that stand for them.
output "api_service_arn" {
  description = "ECS service of the API."
  value       = one(aws_ecs_service.api[*].arn)
}

output "worker_service_arns" {
  description = "By name: ECS services of the workers."
  value       = { for name, service in aws_ecs_service.worker : name => service.arn }
}

output "worker_role_arns" {
  description = "By process: roles of the workers, for `trusted_role_arns` of further cells."
  value       = { for name, role in aws_iam_role.worker : name => role.arn }
}

output "temporal_namespace" {
  description = "Namespace of the workflows."
  value       = var.temporal.namespace
}

output "task_queue_names" {
  description = "Queues that the workers serve."
  value       = local.task_queues
}

output "registration_lambda_arn" {
  description = "Old name of `api_service_arn`: requests for tenants come in there."
  value       = one(aws_ecs_service.api[*].arn)
}

output "provisioning_lambda_arn" {
  description = "Old name of the first of `worker_service_arns`: it makes what tenants consist of."
  value       = try(values(aws_ecs_service.worker)[0].arn, null)
}

output "step_function_arn" {
  description = "Old name of what runs the workflows: the first worker, on the queues of the Temporal namespace."
  value       = try(values(aws_ecs_service.worker)[0].arn, null)
}
