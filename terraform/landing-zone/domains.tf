resource "aws_route53_zone" "this" {
  count   = local.makes_zone ? 1 : 0
  name    = var.domain_name
  comment = "Tenants of ${local.prefix}"
  tags    = local.tags
}

data "aws_route53_zone" "existing" {
  count   = local.makes_zone ? 0 : 1
  zone_id = var.existing.route53_zone_id

  lifecycle {
    postcondition {
      condition     = trimsuffix(self.name, ".") == var.domain_name && !coalesce(self.private_zone, false)
      error_message = "Zone ${var.existing.route53_zone_id} is ${self.name}, ${coalesce(self.private_zone, false) ? "private" : "public"}: domain_name says ${var.domain_name}, and tenants need a public one."
    }
  }
}

locals {
  # A wildcard covers one label: each domain that has tenants right below it needs a certificate.
  certified_domains  = toset(concat(values(var.domains), length(var.domains) == 0 ? [var.domain_name] : []))
  first_domain       = contains(local.certified_domains, var.domain_name) ? var.domain_name : sort(local.certified_domains)[0]
  makes_certificates = coalesce(var.create_certificates, local.makes_alb)
  certificate_arns   = { for domain, validation in aws_acm_certificate_validation.this : domain => validation.certificate_arn }

  # Beside the listener's own one.
  further_certificates = {
    for pair in setproduct(keys(local.listeners), local.certified_domains) : join(" ", pair) => { listener = pair[0], domain = pair[1] }
    if local.makes_certificates && !(local.makes_alb && pair[1] == local.first_domain)
  }
  listeners = merge(
    { for name, listener in aws_lb_listener.https : name => listener.arn },
    { for name, listener in data.aws_lb_listener.existing : name => listener.arn },
  )
}

resource "aws_acm_certificate" "this" {
  for_each          = local.makes_certificates ? local.certified_domains : toset([])
  domain_name       = "*.${each.key}"
  validation_method = "DNS"
  tags              = merge(local.tags, { Name = "*.${each.key}" })

  # A listener has the old one until the new one is there.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "certificate" {
  for_each        = aws_acm_certificate.this
  zone_id         = local.zone_id
  name            = one(each.value.domain_validation_options[*].resource_record_name)
  type            = one(each.value.domain_validation_options[*].resource_record_type)
  records         = each.value.domain_validation_options[*].resource_record_value
  ttl             = 300
  allow_overwrite = true
}

# Waits until ACM has seen the record: the zone must be delegated by then.
resource "aws_acm_certificate_validation" "this" {
  for_each                = aws_acm_certificate.this
  certificate_arn         = each.value.arn
  validation_record_fqdns = [aws_route53_record.certificate[each.key].fqdn]
}

resource "aws_lb_listener_certificate" "this" {
  for_each        = local.further_certificates
  listener_arn    = local.listeners[each.value.listener]
  certificate_arn = local.certificate_arns[each.value.domain]
}
