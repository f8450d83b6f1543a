# One group for each sort of process.
resource "aws_security_group" "api" {
  name        = "${local.prefix}-api"
  description = "API of Tenantry"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-api" })
}

resource "aws_security_group" "worker" {
  name        = "${local.prefix}-worker"
  description = "Workers of Tenantry: nobody connects to them"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-worker" })
}

resource "aws_security_group" "migrate" {
  name        = "${local.prefix}-migrate"
  description = "One-off tasks of Tenantry"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-migrate" })
}

resource "aws_security_group" "load_balancer" {
  name        = "${local.prefix}-api-balancer"
  description = "Load balancer of the API"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-api-balancer" })
}

resource "aws_vpc_security_group_ingress_rule" "load_balancer" {
  for_each          = toset(var.api.ingress_cidrs)
  security_group_id = aws_security_group.load_balancer.id
  description       = "Callers of the API"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "API"
  referenced_security_group_id = aws_security_group.api.id
  ip_protocol                  = "tcp"
  from_port                    = local.api_port
  to_port                      = local.api_port
  tags                         = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  security_group_id            = aws_security_group.api.id
  description                  = "Load balancer"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = local.api_port
  to_port                      = local.api_port
  tags                         = local.tags
}

locals {
  temporal_port = tonumber(reverse(split(":", var.temporal.address))[0])
  # Images, logs, secrets, AWS, issuer, tenants' addresses and Temporal; webhooks go out at 443, too.
  egress = {
    for pair in setproduct(["api", "worker", "migrate"], distinct([443, local.temporal_port])) : join(" ", pair) => { of = pair[0], port = tonumber(pair[1]) }
    if pair[0] != "migrate" || tonumber(pair[1]) == 443
  }
  process_groups = { api = aws_security_group.api.id, worker = aws_security_group.worker.id, migrate = aws_security_group.migrate.id }
}

resource "aws_vpc_security_group_egress_rule" "out" {
  for_each          = local.egress
  security_group_id = local.process_groups[each.value.of]
  description       = each.value.port == 443 ? "AWS and HTTPS" : "Temporal"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  tags              = local.tags
}

# Tenants' databases, wherever they are.
resource "aws_vpc_security_group_egress_rule" "tenant_database" {
  for_each = {
    for pair in setproduct(distinct([for database in values(var.tenant_databases) : tostring(database.port)]), ["worker", "migrate"]) : join(" ", pair) => { port = tonumber(pair[0]), of = pair[1] }
  }
  security_group_id = local.process_groups[each.value.of]
  description       = "Databases of tenants"
  cidr_ipv4         = var.tenant_database_cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  tags              = local.tags
}
