# U-54. What CloudWatch has figures of: alerts, load balancers, processes, databases, tables. Figures of operations and steps are in /metrics.
locals {
  alert_widget = {
    type       = "metric"
    width      = 24
    height     = 6
    properties = { title = "Alerts in 5 minutes", region = local.region, stat = "Sum", period = 300, view = "timeSeries", stacked = true, metrics = [for alert in local.alerts : [local.metrics, alert]] }
  }
  log_groups_query = join(" | ", [for group in local.alert_groups : "SOURCE '/${var.name}/${var.environment}/${group}'"])
  log_widget = {
    type       = "log"
    width      = 24
    height     = 8
    properties = { title = "Latest alerts and errors", region = local.region, view = "table", query = "${local.log_groups_query} | fields @timestamp, alert, product, slug, msg, runbook | filter ispresent(alert) or level >= 50 | sort @timestamp desc | limit 50" }
  }
  product_log_widgets = {
    for product in var.dashboard_products : product => {
      type       = "log"
      width      = 24
      height     = 8
      properties = { title = "What the workers say of ${product}", region = local.region, view = "table", query = "${local.log_groups_query} | fields @timestamp, alert, slug, msg, runbook | filter product = '${product}' | sort @timestamp desc | limit 50" }
    }
  }

  # By load balancer, database and process.
  traffic = [
    for title, of in {
      "Requests"              = { metric = "RequestCount", stat = "Sum" }
      "5xx of targets"        = { metric = "HTTPCode_Target_5XX_Count", stat = "Sum" }
      "Time of answers (p95)" = { metric = "TargetResponseTime", stat = "p95" }
      } : {
      type       = "metric", width = 8, height = 6
      properties = { title = title, region = local.region, stat = of.stat, period = 60, view = "timeSeries", metrics = [for name, lb in local.balancers : ["AWS/ApplicationELB", of.metric, "LoadBalancer", lb, { label = name }]] }
    }
  ]
  databases = [
    for title, metric in { "Database CPU (%)" = "CPUUtilization", "Database connections" = "DatabaseConnections", "Free storage (bytes)" = "FreeStorageSpace" } : {
      type                                    = "metric", width = 8, height = 6
      properties                              = { title = title, region = local.region, stat = "Average", period = 300, view = "timeSeries", metrics = [for name, database in local.postgres : ["AWS/RDS", metric, "DBInstanceIdentifier", database.identifier, { label = name }]] }
    }
  ]
  processes_widgets = [
    for title, metric in { "CPU of processes (%)" = "CPUUtilization", "Memory of processes (%)" = "MemoryUtilization" } : {
      type                                        = "metric", width = 12, height = 6
      properties                                  = { title = title, region = local.region, stat = "Maximum", period = 60, view = "timeSeries", metrics = [for service in local.alert_groups : ["AWS/ECS", metric, "ClusterName", aws_ecs_cluster.this.name, "ServiceName", service]] }
    }
  ]
  tables = [
    for title, metric in { "Units read" = "ConsumedReadCapacityUnits", "Units written" = "ConsumedWriteCapacityUnits", "Throttled" = "ThrottledRequests" } : {
      type                              = "metric", width = 8, height = 6
      properties                        = { title = title, region = local.region, stat = "Sum", period = 300, view = "timeSeries", metrics = [for table in var.dashboard_tables : ["AWS/DynamoDB", metric, "TableName", table]] }
    }
  ]

  dashboards = merge(
    { platform = concat([local.alert_widget], local.traffic, local.processes_widgets, local.databases, [local.log_widget]) },
    { for product, widget in local.product_log_widgets : product => concat(product == "accounts" && length(var.dashboard_tables) > 0 ? local.tables : [], [widget]) },
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  for_each       = toset(concat(["platform"], var.dashboard_products))
  dashboard_name = "${local.prefix}-${each.key}"
  dashboard_body = jsonencode({ widgets = local.dashboards[each.key] })
}
