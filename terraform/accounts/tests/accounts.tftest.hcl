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
  mock_resource "aws_dynamodb_table" {
    defaults = {
      arn        = "arn:aws:dynamodb:eu-central-1:123456789012:table/app-prod-accounts"
      stream_arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/app-prod-accounts/stream/2026-01-01T00:00:00.000"
    }
  }
  mock_resource "aws_s3_object" {
    defaults = { version_id = "v1" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mock" }
  }
}

# One run for all that holds by default: each starts the provider anew, which takes seconds.
run "by_default" {
  command = apply

  # The platform description and SSM have the same values.
  assert {
    condition = output.cell.ssmParameters == {
      "/platform/dynamodb/shared-table-name"                      = "app-prod-accounts"
      "/platform/dynamodb/shared-table-arn"                       = "arn:aws:dynamodb:eu-central-1:123456789012:table/app-prod-accounts"
      "/platform/dynamodb/shared-table-stream-arn"                = "arn:aws:dynamodb:eu-central-1:123456789012:table/app-prod-accounts/stream/2026-01-01T00:00:00.000"
      "/platform/dynamodb/default-billing-mode"                   = "PAY_PER_REQUEST"
      "/platform/dynamodb/router-lease-seconds"                   = "600"
      "/platform/cloudformation/template-bucket"                  = "app-prod-templates-123456789012-eu-central-1"
      "/platform/cloudformation/private-account-template-key"     = "private-account-dynamodb.yaml"
      "/platform/cloudformation/private-account-template-version" = "v1"
      "/platform/accounts/moved-rows-hold-seconds"                = "900"
      "/platform/accounts/app-name"                               = "app"
      "/platform/accounts/environment"                            = "prod"
    }
    error_message = "ssmParameters are not what products read: ${jsonencode(output.cell.ssmParameters)}"
  }

  assert {
    condition     = { for name, one in aws_ssm_parameter.platform : one.name => one.insecure_value if one.type == "String" } == output.cell.ssmParameters
    error_message = "SSM has other values than the platform description"
  }

  assert {
    condition     = output.cell.sharedTables == [aws_dynamodb_table.shared.name]
    error_message = "sharedTables does not list the shared table"
  }

  assert {
    condition     = output.environment.TENANTRY_ENABLE_ACCOUNT_PROVISIONING == "true"
    error_message = "the API is not told that accounts may be made"
  }

  # The shared table has the structure of private ones.
  assert {
    condition     = [aws_dynamodb_table.shared.hash_key, aws_dynamodb_table.shared.range_key] == ["PK", "SK"]
    error_message = "the key is not PK and SK"
  }

  assert {
    condition = {
      for index in aws_dynamodb_table.shared.global_secondary_index : index.name => "${index.hash_key} ${index.range_key} ${index.projection_type}"
      } == {
      GSI1 = "GSI1PK GSI1SK ALL"
      GSI2 = "GSI2PK GSI2SK ALL"
      GSI3 = "GSI3PK GSI3SK ALL"
    }
    error_message = "the indexes are not those of the template"
  }

  assert {
    condition     = toset([for one in aws_dynamodb_table.shared.attribute : one.name]) == toset(flatten([for index in ["", "GSI1", "GSI2", "GSI3"] : ["${index}PK", "${index}SK"]]))
    error_message = "attributes and keys differ"
  }

  assert {
    condition = alltrue([
      aws_dynamodb_table.shared.deletion_protection_enabled,
      aws_dynamodb_table.shared.stream_enabled,
      aws_dynamodb_table.shared.stream_view_type == "NEW_AND_OLD_IMAGES",
      aws_dynamodb_table.shared.point_in_time_recovery[0].enabled,
      aws_dynamodb_table.shared.server_side_encryption[0].enabled,
    ])
    error_message = "protection, stream, recovery or encryption is missing"
  }

  # The bucket is private, versioned, encrypted and reached by TLS only.
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.templates.block_public_acls,
      aws_s3_bucket_public_access_block.templates.block_public_policy,
      aws_s3_bucket_public_access_block.templates.ignore_public_acls,
      aws_s3_bucket_public_access_block.templates.restrict_public_buckets,
      aws_s3_bucket_ownership_controls.templates.rule[0].object_ownership == "BucketOwnerEnforced",
    ])
    error_message = "the bucket can be made public"
  }

  assert {
    condition     = aws_s3_bucket_versioning.templates.versioning_configuration[0].status == "Enabled"
    error_message = "the bucket has no versions"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_server_side_encryption_configuration.templates.rule : rule.apply_server_side_encryption_by_default[0].sse_algorithm] == ["AES256"]
    error_message = "the bucket is not encrypted"
  }

  assert {
    condition = anytrue([
      for statement in jsondecode(aws_s3_bucket_policy.templates.policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && try(statement.Condition.Bool["aws:SecureTransport"] == "false", false)
      && contains(statement.Resource, "arn:aws:s3:::app-prod-templates-123456789012-eu-central-1/*")
    ])
    error_message = "the bucket can be reached without TLS"
  }

  assert {
    condition     = aws_s3_object.template.source_hash == filesha256("../../templates/private-account-dynamodb.yaml")
    error_message = "the object is not the template of this version"
  }

  # Readers read parameters of accounts and of the platform, and nothing else.
  assert {
    condition = jsondecode(aws_iam_policy.reader.policy).Statement == [{
      Sid    = "ReadParameters"
      Effect = "Allow"
      Action = ["ssm:GetParameter*"]
      Resource = [
        "arn:aws:ssm:eu-central-1:123456789012:parameter/accounts/*",
        "arn:aws:ssm:eu-central-1:123456789012:parameter/platform/*",
      ]
    }]
    error_message = "readers' policy: ${aws_iam_policy.reader.policy}"
  }

  # Workers make stacks of this template under the names of accounts only.
  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.worker.policy).Statement : [statement.Resource, statement.Condition.StringLike]
      if contains(statement.Action, "cloudformation:CreateStack")
      ] == [[
        ["arn:aws:cloudformation:eu-central-1:123456789012:stack/app-prod-account-*/*"],
        { "cloudformation:TemplateUrl" = ["https://app-prod-templates-123456789012-eu-central-1.s3.eu-central-1.amazonaws.com/private-account-dynamodb.yaml*"] },
    ]]
    error_message = "stacks of other templates or names can be made"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.stacks.policy).Statement :
      try(statement.Condition["ForAnyValue:StringEquals"]["aws:CalledVia"] == ["cloudformation.amazonaws.com"], false)
      if statement.Sid != "RoleOfScaling"
    ])
    error_message = "what a stack makes can be made past CloudFormation"
  }

  assert {
    condition     = length(setintersection(["dynamodb:CreateTable", "dynamodb:DeleteTable"], flatten([for statement in jsondecode(aws_iam_policy.worker.policy).Statement : statement.Action]))) == 0
    error_message = "workers can make tables past CloudFormation"
  }

  assert {
    condition = alltrue([
      for statement in concat(jsondecode(aws_iam_policy.worker.policy).Statement, jsondecode(aws_iam_policy.stacks.policy).Statement) :
      !contains(statement.Resource, "*") || alltrue([for action in statement.Action : can(regex(":(Describe|List|GetMetricData)", action))])
    ])
    error_message = "more than lists is allowed on every resource"
  }
}

