data "aws_availability_zones" "available" {
  count = local.makes_vpc && length(var.availability_zones) == 0 ? 1 : 0
  state = "available"

  # Local zones have no load balancers or NAT to speak of.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = (
    !local.makes_vpc ? [] :
    length(var.availability_zones) > 0 ? var.availability_zones :
    slice(sort(data.aws_availability_zones.available[0].names), 0, 2)
  )
  # A gateway for each zone, one for all, or none.
  nat_zones = var.nat == "per-zone" ? local.zones : var.nat == "single" ? slice(local.zones, 0, min(1, length(local.zones))) : []
}

resource "aws_vpc" "this" {
  count                = local.makes_vpc ? 1 : 0
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(local.tags, { Name = local.prefix })
}

# Without rules: whoever names no group of its own reaches nothing.
resource "aws_default_security_group" "this" {
  count  = local.makes_vpc ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = "${local.prefix}-unused" })
}

resource "aws_internet_gateway" "this" {
  count  = local.makes_vpc ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = local.prefix })
}

# Of a /16: /20 for private subnets (4,091 tasks each), /24 for public ones.
resource "aws_subnet" "private" {
  for_each          = toset(local.zones)
  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, index(local.zones, each.key))
  tags              = merge(local.tags, { Name = "${local.prefix}-private-${each.key}" })
}

resource "aws_subnet" "public" {
  for_each          = toset(local.zones)
  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 8, 240 + index(local.zones, each.key))
  tags              = merge(local.tags, { Name = "${local.prefix}-public-${each.key}" })
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)
  domain   = "vpc"
  tags     = merge(local.tags, { Name = "${local.prefix}-nat-${each.key}" })
}

resource "aws_nat_gateway" "this" {
  for_each      = toset(local.nat_zones)
  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = merge(local.tags, { Name = "${local.prefix}-${each.key}" })
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  count  = local.makes_vpc ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = "${local.prefix}-public" })
}

resource "aws_route" "internet" {
  count                  = local.makes_vpc ? 1 : 0
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  for_each       = toset(local.zones)
  route_table_id = aws_route_table.public[0].id
  subnet_id      = aws_subnet.public[each.key].id
}

resource "aws_route_table" "private" {
  for_each = toset(local.zones)
  vpc_id   = aws_vpc.this[0].id
  tags     = merge(local.tags, { Name = "${local.prefix}-private-${each.key}" })
}

resource "aws_route" "nat" {
  for_each               = var.nat == "none" ? toset([]) : toset(local.zones)
  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.nat == "per-zone" ? each.key : local.zones[0]].id
}

resource "aws_route_table_association" "private" {
  for_each       = toset(local.zones)
  route_table_id = aws_route_table.private[each.key].id
  subnet_id      = aws_subnet.private[each.key].id
}
