# Where tenants are projected to, and who must see them reads (C-04: made here, or there already).
resource "aws_dynamodb_table" "tenants" {
  count                       = var.create_tenants_table ? 1 : 0
  name                        = var.tenants_table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  stream_enabled              = true
  stream_view_type            = "NEW_AND_OLD_IMAGES"
  deletion_protection_enabled = var.deletion_protection
  tags                        = local.tags

  dynamic "attribute" {
    for_each = toset(["PK", "SK", "GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK"])
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = toset(["GSI1", "GSI2"])
    content {
      name            = global_secondary_index.value
      hash_key        = "${global_secondary_index.value}PK"
      range_key       = "${global_secondary_index.value}SK"
      projection_type = "ALL"
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

data "aws_dynamodb_table" "tenants" {
  count = var.create_tenants_table || var.tenants_table_name == null ? 0 : 1
  name  = var.tenants_table_name

  lifecycle {
    postcondition {
      condition     = self.hash_key == "PK" && self.range_key == "SK"
      error_message = "Table ${var.tenants_table_name} has the key ${self.hash_key}, ${self.range_key}: the projection needs PK, SK (docs/projection.md). Name another one."
    }
  }
}

locals {
  tenants_table     = var.create_tenants_table ? aws_dynamodb_table.tenants[0].name : one(data.aws_dynamodb_table.tenants[*].name)
  tenants_table_arn = var.create_tenants_table ? aws_dynamodb_table.tenants[0].arn : one(data.aws_dynamodb_table.tenants[*].arn)
}

# The product `accounts`: its shared table, the template of private accounts, parameters and policies.
module "accounts" {
  source = "../accounts"
  count  = var.accounts == null ? 0 : 1

  enable_account_provisioning          = var.enable_account_provisioning
  default_private_account_billing_mode = var.default_private_account_billing_mode
  app_name                             = var.accounts.app_name
  environment                          = coalesce(var.accounts.environment, local.short_environment)
  shared_table_deletion_protection     = var.deletion_protection
  kms_key_arn                          = var.kms_key_arn
  private_table_kms_key_arn            = var.accounts.private_table_kms_key_arn
  tags                                 = local.tags
}

locals {
  # C-24: names of accounts have the short word.
  short_environment = lookup({ production = "prod", staging = "stage", development = "dev" }, var.environment, var.environment)
}
