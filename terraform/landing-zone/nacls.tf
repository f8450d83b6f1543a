# A second wall behind the security groups. It keeps no track of connections, so answers need ports of their own.
locals {
  any                  = "0.0.0.0/0"
  network_egress_ports = distinct(concat(var.egress_ports, var.worker_egress_ports))
  nacls = {
    private = {
      subnet_ids = [for zone in local.zones : aws_subnet.private[zone].id]
      rules = concat(
        [
          { egress = false, protocol = "-1", cidr = var.vpc_cidr, from = 0, to = 0 },
          { egress = false, protocol = "tcp", cidr = local.any, from = 1024, to = 65535 },
          { egress = true, protocol = "-1", cidr = var.vpc_cidr, from = 0, to = 0 },
        ],
        [for port in local.network_egress_ports : { egress = true, protocol = "tcp", cidr = local.any, from = port, to = port }],
      )
    }
    public = {
      subnet_ids = [for zone in local.zones : aws_subnet.public[zone].id]
      rules = concat(
        [
          { egress = false, protocol = "-1", cidr = var.vpc_cidr, from = 0, to = 0 },
          { egress = false, protocol = "tcp", cidr = local.any, from = 80, to = 80 },
          { egress = false, protocol = "tcp", cidr = local.any, from = 443, to = 443 },
          { egress = false, protocol = "tcp", cidr = local.any, from = 1024, to = 65535 },
          { egress = true, protocol = "-1", cidr = var.vpc_cidr, from = 0, to = 0 },
          { egress = true, protocol = "tcp", cidr = local.any, from = 1024, to = 65535 },
        ],
        [for port in local.network_egress_ports : { egress = true, protocol = "tcp", cidr = local.any, from = port, to = port } if port < 1024],
      )
    }
  }
  nacl_rules = merge([
    for name, nacl in local.nacls : {
      for number, rule in nacl.rules : "${name}-${number}" => merge(rule, { nacl = name, number = 100 + number * 10 })
    }
  ]...)
}

resource "aws_network_acl" "this" {
  for_each   = local.makes_vpc ? local.nacls : {}
  vpc_id     = aws_vpc.this[0].id
  subnet_ids = each.value.subnet_ids
  tags       = merge(local.tags, { Name = "${local.prefix}-${each.key}" })
}

resource "aws_network_acl_rule" "this" {
  for_each       = local.makes_vpc ? local.nacl_rules : {}
  network_acl_id = aws_network_acl.this[each.value.nacl].id
  rule_number    = each.value.number
  rule_action    = "allow"
  egress         = each.value.egress
  protocol       = each.value.protocol
  cidr_block     = each.value.cidr
  from_port      = each.value.from
  to_port        = each.value.to
}
