output "platform" {
  description = "The platform description with this cell: for `platform` of the control plane, or of the next cell."
  value       = { version = 1, cells = concat(var.platform.cells, [module.landing_zone.cell]) }
}

output "cell" {
  description = "This cell alone."
  value       = module.landing_zone.cell
}

output "cell_role_arn" {
  description = "For `cell_role_arns` of the control plane."
  value       = module.landing_zone.cell_role_arn
}

output "tenant_databases" {
  description = "For `tenant_databases` of the control plane. Their groups let workers in by address, so they are not to be named there."
  value       = { for id, database in module.landing_zone.tenant_databases : id => merge(database, { security_group_id = null, by_address = true }) }
}

output "vpc_id" {
  description = "For the peering with the workers' VPC."
  value       = module.landing_zone.vpc_id
}

output "name_servers" {
  description = "Where the parent domain must delegate the zone to; null when the zone was given."
  value       = module.landing_zone.name_servers
}

output "load_balancers" {
  description = "By name: ARNs of the load balancers."
  value       = module.landing_zone.load_balancers
}
