# docs/canary.md: one process that makes, looks at and removes a tenant again and again. It needs the API alone.
locals {
  canary_port = 9465
  canary_process = var.canary == null ? {} : {
    canary = {
      sort = "canary", image = var.image, cpu = 256, memory = 512, health = "http://127.0.0.1:${local.canary_port}/healthz"
      command = concat(
        ["canary", "--product", var.canary.product, "--every", var.canary.every, "--port", tostring(local.canary_port)],
        flatten([for path in var.canary.paths : ["--path", path]]),
        flatten([for option, value in { "--tier" = var.canary.tier, "--cell" = var.canary.cell, "--email" = var.canary.email } : [option, value] if value != null]),
      )
      environment = { TENANTRY_API_URL = "https://${var.api.host}", LOG_LEVEL = var.log_level }
    }
  }
}

resource "aws_security_group" "canary" {
  count       = var.canary == null ? 0 : 1
  name        = "${local.prefix}-canary"
  description = "Canary of Tenantry: nobody connects to it"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.prefix}-canary" })
}

resource "aws_vpc_security_group_egress_rule" "canary" {
  count             = var.canary == null ? 0 : 1
  security_group_id = aws_security_group.canary[0].id
  description       = "API, addresses of tenants, image, logs and secret"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}

resource "aws_ecs_service" "canary" {
  count                  = var.image == null || var.canary == null ? 0 : 1
  name                   = "canary"
  cluster                = aws_ecs_cluster.this.arn
  task_definition        = aws_ecs_task_definition.this["canary"].arn
  desired_count          = var.running ? 1 : 0
  launch_type            = "FARGATE"
  enable_execute_command = false
  propagate_tags         = "SERVICE"
  tags                   = local.tags

  # Never two at once: the second would be skipped.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.canary[0].id]
    assign_public_ip = false
  }

  depends_on = [aws_ecs_service.api]
}

resource "aws_cloudwatch_log_metric_filter" "canary" {
  count          = var.canary == null ? 0 : 1
  name           = "canary succeeded"
  log_group_name = aws_cloudwatch_log_group.this["canary"].name
  pattern        = "{ $.outcome = \"succeeded\" }"

  metric_transformation {
    namespace = local.metrics
    name      = "canary-succeeded"
    value     = "1"
    unit      = "Count"
  }
}

# One that is skipped, or does not run, fails nowhere.
resource "aws_cloudwatch_metric_alarm" "canary" {
  count               = var.enable_alarms && var.running && var.canary != null ? 1 : 0
  alarm_name          = "${local.prefix}-canary-silent"
  alarm_description   = "No run of the canary has succeeded for three hours: docs/canary.md"
  namespace           = local.metrics
  metric_name         = "canary-succeeded"
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}
