# One more landing zone of an installation that runs: in another region, another account, or both. What it has of its own is the way in:
# the workers take on a role here, and reach its databases from their VPC.
module "landing_zone" {
  source = "../landing-zone"

  name        = var.name
  environment = var.environment
  cell_id     = var.cell_id
  domain_name = var.domain_name
  domains     = var.domains

  accepts_tenants = var.accepts_tenants

  products  = var.products
  templates = var.templates
  existing  = var.existing

  vpc_cidr              = var.vpc_cidr
  nat                   = var.nat
  load_balancers        = var.load_balancers
  tenant_databases      = { for id, database in var.tenant_databases : id => database }
  database_client_cidrs = var.worker_cidrs
  trusted_role_arns     = var.worker_role_arns

  create_tenants_table = var.create_tenants_table
  tenants_table_name   = var.tenants_table_name
  accounts             = var.accounts
  archive              = var.archive
  mail_from            = var.mail_from
  kms_key_arn          = var.kms_key_arn
  deletion_protection  = var.deletion_protection
  tags                 = var.tags

  # The control plane's image is in the first cell.
  further_repositories = []
}
