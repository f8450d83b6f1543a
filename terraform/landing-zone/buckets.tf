locals {
  wanted_buckets = merge(
    { for bucket in local.makes_alb ? ["access_logs"] : [] : bucket => "${local.prefix}-${var.cell_id}-logs-${local.account_id}-${local.region}" },
    { for bucket in var.archive == null ? [] : ["archive"] : bucket => coalesce(var.archive.bucket_name, "${local.prefix}-${var.cell_id}-archive-${local.account_id}-${local.region}") },
  )
  # S3 takes 63 characters.
  buckets     = { for bucket, name in local.wanted_buckets : bucket => length(name) <= 63 ? name : "${substr(name, 0, 50)}-${substr(sha256(name), 0, 12)}" }
  bucket_arns = { for bucket, name in local.buckets : bucket => "arn:${local.partition}:s3:::${name}" }
  tls_only = {
    for bucket, arn in local.bucket_arns : bucket => {
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
  }
}

resource "aws_s3_bucket" "access_logs" {
  count  = local.makes_alb ? 1 : 0
  bucket = local.buckets["access_logs"]
  tags   = local.tags
}

# Final dumps of deleted tenants. No role of tenants has rights here.
resource "aws_s3_bucket" "archive" {
  count  = var.archive == null ? 0 : 1
  bucket = local.buckets["archive"]
  tags   = local.tags
}

locals {
  bucket_ids = merge(
    { for bucket in aws_s3_bucket.access_logs : "access_logs" => bucket.id },
    { for bucket in aws_s3_bucket.archive : "archive" => bucket.id },
  )
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each                = local.buckets
  bucket                  = local.bucket_ids[each.key]
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets
  bucket   = local.bucket_ids[each.key]

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# Load balancers write with S3's own keys only.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets
  bucket   = local.bucket_ids[each.key]

  rule {
    bucket_key_enabled = each.key == "archive" && var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = each.key == "archive" && var.kms_key_arn != null ? "aws:kms" : "AES256"
      kms_master_key_id = each.key == "archive" ? var.kms_key_arn : null
    }
  }
}

resource "aws_s3_bucket_versioning" "archive" {
  count  = var.archive == null ? 0 : 1
  bucket = aws_s3_bucket.archive[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

# Workers delete dumps when they are due, with their versions; this is for what they cannot see.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets
  bucket   = local.bucket_ids[each.key]

  rule {
    id     = "broken-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # A net below the workers, not in their place.
  dynamic "rule" {
    for_each = each.key == "archive" ? [var.archive.retention_days * 2] : []
    content {
      id     = "forgotten-dumps"
      status = "Enabled"

      filter {}

      expiration {
        days = rule.value
      }

      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = each.key == "access_logs" ? [var.access_log_days] : []
    content {
      id     = "old-logs"
      status = "Enabled"

      filter {}

      expiration {
        days = rule.value
      }
    }
  }
}

resource "aws_s3_bucket_policy" "archive" {
  count      = var.archive == null ? 0 : 1
  bucket     = aws_s3_bucket.archive[0].id
  policy     = jsonencode({ Version = "2012-10-17", Statement = [local.tls_only["archive"]] })
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_policy" "access_logs" {
  count  = local.makes_alb ? 1 : 0
  bucket = aws_s3_bucket.access_logs[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [local.tls_only["access_logs"], {
      Sid       = "LoadBalancersWrite"
      Effect    = "Allow"
      Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = ["${local.bucket_arns["access_logs"]}/*/AWSLogs/${local.account_id}/*"]
      Condition = { ArnLike = { "aws:SourceArn" = "arn:${local.partition}:elasticloadbalancing:${local.region}:${local.account_id}:loadbalancer/*" } }
    }]
  })
  depends_on = [aws_s3_bucket_public_access_block.this]
}
