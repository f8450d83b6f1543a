# An empty account: everything is made. The state's bucket is terraform/bootstrap's.
module "landing_zone" {
  source = "../../landing-zone"

  environment = var.environment
  domain_name = var.domain_name
  domains     = var.domains
  templates   = var.templates
  nat         = var.nat

  # Temporal is reached from here.
  worker_egress_ports = [tonumber(reverse(split(":", var.temporal.address))[0])]

  accounts                             = var.enable_accounts ? {} : null
  enable_account_provisioning          = var.enable_account_provisioning
  default_private_account_billing_mode = var.default_private_account_billing_mode
  mail_from                            = var.mail_from
  deletion_protection                  = var.deletion_protection
}

module "control_plane" {
  source = "../../control-plane"

  environment   = var.environment
  image         = var.image
  migrate_image = var.migrate_image
  running       = var.running

  vpc_id               = module.landing_zone.vpc_id
  vpc_cidr             = module.landing_zone.vpc_cidr
  private_subnet_ids   = module.landing_zone.private_subnet_ids
  public_subnet_ids    = module.landing_zone.public_subnet_ids
  tenant_database_cidr = module.landing_zone.vpc_cidr

  platform                    = local.platform
  role_policy_arns            = module.landing_zone.role_policy_arns
  tenant_databases            = module.landing_zone.tenant_databases
  tenant_load_balancer_arns   = module.landing_zone.load_balancers
  dashboard_tables            = concat([module.landing_zone.tenants_table_name], try(module.landing_zone.cell.sharedTables, []))
  enable_account_provisioning = var.enable_accounts && var.enable_account_provisioning

  api = {
    host            = "tenantry.${var.domain_name}"
    route53_zone_id = module.landing_zone.route53_zone_id
    internal        = var.api_internal
    uses_web_acl    = !var.api_internal
  }
  web_acl_arn        = module.landing_zone.web_acl_arn
  access_logs_bucket = module.landing_zone.access_logs_bucket
  access             = var.access
  temporal           = var.temporal
  database_ca_pem    = file(var.database_ca_file)

  enable_alarms       = var.account_provisioning_enable_alarms
  alarm_emails        = var.alarm_emails
  billing             = var.billing
  deletion_protection = var.deletion_protection
}

locals {
  # A second cell: terraform/cell, whose platform has this one's cells before its own.
  platform = module.landing_zone.platform
}
