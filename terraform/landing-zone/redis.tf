# For products to come. In nothing that runs today is it used.
resource "aws_security_group" "redis" {
  count       = var.redis == null ? 0 : 1
  name        = "${local.prefix}-redis"
  description = "Redis that products share"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-redis" })
}

resource "aws_elasticache_subnet_group" "redis" {
  count      = var.redis == null ? 0 : 1
  name       = "${local.prefix}-redis"
  subnet_ids = local.private_subnet_ids
  tags       = local.tags
}

resource "aws_elasticache_replication_group" "redis" {
  for_each             = { for redis in var.redis == null ? [] : [var.redis] : "redis" => redis }
  replication_group_id = "${local.prefix}-redis"
  description          = "Redis that products of ${local.prefix} share"
  engine               = each.value.engine
  engine_version       = each.value.engine_version
  node_type            = each.value.node_type
  num_cache_clusters   = each.value.nodes
  subnet_group_name    = aws_elasticache_subnet_group.redis[0].name
  security_group_ids   = [aws_security_group.redis[0].id]

  automatic_failover_enabled = each.value.nodes > 1
  multi_az_enabled           = each.value.nodes > 1
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  snapshot_retention_limit   = 7
  apply_immediately          = false
  tags                       = local.tags
}
