# Without NAT these are the only way out; with it they are the cheaper one for images and logs.
resource "aws_vpc_endpoint" "gateway" {
  for_each          = local.makes_vpc ? toset(["s3", "dynamodb"]) : toset([])
  vpc_id            = aws_vpc.this[0].id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${local.region}.${each.key}"
  route_table_ids   = [for zone in local.zones : aws_route_table.private[zone].id]
  tags              = merge(local.tags, { Name = "${local.prefix}-${each.key}" })
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = local.makes_vpc ? var.interface_endpoints : toset([])
  vpc_id              = aws_vpc.this[0].id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  private_dns_enabled = true
  subnet_ids          = [for zone in local.zones : aws_subnet.private[zone].id]
  security_group_ids  = [aws_security_group.endpoints[0].id]
  tags                = merge(local.tags, { Name = "${local.prefix}-${each.key}" })
}

resource "aws_security_group" "endpoints" {
  count       = local.makes_vpc ? 1 : 0
  name        = "${local.prefix}-endpoints"
  description = "AWS services inside the VPC"
  vpc_id      = aws_vpc.this[0].id
  tags        = merge(local.tags, { Name = "${local.prefix}-endpoints" })
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count             = local.makes_vpc ? 1 : 0
  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}
