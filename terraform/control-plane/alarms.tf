locals {
  # What processes log as {"alert": "<name>"}; docs/runbook.md has a page of each. A test holds the names against the code.
  alerts = [
    "aws-unusable", "canary-failed", "database-unusable", "drift-breaker", "isolation-overdue", "ledger-mark-stands-still", "ledger-older-than-mark",
    "load-balancer-unreachable", "mail-given-up", "no-worker", "operation-slow", "operation-stuck", "projection-behind", "sweep-findings",
    "tenant-drift", "tenant-unhealthy", "webhook-behind", "webhook-dead-letters", "webhook-disabled",
  ]
  # Seen on the dashboard and in /metrics, nobody is called for them.
  quiet_alerts = toset(["tenant-drift", "webhook-behind", "webhook-dead-letters", "webhook-disabled"])

  alert_groups  = toset(concat(["api"], [for name in keys(var.workers) : "worker-${name}"], keys(local.canary_process)))
  metrics       = "Tenantry/${local.prefix}"
  alarm_actions = [aws_sns_topic.alarms.arn]

  postgres = merge({ control = { identifier = aws_db_instance.this.identifier, gb = var.database.allocated_gb } }, {
    for id, database in var.tenant_databases : "tenants-${id}" => { identifier = database.identifier, gb = database.allocated_gb } if database.is_managed
  })
  balancers = merge({ api = aws_lb.api.arn_suffix }, { for name, arn in var.tenant_load_balancer_arns : "tenants-${name}" => split(":loadbalancer/", arn)[1] })
}

resource "aws_sns_topic" "alarms" {
  name              = "${local.prefix}-alarms"
  kms_master_key_id = aws_kms_key.this.arn
  tags              = local.tags
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each  = var.alarm_emails
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_log_metric_filter" "alert" {
  for_each       = { for pair in setproduct(local.alert_groups, local.alerts) : join(" ", pair) => { group = pair[0], alert = pair[1] } }
  name           = each.key
  log_group_name = aws_cloudwatch_log_group.this[each.value.group].name
  pattern        = "{ $.alert = \"${each.value.alert}\" }"

  metric_transformation {
    namespace = local.metrics
    name      = each.value.alert
    value     = "1"
    unit      = "Count"
  }
}

resource "aws_cloudwatch_metric_alarm" "alert" {
  for_each            = var.enable_alarms ? setsubtract(local.alerts, local.quiet_alerts) : toset([])
  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = "docs/runbook.md, ${each.key}"
  namespace           = local.metrics
  metric_name         = each.key
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  tags                = local.tags
}

# No process that is ready: of the API by its load balancer.
resource "aws_cloudwatch_metric_alarm" "api" {
  count               = var.enable_alarms && var.running ? 1 : 0
  alarm_name          = "${local.prefix}-api-unhealthy"
  alarm_description   = "No API process answers /readyz"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.api.arn_suffix, TargetGroup = aws_lb_target_group.api.arn_suffix }
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = local.tags
}

# U-53: more than 1 % of the answers are 5xx, of targets or of the load balancer itself.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each            = var.enable_alarms ? local.balancers : {}
  alarm_name          = "${local.prefix}-5xx-${each.key}"
  alarm_description   = "More than 1 % of the answers of load balancer ${each.key} are 5xx"
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  tags                = local.tags

  metric_query {
    id          = "share"
    expression  = "IF(requests > 100, 100 * (FILL(target, 0) + FILL(own, 0)) / requests, 0)"
    label       = "5xx, %"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { requests = "RequestCount", target = "HTTPCode_Target_5XX_Count", own = "HTTPCode_ELB_5XX_Count" }
    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = each.value }
        stat        = "Sum"
        period      = 300
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "database_cpu" {
  for_each            = var.enable_alarms ? local.postgres : {}
  alarm_name          = "${local.prefix}-cpu-${each.key}"
  alarm_description   = "Database ${each.key}: CPU above 80 %"
  namespace           = "AWS/RDS"
  metric_name         = "CPUUtilization"
  dimensions          = { DBInstanceIdentifier = each.value.identifier }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  threshold           = 80
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = local.alarm_actions
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "database_storage" {
  for_each            = var.enable_alarms ? local.postgres : {}
  alarm_name          = "${local.prefix}-storage-${each.key}"
  alarm_description   = "Database ${each.key}: less than 10 % of its first storage is free"
  namespace           = "AWS/RDS"
  metric_name         = "FreeStorageSpace"
  dimensions          = { DBInstanceIdentifier = each.value.identifier }
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.gb * 1024 * 1024 * 1024 / 10
  comparison_operator = "LessThanThreshold"
  alarm_actions       = local.alarm_actions
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "redis" {
  for_each            = var.enable_alarms ? var.redis_cluster_ids : toset([])
  alarm_name          = "${local.prefix}-redis-${each.key}"
  alarm_description   = "Redis ${each.key}: more than 80 % of its memory is in use"
  namespace           = "AWS/ElastiCache"
  metric_name         = "DatabaseMemoryUsagePercentage"
  dimensions          = { CacheClusterId = each.value }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 80
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = local.alarm_actions
  tags                = local.tags
}
