# The system of record: never the server of tenants' schemas.
resource "aws_db_subnet_group" "this" {
  name       = "${local.prefix}-control-plane"
  subnet_ids = var.private_subnet_ids
  tags       = local.tags
}

resource "aws_security_group" "database" {
  name        = "${local.prefix}-control-database"
  description = "PostgreSQL of the control plane"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-control-database" })
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${local.prefix}-control-"
  family      = "postgres${split(".", var.database.engine_version)[0]}"
  description = "TLS only"
  tags        = local.tags

  dynamic "parameter" {
    for_each = {
      "rds.force_ssl"                     = "1"
      "rds.accepted_password_auth_method" = "scram"
      "password_encryption"               = "scram-sha-256"
    }
    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# The master's password is RDS's own secret, and is changed by it. API and workers log in as `tenantry`.
resource "aws_db_instance" "this" {
  identifier = "${local.prefix}-control"

  engine                      = "postgres"
  engine_version              = var.database.engine_version
  instance_class              = var.database.instance_class
  db_name                     = "tenantry"
  username                    = "tenantry_admin"
  manage_master_user_password = true
  parameter_group_name        = aws_db_parameter_group.this.name
  ca_cert_identifier          = "rds-ca-rsa2048-g1"

  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn
  allocated_storage     = var.database.allocated_gb
  max_allocated_storage = var.database.max_allocated_gb

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = false
  multi_az               = var.database.multi_az

  backup_retention_period    = var.database.backup_days
  copy_tags_to_snapshot      = true
  deletion_protection        = var.deletion_protection
  skip_final_snapshot        = false
  final_snapshot_identifier  = "${local.prefix}-control-final"
  auto_minor_version_upgrade = true
  apply_immediately          = false

  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  tags                            = local.tags
}

# What may connect: here, and to tenants' databases.
locals {
  database_clients = {
    "control api"     = { database = aws_security_group.database.id, client = aws_security_group.api.id }
    "control worker"  = { database = aws_security_group.database.id, client = aws_security_group.worker.id }
    "control migrate" = { database = aws_security_group.database.id, client = aws_security_group.migrate.id }
  }
  tenant_database_groups = { for id, database in var.tenant_databases : id => database if database.is_managed && !database.by_address }
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  for_each                     = local.database_clients
  security_group_id            = each.value.database
  description                  = each.key
  referenced_security_group_id = each.value.client
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "database" {
  for_each                     = local.database_clients
  security_group_id            = each.value.client
  description                  = "Control database"
  referenced_security_group_id = each.value.database
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = local.tags
}

# Workers make schemas there; migrate's group is that of the one-off task that makes the logins, too.
resource "aws_vpc_security_group_ingress_rule" "tenant_database" {
  for_each                     = { for pair in setproduct(keys(local.tenant_database_groups), ["worker", "migrate"]) : join(" ", pair) => { id = pair[0], client = pair[1] } }
  security_group_id            = var.tenant_databases[each.value.id].security_group_id
  description                  = "Tenantry ${each.value.client}"
  referenced_security_group_id = each.value.client == "worker" ? aws_security_group.worker.id : aws_security_group.migrate.id
  ip_protocol                  = "tcp"
  from_port                    = var.tenant_databases[each.value.id].port
  to_port                      = var.tenant_databases[each.value.id].port
  tags                         = local.tags
}
