data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.region

  prefix = "${var.name}-${var.environment}"
  tags   = merge({ "tenantry:environment" = var.environment, "tenantry:cell" = var.cell_id }, var.tags)

  # What is given stands for what would be made.
  makes_vpc     = var.existing.vpc_id == null
  makes_cluster = var.existing.ecs_cluster_name == null
  makes_zone    = var.existing.route53_zone_id == null
  makes_alb     = length(var.existing.load_balancers) == 0

  vpc_id             = local.makes_vpc ? aws_vpc.this[0].id : var.existing.vpc_id
  vpc_cidr           = local.makes_vpc ? var.vpc_cidr : data.aws_vpc.existing[0].cidr_block
  private_subnet_ids = local.makes_vpc ? [for zone in local.zones : aws_subnet.private[zone].id] : var.existing.private_subnet_ids
  public_subnet_ids  = local.makes_vpc ? [for zone in local.zones : aws_subnet.public[zone].id] : var.existing.public_subnet_ids
  cluster            = local.makes_cluster ? aws_ecs_cluster.this[0].name : var.existing.ecs_cluster_name
  cluster_arn        = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:cluster/${local.cluster}"
  zone_id            = local.makes_zone ? aws_route53_zone.this[0].zone_id : var.existing.route53_zone_id

  # Each component of each product, as one list.
  templates = merge([
    for product, components in var.templates : {
      for component, template in components : "${product}-${component}" => merge(template, {
        product    = product
        component  = component
        service    = coalesce(template.service, "${product}-template-${component}")
        repository = coalesce(template.repository, "${product}-${component}")
      })
    }
  ]...)
  container_ports = toset([for template in local.templates : tostring(template.container_port)])
}

data "aws_vpc" "existing" {
  count = local.makes_vpc ? 0 : 1
  id    = var.existing.vpc_id

  lifecycle {
    postcondition {
      condition     = length(var.existing.private_subnet_ids) > 0
      error_message = "existing.vpc_id is given, so existing.private_subnet_ids must name the subnets that tenants' tasks run in."
    }
  }
}

resource "aws_ecs_cluster" "this" {
  count = local.makes_cluster ? 1 : 0
  name  = coalesce(var.ecs_cluster_name, local.prefix)
  tags  = local.tags

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  count              = local.makes_cluster ? 1 : 0
  cluster_name       = aws_ecs_cluster.this[0].name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }
}
