# Figures of the bill are in us-east-1, whatever region the rest is in (C-25). "Receive billing alerts" must be on in the account.
resource "aws_sns_topic" "billing" {
  count  = var.billing.alarm_usd == 0 ? 0 : 1
  region = "us-east-1"
  # Without a key: alarms cannot use the one that AWS manages, and the messages tell a sum.
  name = "${local.prefix}-billing"
  tags = local.tags
}

resource "aws_sns_topic_subscription" "billing" {
  for_each  = var.billing.alarm_usd == 0 ? toset([]) : var.alarm_emails
  region    = "us-east-1"
  topic_arn = aws_sns_topic.billing[0].arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_metric_alarm" "billing" {
  count               = var.billing.alarm_usd == 0 ? 0 : 1
  region              = "us-east-1"
  alarm_name          = coalesce(var.billing.alarm_name, "${local.prefix}-billing-alarm")
  alarm_description   = "Alert when costs exceed $${var.billing.alarm_usd}"
  namespace           = "AWS/Billing"
  metric_name         = "EstimatedCharges"
  dimensions          = { Currency = "USD" }
  statistic           = "Maximum"
  period              = 86400
  evaluation_periods  = 1
  threshold           = var.billing.alarm_usd
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.billing[0].arn]
  tags                = local.tags
}

resource "aws_budgets_budget" "this" {
  count        = var.billing.budget_usd == null ? 0 : 1
  name         = local.prefix
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.billing.budget_usd)
  limit_unit   = "USD"
  tags         = local.tags

  dynamic "notification" {
    for_each = length(var.alarm_emails) == 0 ? {} : { ACTUAL = 80, FORECASTED = 100 }
    content {
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      notification_type          = notification.key
      subscriber_email_addresses = var.alarm_emails
    }
  }
}

# U-55: cost by tenant. AWS knows a tag only once something has borne it for a day, so not at the first apply.
resource "aws_ce_cost_allocation_tag" "this" {
  for_each = var.billing.cost_by_tenant ? toset(["tenantry:tenant-id", "tenantry:product"]) : toset([])
  tag_key  = each.key
  status   = "Active"
}
