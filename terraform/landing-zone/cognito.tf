# For products to come, whose tenants' users sign in to one pool.
resource "aws_cognito_user_pool" "this" {
  for_each            = { for pool in var.cognito == null ? [] : [var.cognito] : "pool" => pool }
  name                = local.prefix
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  mfa_configuration   = each.value.mfa
  username_attributes = ["email"]
  tags                = local.tags

  auto_verified_attributes = ["email"]

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 7
  }

  software_token_mfa_configuration {
    enabled = each.value.mfa != "OFF"
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  for_each     = { for pool in var.cognito == null ? [] : [var.cognito] : "pool" => pool if pool.domain != null }
  domain       = each.value.domain
  user_pool_id = aws_cognito_user_pool.this["pool"].id
}
