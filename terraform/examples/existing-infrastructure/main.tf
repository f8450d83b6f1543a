# An account that has network, load balancer, cluster, zone and template services (S1's world): they are read, and stay as they are.
module "landing_zone" {
  source = "../../landing-zone"

  environment = var.environment
  domain_name = var.domain_name
  domains     = { moamalat = var.domain_name }

  existing = {
    vpc_id             = var.vpc_id
    private_subnet_ids = var.private_subnet_ids
    ecs_cluster_name   = var.ecs_cluster_name
    load_balancers     = { moamalat = { arn = var.alb_arn } }
    route53_zone_id    = var.route53_zone_id
    template_services  = { moamalat = var.template_services }
    allowed_role_arns  = var.template_role_arns
    image_repositories = var.template_image_repositories
    # Tenants' tasks get the groups that the templates have.
    task_security_group_ids = var.task_security_group_ids
    tenant_databases        = [{ id = "primary", host = var.tenant_database.host, port = var.tenant_database.port, name = var.tenant_database.name }]
  }
  tenant_databases     = {}
  shared_with_template = var.shared_with_template

  create_tenants_table = var.create_tenants_table
  create_mail_identity = var.create_mail_identity
  mail_from            = var.mail_from
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
  tenant_database_cidr = module.landing_zone.vpc_cidr

  platform                  = module.landing_zone.platform
  role_policy_arns          = module.landing_zone.role_policy_arns
  tenant_databases          = { primary = merge(var.tenant_database, { is_managed = false }) }
  tenant_load_balancer_arns = { moamalat = var.alb_arn }
  dashboard_products        = ["moamalat"]

  api = {
    host            = coalesce(var.api_host, "tenantry.${var.domain_name}")
    route53_zone_id = var.route53_zone_id
  }
  access          = var.access
  temporal        = var.temporal
  database_ca_pem = file(var.database_ca_file)
  alarm_emails    = var.alarm_emails
}
