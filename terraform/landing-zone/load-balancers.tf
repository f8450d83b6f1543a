# One holds at most 50 tenants of two components (100 target groups, which cannot be raised): tenants need a set of them.
resource "aws_lb" "this" {
  for_each                   = local.makes_alb ? var.load_balancers : toset([])
  name                       = "${local.prefix}-${each.key}"
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = local.public_subnet_ids
  security_groups            = [aws_security_group.load_balancer[0].id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  idle_timeout               = 60
  tags                       = local.tags

  access_logs {
    bucket  = aws_s3_bucket.access_logs[0].bucket
    prefix  = each.key
    enabled = true
  }

  # Whether it may write there is tried when it is made.
  depends_on = [aws_s3_bucket_policy.access_logs]

  lifecycle {
    precondition {
      condition     = length("${local.prefix}-${each.key}") <= 32
      error_message = "The load balancer's name ${local.prefix}-${each.key} has more than 32 characters: shorten name, environment or its key."
    }
  }
}

# Knows no tenant yet: tenants' rules come with them.
resource "aws_lb_listener" "https" {
  for_each          = aws_lb.this
  load_balancer_arn = each.value.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.tls_policy
  certificate_arn   = local.certificate_arns[local.first_domain]
  tags              = local.tags

  default_action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "text/plain"
      message_body = "No such tenant"
    }
  }
}

resource "aws_lb_listener" "redirect" {
  for_each          = aws_lb.this
  load_balancer_arn = each.value.arn
  port              = 80
  protocol          = "HTTP"
  tags              = local.tags

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

data "aws_lb" "existing" {
  for_each = var.existing.load_balancers
  arn      = each.value.arn
}

data "aws_lb_listener" "existing" {
  for_each          = var.existing.load_balancers
  load_balancer_arn = each.value.arn
  port              = each.value.https_port

  lifecycle {
    postcondition {
      condition     = self.protocol == "HTTPS"
      error_message = "Port ${each.value.https_port} of load balancer ${each.value.arn} is not HTTPS."
    }
  }
}

locals {
  # As the platform description has them.
  load_balancers = concat(
    [
      for name in sort(keys(aws_lb.this)) : {
        arn                   = aws_lb.this[name].arn
        dnsName               = aws_lb.this[name].dns_name
        canonicalHostedZoneId = aws_lb.this[name].zone_id
        ipAddressType         = "ipv4"
        httpsListenerArn      = aws_lb_listener.https[name].arn
        certificateArn        = local.certificate_arns[local.first_domain]
      }
    ],
    [
      for name in sort(keys(var.existing.load_balancers)) : {
        arn                   = var.existing.load_balancers[name].arn
        dnsName               = data.aws_lb.existing[name].dns_name
        canonicalHostedZoneId = data.aws_lb.existing[name].zone_id
        ipAddressType         = data.aws_lb.existing[name].ip_address_type == "dualstack" ? "dualstack" : "ipv4"
        httpsListenerArn      = data.aws_lb_listener.existing[name].arn
        certificateArn        = data.aws_lb_listener.existing[name].certificate_arn
      }
    ],
  )
  listener_arns = local.load_balancers[*].httpsListenerArn
}
