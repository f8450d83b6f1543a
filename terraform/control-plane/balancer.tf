locals {
  api_port = 3006
}

# Apart from those of tenants: what they overload is not the API.
resource "aws_lb" "api" {
  name                       = "${local.prefix}-api"
  load_balancer_type         = "application"
  internal                   = var.api.internal
  subnets                    = var.api.internal ? var.private_subnet_ids : var.public_subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  # Live streams of events say something every 15 s.
  idle_timeout = 60
  tags         = local.tags

  dynamic "access_logs" {
    for_each = var.access_logs_bucket == null ? [] : [var.access_logs_bucket]
    content {
      bucket  = access_logs.value
      prefix  = "api"
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "api" {
  name                 = "${local.prefix}-api"
  port                 = local.api_port
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = var.vpc_id
  deregistration_delay = 20
  tags                 = local.tags

  health_check {
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "api" {
  load_balancer_arn = aws_lb.api.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.tls_policy
  certificate_arn   = local.certificate_arn
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }
}

locals {
  makes_certificate = var.api.certificate_arn == null
  certificate_arn   = local.makes_certificate ? aws_acm_certificate_validation.api[0].certificate_arn : var.api.certificate_arn
}

resource "aws_acm_certificate" "api" {
  count             = local.makes_certificate ? 1 : 0
  domain_name       = var.api.host
  validation_method = "DNS"
  tags              = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "certificate" {
  count           = local.makes_certificate ? 1 : 0
  zone_id         = var.api.route53_zone_id
  name            = one(aws_acm_certificate.api[0].domain_validation_options[*].resource_record_name)
  type            = one(aws_acm_certificate.api[0].domain_validation_options[*].resource_record_type)
  records         = aws_acm_certificate.api[0].domain_validation_options[*].resource_record_value
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "api" {
  count                   = local.makes_certificate ? 1 : 0
  certificate_arn         = aws_acm_certificate.api[0].arn
  validation_record_fqdns = [aws_route53_record.certificate[0].fqdn]
}

resource "aws_route53_record" "api" {
  count   = var.api.creates_record ? 1 : 0
  zone_id = var.api.route53_zone_id
  name    = var.api.host
  type    = "A"

  alias {
    name                   = aws_lb.api.dns_name
    zone_id                = aws_lb.api.zone_id
    evaluate_target_health = false
  }
}

resource "aws_wafv2_web_acl_association" "api" {
  count        = var.api.uses_web_acl ? 1 : 0
  resource_arn = aws_lb.api.arn
  web_acl_arn  = var.web_acl_arn
}
