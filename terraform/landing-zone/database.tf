locals {
  # Of tenants' schemas, and one for products to come that share an instance.
  databases = merge(var.tenant_databases, { for database in var.shared_database == null ? [] : [var.shared_database] : "shared" => database })
}

resource "aws_db_subnet_group" "this" {
  count      = length(local.databases) > 0 ? 1 : 0
  name       = "${local.prefix}-${var.cell_id}"
  subnet_ids = local.private_subnet_ids
  tags       = local.tags
}

resource "aws_security_group" "database" {
  for_each    = local.databases
  name        = "${local.prefix}-database-${each.key}"
  description = "PostgreSQL ${each.key}"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-database-${each.key}" })
}

# A session without TLS is refused, and no password is kept or sent as MD5.
resource "aws_db_parameter_group" "this" {
  for_each    = local.databases
  name_prefix = "${local.prefix}-${each.key}-"
  family      = "postgres${split(".", each.value.engine_version)[0]}"
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

resource "aws_iam_role" "monitoring" {
  count              = length(local.databases) > 0 ? 1 : 0
  name               = "${local.prefix}-${var.cell_id}-rds-monitoring"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [merge(local.assumed_by["monitoring.rds"], local.from_this_account)] })
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  count      = length(local.databases) > 0 ? 1 : 0
  role       = aws_iam_role.monitoring[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# The master's password is RDS's own secret, and is changed by it. Services log in under other names.
resource "aws_db_instance" "this" {
  for_each   = local.databases
  identifier = "${local.prefix}-${each.key}"

  engine                      = "postgres"
  engine_version              = each.value.engine_version
  instance_class              = each.value.instance_class
  db_name                     = each.value.name
  username                    = "tenantry_admin"
  manage_master_user_password = true
  parameter_group_name        = aws_db_parameter_group.this[each.key].name
  ca_cert_identifier          = "rds-ca-rsa2048-g1"

  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn
  allocated_storage     = each.value.allocated_gb
  max_allocated_storage = each.value.max_allocated_gb

  db_subnet_group_name   = aws_db_subnet_group.this[0].name
  vpc_security_group_ids = [aws_security_group.database[each.key].id]
  publicly_accessible    = false
  multi_az               = each.value.multi_az

  backup_retention_period    = each.value.backup_days
  copy_tags_to_snapshot      = true
  deletion_protection        = var.deletion_protection
  skip_final_snapshot        = false
  final_snapshot_identifier  = "${local.prefix}-${each.key}-final"
  auto_minor_version_upgrade = true
  apply_immediately          = false

  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring[0].arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  tags                            = local.tags
}
