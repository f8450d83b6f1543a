output "cell" {
  description = "This cell, as an element of `cells` of the platform description."
  value       = local.cell

  precondition {
    condition     = length(local.tenant_databases) > 0
    error_message = "The cell has no database for tenants' schemas: tenant_databases or existing.tenant_databases."
  }

  precondition {
    condition     = length(setintersection(keys(var.tenant_databases), var.existing.tenant_databases[*].id)) == 0
    error_message = "An id is in tenant_databases and in existing.tenant_databases."
  }
}

output "platform" {
  description = "A platform description with this cell alone: `terraform output -json platform` is what PLATFORM_CONFIG names."
  value       = { version = 1, cells = [local.cell] }
}

output "role_policy_arns" {
  description = "By role of the workers: policies to attach. With `trusted_role_arns` they are attached to the role of the cell instead."
  value       = local.role_policy_arns
}

output "cell_role_arn" {
  description = "Role that workers take on for this cell; null: their own."
  value       = one(aws_iam_role.cell[*].arn)
}

output "vpc_id" {
  description = "VPC, made or given."
  value       = local.vpc_id
}

output "vpc_cidr" {
  description = "Addresses of the VPC."
  value       = local.vpc_cidr
}

output "private_subnet_ids" {
  description = "Subnets of tasks and databases."
  value       = local.private_subnet_ids
}

output "public_subnet_ids" {
  description = "Subnets of load balancers."
  value       = local.public_subnet_ids
}

output "ecs_cluster_name" {
  description = "Cluster of tenants' services."
  value       = local.cluster
}

output "route53_zone_id" {
  description = "Hosted zone of tenants' records."
  value       = local.zone_id
}

output "name_servers" {
  description = "Where the parent domain must delegate the zone to; null when the zone was given."
  value       = one(aws_route53_zone.this[*].name_servers)
}

output "ecr_registry" {
  description = "Registry of the images (R-TF-07); export it as ECR_REGISTRY."
  value       = "${local.account_id}.dkr.ecr.${local.region}.amazonaws.com"
}

output "repository_urls" {
  description = "By name: repositories made here."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "tenants_table_name" {
  description = "Table that tenants are projected to (R-TF-03)."
  value       = local.tenants_table
}

output "tenant_databases" {
  description = "By id, of those made here: where it is, the secret of its master, and the group that lets clients in."
  value = {
    for id in keys(var.tenant_databases) : id => {
      identifier = aws_db_instance.this[id].identifier
      host       = aws_db_instance.this[id].address
      # Known before it is made: rules are named by it.
      port              = 5432
      name              = var.tenant_databases[id].name
      allocated_gb      = var.tenant_databases[id].allocated_gb
      master_secret_arn = join("", aws_db_instance.this[id].master_user_secret[*].secret_arn)
      security_group_id = aws_security_group.database[id].id
    }
  }
}

output "load_balancers" {
  description = "By name: ARNs of the load balancers, made or given."
  value       = merge({ for name, lb in aws_lb.this : name => lb.arn }, { for name, lb in var.existing.load_balancers : name => lb.arn })
}

output "access_logs_bucket" {
  description = "Bucket that load balancers of this region and account may log to; null where none is made."
  value       = one(aws_s3_bucket.access_logs[*].bucket)
}

output "web_acl_arn" {
  description = "Firewall before the load balancers; null where there is none."
  value       = one(aws_wafv2_web_acl.this[*].arn)
}

output "environment" {
  description = "Environment variables of the API and the workers that follow from this cell."
  value       = merge([for accounts in module.accounts : accounts.environment]...)
}

output "shared" {
  description = "What is made for products to come: host of the database, of Redis, id of the user pool; null where there is none."
  value = {
    database     = one([for id, database in aws_db_instance.this : { host = database.address, master_secret_arn = join("", database.master_user_secret[*].secret_arn) } if id == "shared"])
    redis        = one([for redis in values(aws_elasticache_replication_group.redis) : redis.primary_endpoint_address])
    user_pool_id = one([for pool in values(aws_cognito_user_pool.this) : pool.id])
  }
}
