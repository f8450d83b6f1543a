# Whose name tenants' mails come in. A new account's SES is in the sandbox: ask AWS for production access.
resource "aws_sesv2_email_identity" "this" {
  count          = var.create_mail_identity ? 1 : 0
  email_identity = local.mail_domain
  tags           = local.tags

  dkim_signing_attributes {
    next_signing_key_length = "RSA_2048_BIT"
  }
}

locals {
  mail_from   = coalesce(var.mail_from, "welcome@${var.domain_name}")
  mail_domain = split("@", local.mail_from)[1]
  in_zone     = local.mail_domain == var.domain_name || endswith(local.mail_domain, ".${var.domain_name}")
}

# Easy DKIM gives three tokens.
resource "aws_route53_record" "dkim" {
  count   = var.create_mail_identity && local.in_zone ? 3 : 0
  zone_id = local.zone_id
  name    = "${aws_sesv2_email_identity.this[0].dkim_signing_attributes[0].tokens[count.index]}._domainkey.${local.mail_domain}"
  type    = "CNAME"
  ttl     = 600
  records = ["${aws_sesv2_email_identity.this[0].dkim_signing_attributes[0].tokens[count.index]}.dkim.amazonses.com"]
}
