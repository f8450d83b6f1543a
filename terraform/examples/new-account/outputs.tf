output "platform" {
  description = "What PLATFORM_CONFIG names: `terraform output -json platform > platform.json`."
  value       = local.platform
}

output "name_servers" {
  description = "Where the parent domain must delegate domain_name to."
  value       = module.landing_zone.name_servers
}

output "ecr_registry" {
  description = "Registry of the images (R-TF-07)."
  value       = module.landing_zone.ecr_registry
}

output "repository_urls" {
  description = "By name: repositories of the images."
  value       = module.landing_zone.repository_urls
}

output "secrets_to_fill" {
  description = "For fill-secrets.sh."
  value       = module.control_plane.secrets_to_fill
}

output "run_task" {
  description = "Commands of the one-off tasks."
  value       = module.control_plane.run_task
}

output "log_groups" {
  description = "By process: where its logs are."
  value       = module.control_plane.log_groups
}

output "cluster_name" {
  description = "ECS cluster of the control plane."
  value       = module.control_plane.cluster_name
}

output "api_url" {
  description = "TENANTRY_API_URL."
  value       = module.control_plane.api_url
}

output "dashboards" {
  description = "Names of the dashboards."
  value       = module.control_plane.dashboards
}

# R-TF-12, and below them the names of R-TF-03 that stand for them.
output "api_service_arn" {
  description = "ECS service of the API."
  value       = module.control_plane.api_service_arn
}

output "worker_service_arns" {
  description = "By name: ECS services of the workers."
  value       = module.control_plane.worker_service_arns
}

output "temporal_namespace" {
  description = "Namespace of the workflows."
  value       = module.control_plane.temporal_namespace
}

output "task_queue_names" {
  description = "Queues that the workers serve."
  value       = module.control_plane.task_queue_names
}

output "registration_lambda_arn" {
  description = "Old name of api_service_arn."
  value       = module.control_plane.registration_lambda_arn
}

output "provisioning_lambda_arn" {
  description = "Old name of the first of worker_service_arns."
  value       = module.control_plane.provisioning_lambda_arn
}

output "step_function_arn" {
  description = "Old name of what runs the workflows: the first worker."
  value       = module.control_plane.step_function_arn
}

output "tenants_table_name" {
  description = "DynamoDB table that tenants are projected to."
  value       = module.landing_zone.tenants_table_name
}
