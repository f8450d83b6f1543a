# Of the load balancers made here; a given one has its own.
resource "aws_security_group" "load_balancer" {
  count       = local.makes_alb ? 1 : 0
  name        = "${local.prefix}-load-balancer"
  description = "Load balancers of tenants"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-load-balancer" })
}

resource "aws_vpc_security_group_ingress_rule" "load_balancer" {
  for_each = local.makes_alb ? {
    for pair in setproduct(var.ingress_cidrs, ["80", "443"]) : join(" ", pair) => { cidr = pair[0], port = tonumber(pair[1]) }
  } : {}
  security_group_id = aws_security_group.load_balancer[0].id
  description       = "Users of tenants"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  tags              = local.tags
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  for_each                     = local.makes_alb && local.makes_task_group ? local.container_ports : toset([])
  security_group_id            = aws_security_group.load_balancer[0].id
  description                  = "Containers of tenants"
  referenced_security_group_id = aws_security_group.tasks[0].id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.value)
  to_port                      = tonumber(each.value)
  tags                         = local.tags
}

locals {
  makes_task_group = length(var.existing.task_security_group_ids) == 0
  task_group_ids   = local.makes_task_group ? aws_security_group.tasks[*].id : var.existing.task_security_group_ids
  # Groups of load balancers, under names that are known before anything is made.
  balancer_groups = merge(
    { for group in aws_security_group.load_balancer : "made" => group.id },
    merge([for name, given in data.aws_lb.existing : { for number, id in tolist(given.security_groups) : "${name}-${number}" => id }]...),
  )
  task_ingress = {
    for pair in setproduct(keys(local.balancer_groups), local.container_ports) : join(" ", pair) => { group = pair[0], port = tonumber(pair[1]) }
  }
}

# Of tenants' tasks, the templates' among them.
resource "aws_security_group" "tasks" {
  count       = local.makes_task_group ? 1 : 0
  name        = "${local.prefix}-tasks"
  description = "Containers of tenants"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-tasks" })
}

resource "aws_vpc_security_group_ingress_rule" "tasks" {
  for_each                     = local.makes_task_group ? local.task_ingress : {}
  security_group_id            = aws_security_group.tasks[0].id
  description                  = "Load balancers"
  referenced_security_group_id = local.balancer_groups[each.value.group]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  for_each          = local.makes_task_group ? toset([for port in var.egress_ports : tostring(port)]) : toset([])
  security_group_id = aws_security_group.tasks[0].id
  description       = "AWS and whatever else tenants call"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
  tags              = local.tags
}

locals {
  # Stores that tasks of tenants reach: their ports by names that are known before anything is made.
  store_ports = merge(
    { for id in keys(local.databases) : "database-${id}" => 5432 },
    { for cache in var.redis == null ? [] : ["redis"] : cache => 6379 },
  )
  store_groups = merge(
    { for id, group in aws_security_group.database : "database-${id}" => group.id },
    { for group in aws_security_group.redis : "redis" => group.id },
  )
  task_group_count = local.makes_task_group ? 1 : length(var.existing.task_security_group_ids)
  store_access = merge([
    for store in keys(local.store_ports) : { for number in range(local.task_group_count) : "${store} ${number}" => { store = store, number = number } }
  ]...)
}

resource "aws_vpc_security_group_ingress_rule" "stores" {
  for_each                     = local.store_access
  security_group_id            = local.store_groups[each.value.store]
  description                  = "Containers of tenants"
  referenced_security_group_id = local.task_group_ids[each.value.number]
  ip_protocol                  = "tcp"
  from_port                    = local.store_ports[each.value.store]
  to_port                      = local.store_ports[each.value.store]
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "stores" {
  for_each                     = local.makes_task_group ? toset(keys(local.store_ports)) : toset([])
  security_group_id            = aws_security_group.tasks[0].id
  description                  = "Data of tenants"
  referenced_security_group_id = local.store_groups[each.value]
  ip_protocol                  = "tcp"
  from_port                    = local.store_ports[each.value]
  to_port                      = local.store_ports[each.value]
  tags                         = local.tags
}

# Workers whose VPC is elsewhere: a group of another region cannot be named.
resource "aws_vpc_security_group_ingress_rule" "database_clients" {
  for_each          = { for pair in setproduct(keys(local.databases), var.database_client_cidrs) : join(" ", pair) => { id = pair[0], cidr = pair[1] } }
  security_group_id = aws_security_group.database[each.value.id].id
  description       = "Workers"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
  tags              = local.tags
}
