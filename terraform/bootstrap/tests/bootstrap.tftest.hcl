mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  environment = "production"
}

run "by_default" {
  command = apply

  assert {
    condition     = output.bucket == "tenantry-production-terraform-state-123456789012-eu-central-1" && output.lock_table == "tenantry-production-terraform-locks"
    error_message = "names: ${output.bucket}, ${output.lock_table}"
  }

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "the bucket has no versions: a state that is broken cannot be taken back"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls,
      aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls,
      aws_s3_bucket_public_access_block.state.restrict_public_buckets,
      aws_s3_bucket_ownership_controls.state.rule[0].object_ownership == "BucketOwnerEnforced",
    ])
    error_message = "the bucket can be made public"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_server_side_encryption_configuration.state.rule : rule.apply_server_side_encryption_by_default[0].sse_algorithm] == ["AES256"]
    error_message = "the bucket is not encrypted"
  }

  assert {
    condition = {
      for statement in jsondecode(aws_s3_bucket_policy.state.policy).Statement : statement.Sid => [statement.Effect, statement.Principal, statement.Resource]
      } == {
      for sid in ["TlsOnly", "Tls12"] : sid => ["Deny", "*", ["arn:aws:s3:::${output.bucket}", "arn:aws:s3:::${output.bucket}/*"]]
    }
    error_message = "the bucket can be reached without TLS: ${aws_s3_bucket_policy.state.policy}"
  }

  # R-TF-06.
  assert {
    condition = [
      aws_dynamodb_table.locks[0].hash_key, tolist(aws_dynamodb_table.locks[0].attribute)[0].name, tolist(aws_dynamodb_table.locks[0].attribute)[0].type,
      tostring(aws_dynamodb_table.locks[0].read_capacity), tostring(aws_dynamodb_table.locks[0].write_capacity),
    ] == ["LockID", "LockID", "S", "5", "5"]
    error_message = "the table of the locks is not what Terraform and R-TF-06 want"
  }

  assert {
    condition     = output.backend_hcl == <<-HCL
      bucket       = "tenantry-production-terraform-state-123456789012-eu-central-1"
      region       = "eu-central-1"
      encrypt      = true
      use_lockfile = true
      dynamodb_table = "tenantry-production-terraform-locks"
    HCL
    error_message = output.backend_hcl
  }
}

run "a_lock_file_alone_and_a_key_of_ones_own" {
  command = apply

  variables {
    lock_with   = ["s3"]
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = output.lock_table == null && length(aws_dynamodb_table.locks) == 0
    error_message = "there is a table"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_server_side_encryption_configuration.state.rule : rule.apply_server_side_encryption_by_default[0].kms_master_key_id] == [var.kms_key_arn]
    error_message = "the bucket has another key"
  }

  assert {
    condition     = strcontains(output.backend_hcl, "kms_key_id   = \"${var.kms_key_arn}\"\nuse_lockfile = true\n") && !strcontains(output.backend_hcl, "dynamodb_table")
    error_message = output.backend_hcl
  }
}

run "values_that_cannot_be_are_refused" {
  command = plan

  variables {
    name             = "Tenantry"
    environment      = "1st"
    lock_with        = []
    old_version_days = 1
    kms_key_arn      = "alias/mine"
  }

  expect_failures = [var.name, var.environment, var.lock_with, var.old_version_days, var.kms_key_arn]
}
