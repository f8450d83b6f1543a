data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.region

  prefix = "${var.name}-${var.environment}"
  tags   = merge({ "tenantry:environment" = var.environment }, var.tags)

  # Of Temporal's queues: src/contracts/ids.ts, held by a test.
  task_queues = ["tenantry", "tenantry-isolation"]
}

# The control plane has a cluster of its own, so that no right on tenants' cluster reaches it.
resource "aws_ecs_cluster" "this" {
  name = "${local.prefix}-control-plane"
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = local.containers
  name              = "/${var.name}/${var.environment}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
  tags              = local.tags
}
