data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.region

  prefix       = "${var.app_name}-${var.environment}"
  shared_table = coalesce(var.shared_table_name, "${local.prefix}-accounts")
  bucket       = coalesce(var.template_bucket_name, "${local.prefix}-templates-${local.account_id}-${local.region}")
  template     = "${path.module}/../../templates/private-account-dynamodb.yaml"
  template_key = "private-account-dynamodb.yaml"

  # What products and routers read. The platform description has the same values (output "cell").
  parameters = merge({
    "/platform/dynamodb/shared-table-name"                      = aws_dynamodb_table.shared.name
    "/platform/dynamodb/shared-table-arn"                       = aws_dynamodb_table.shared.arn
    "/platform/dynamodb/shared-table-stream-arn"                = aws_dynamodb_table.shared.stream_arn
    "/platform/dynamodb/default-billing-mode"                   = var.default_private_account_billing_mode
    "/platform/dynamodb/router-lease-seconds"                   = tostring(var.router_lease_seconds)
    "/platform/cloudformation/template-bucket"                  = aws_s3_bucket.templates.bucket
    "/platform/cloudformation/private-account-template-key"     = aws_s3_object.template.key
    "/platform/cloudformation/private-account-template-version" = aws_s3_object.template.version_id
    "/platform/accounts/moved-rows-hold-seconds"                = tostring(var.moved_rows_hold_seconds)
    "/platform/accounts/app-name"                               = var.app_name
    "/platform/accounts/environment"                            = var.environment
    }, var.private_table_kms_key_arn == null ? {} : {
    "/platform/dynamodb/private-table-kms-key-arn" = var.private_table_kms_key_arn
  })
}

# The rows of public accounts, and the admin rows of all.
resource "aws_dynamodb_table" "shared" {
  name                        = local.shared_table
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  stream_enabled              = true
  stream_view_type            = "NEW_AND_OLD_IMAGES"
  deletion_protection_enabled = var.shared_table_deletion_protection
  tags                        = var.tags

  dynamic "attribute" {
    for_each = toset(["PK", "SK", "GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK", "GSI3PK", "GSI3SK"])
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = toset(["GSI1", "GSI2", "GSI3"])
    content {
      name            = global_secondary_index.value
      hash_key        = "${global_secondary_index.value}PK"
      range_key       = "${global_secondary_index.value}SK"
      projection_type = "ALL"
    }
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = var.shared_table_recovery_days
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

resource "aws_s3_bucket" "templates" {
  bucket = local.bucket
  tags   = var.tags

  lifecycle {
    precondition {
      condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", local.bucket))
      error_message = "The bucket's name would be ${local.bucket}: give one of 3 to 63 characters by template_bucket_name."
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "templates" {
  bucket = aws_s3_bucket.templates.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "templates" {
  bucket = aws_s3_bucket.templates.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Stacks name the version of the template that they are made of.
resource "aws_s3_bucket_versioning" "templates" {
  bucket = aws_s3_bucket.templates.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "templates" {
  bucket = aws_s3_bucket.templates.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "templates" {
  bucket = aws_s3_bucket.templates.id
  policy = local.bucket_policy

  # S3 takes a policy and this block in turn only.
  depends_on = [aws_s3_bucket_public_access_block.templates]
}

resource "aws_s3_object" "template" {
  bucket       = aws_s3_bucket.templates.id
  key          = local.template_key
  source       = local.template
  source_hash  = filesha256(local.template)
  content_type = "application/yaml"
  tags         = var.tags

  # Without versions the first upload would have no version's id; without the rest it would be less well kept than later ones.
  depends_on = [
    aws_s3_bucket_versioning.templates,
    aws_s3_bucket_server_side_encryption_configuration.templates,
    aws_s3_bucket_policy.templates,
  ]
}

resource "aws_ssm_parameter" "platform" {
  for_each = local.parameters

  name = each.key
  type = "String"
  # None of them is a secret: plans show what changes.
  insecure_value = each.value
  tags           = var.tags
}