run "without_provisioning_nothing_is_made_and_what_exists_can_go" {
  command = apply

  variables {
    enable_account_provisioning = false
  }

  assert {
    condition     = output.environment.TENANTRY_ENABLE_ACCOUNT_PROVISIONING == "false"
    error_message = "the API is not told"
  }

  assert {
    condition     = !contains(flatten([for statement in jsondecode(output.policy_documents.worker).Statement : statement.Action]), "cloudformation:CreateStack")
    error_message = "stacks can still be made"
  }

  assert {
    condition = length(setsubtract(
      ["cloudformation:DeleteStack", "dynamodb:UpdateTable", "ssm:DeleteParameters", "dynamodb:DeleteTable"],
      flatten([for policy in ["worker", "stacks"] : [for statement in jsondecode(output.policy_documents[policy]).Statement : statement.Action]]),
    )) == 0
    error_message = "accounts cannot be removed any more"
  }

  assert {
    condition     = length(aws_ssm_parameter.platform) == 11 && aws_s3_object.template.key == "private-account-dynamodb.yaml"
    error_message = "something that exists would go"
  }
}

run "a_key_of_ones_own_encrypts_table_and_bucket_and_long_names_fit" {
  command = apply

  variables {
    kms_key_arn                          = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    private_table_kms_key_arn            = "arn:aws:kms:eu-central-1:123456789012:key/66666666-2222-3333-4444-555555555555"
    default_private_account_billing_mode = "PROVISIONED"
    app_name                             = "an-application-with-a-long-name1"
    environment                          = "an-environment-with-a-long-name1"
    template_bucket_name                 = "templates"
  }

  assert {
    condition     = alltrue([for policy in values(output.policy_documents) : length(policy) <= 6144])
    error_message = "IAM takes policies of 6,144 characters, these have ${join(", ", [for policy in values(output.policy_documents) : length(policy)])}"
  }

  assert {
    condition     = aws_dynamodb_table.shared.server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "the table has another key"
  }

  assert {
    condition     = [for rule in aws_s3_bucket_server_side_encryption_configuration.templates.rule : rule.apply_server_side_encryption_by_default[0].kms_master_key_id] == [var.kms_key_arn]
    error_message = "the bucket has another key"
  }

  assert {
    condition     = length(setsubtract([var.kms_key_arn, var.private_table_kms_key_arn], flatten([for statement in jsondecode(output.policy_documents.worker).Statement : statement.Resource]))) == 0
    error_message = "workers cannot use the key"
  }

  assert {
    condition     = output.cell.ssmParameters["/platform/dynamodb/default-billing-mode"] == "PROVISIONED"
    error_message = "the billing mode is not passed on"
  }
}

run "values_that_cannot_be_are_refused" {
  command = plan

  variables {
    default_private_account_billing_mode = "ON_DEMAND"
    app_name                             = "App"
    environment                          = "1st"
    shared_table_name                    = "app-prod-account-shared"
    shared_table_recovery_days           = 36
    router_lease_seconds                 = 1.5
    moved_rows_hold_seconds              = 0
    kms_key_arn                          = "alias/mine"
    private_table_kms_key_arn            = "alias/theirs"
  }

  expect_failures = [
    var.default_private_account_billing_mode,
    var.app_name,
    var.environment,
    var.shared_table_name,
    var.shared_table_recovery_days,
    var.router_lease_seconds,
    var.moved_rows_hold_seconds,
    var.kms_key_arn,
    var.private_table_kms_key_arn,
  ]
}

run "a_bucket_name_that_is_too_long_is_refused" {
  command = plan

  variables {
    app_name    = "an-application-with-a-long-name1"
    environment = "an-environment-with-a-long-name1"
  }

  expect_failures = [aws_s3_bucket.templates]
}
