locals {
  makes_waf = var.waf.enabled && (local.makes_alb || var.waf.existing_load_balancers)

  # In the form of the WAF API: the rules of a web ACL nest too deep for blocks.
  waf_visibility = { SampledRequestsEnabled = false, CloudWatchMetricsEnabled = true }
  waf_groups = [
    for number, group in var.waf.managed_groups : {
      Name             = group
      Priority         = number + 10
      OverrideAction   = var.waf.count_only ? { Count = {}, None = null } : { Count = null, None = {} }
      Statement        = { ManagedRuleGroupStatement = { VendorName = "AWS", Name = group } }
      VisibilityConfig = merge(local.waf_visibility, { MetricName = group })
    }
  ]
  waf_rate = {
    Name     = "rate-per-address"
    Priority = 1
    Action   = { Block = {} }
    Statement = {
      RateBasedStatement = { Limit = var.waf.requests_per_five_minutes, AggregateKeyType = "IP", EvaluationWindowSec = 300 }
    }
    VisibilityConfig = merge(local.waf_visibility, { MetricName = "rate-per-address" })
  }
}

resource "aws_wafv2_web_acl" "this" {
  count       = local.makes_waf ? 1 : 0
  name        = local.prefix
  description = "Before the tenants of ${local.prefix}"
  scope       = "REGIONAL"
  tags        = local.tags

  rule_json = jsonencode(concat(
    [local.waf_rate],
    [for rule in local.waf_groups : merge(rule, { OverrideAction = { for name, value in rule.OverrideAction : name => value if value != null } })],
  ))

  default_action {
    allow {}
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.prefix
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  for_each     = local.makes_waf ? merge({ for name, lb in aws_lb.this : name => lb.arn }, { for name, lb in var.existing.load_balancers : name => lb.arn }) : {}
  resource_arn = each.value
  web_acl_arn  = aws_wafv2_web_acl.this[0].arn
}
