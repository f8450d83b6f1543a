locals {
  allowed_role_arns = distinct(concat([aws_iam_role.tenant_task.arn, aws_iam_role.tenant_execution.arn], var.existing.allowed_role_arns))
  shared_tables     = flatten([for accounts in module.accounts : accounts.cell.sharedTables])

  template_services = merge(var.existing.template_services, {
    for product, components in var.templates : product => merge(
      lookup(var.existing.template_services, product, {}),
      { for component in keys(components) : component => aws_ecs_service.template["${product}-${component}"].name },
    )
  })

  tenant_databases = concat(
    [
      for id in sort(keys(var.tenant_databases)) : {
        id = id, host = aws_db_instance.this[id].address, port = aws_db_instance.this[id].port, name = var.tenant_databases[id].name
      }
    ],
    var.existing.tenant_databases,
  )

  # The platform description of this cell: docs/platform.schema.json. What it does not have is left out, never null.
  cell = { for field, value in {
    id                       = var.cell_id
    environment              = var.environment
    accountId                = local.account_id
    region                   = local.region
    roleArn                  = one(aws_iam_role.cell[*].arn)
    vpcId                    = local.vpc_id
    subnetIds                = local.private_subnet_ids
    securityGroupIds         = local.task_group_ids
    cluster                  = local.cluster
    allowedRoleArns          = local.allowed_role_arns
    allowedImageRepositories = local.image_repositories
    templateServices         = local.template_services
    sharedWithTemplate = length(var.shared_with_template) == 0 ? null : {
      for product, shared in var.shared_with_template : product => { for sort, names in shared : sort => names if names != null }
    }
    loadBalancers   = local.load_balancers
    hostedZone      = { id = local.zone_id, name = var.domain_name, drainSeconds = var.drain_seconds }
    domains         = var.domains
    acceptsTenants  = var.accepts_tenants ? null : false
    products        = length(local.hostless_products) == 0 ? null : local.hostless_products
    tenantDatabases = local.tenant_databases
    projection      = local.tenants_table == null ? null : { table = local.tenants_table }
    sharedTables    = length(local.shared_tables) == 0 ? null : local.shared_tables
    ssmParameters   = one([for accounts in module.accounts : accounts.cell.ssmParameters])
    archive = var.archive == null ? null : {
      for field, value in {
        bucket        = aws_s3_bucket.archive[0].bucket
        prefix        = var.archive.prefix
        retentionDays = var.archive.retention_days
        kmsKeyArn     = var.kms_key_arn
      } : field => value if value != null
    }
    logRetentionDays = var.log_retention_days
    mailFrom         = local.mail_from
    mailReplyTo      = var.mail_reply_to
    mailLocale       = var.mail_locale
  } : field => value if value != null }

  # Accounts have no host, so no domain says that the cell serves them.
  hostless_products = distinct(concat(var.products, var.accounts == null ? [] : ["accounts"]))
}
