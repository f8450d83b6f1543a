locals {
  arns = {
    # Of private accounts: stacks and tables have one name.
    stacks         = "arn:${local.partition}:cloudformation:${local.region}:${local.account_id}:stack/${local.prefix}-account-*/*"
    private_tables = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/${local.prefix}-account-*"
    shared_table   = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/${local.shared_table}"
    accounts       = "arn:${local.partition}:ssm:${local.region}:${local.account_id}:parameter/accounts/*"
    platform       = "arn:${local.partition}:ssm:${local.region}:${local.account_id}:parameter/platform/*"
    bucket         = "arn:${local.partition}:s3:::${local.bucket}"
    targets        = "arn:${local.partition}:application-autoscaling:${local.region}:${local.account_id}:scalable-target/*"
    alarms         = "arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:TargetTracking-table/${local.prefix}-account-*"
    scaling_role   = "arn:${local.partition}:iam::${local.account_id}:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
  }

  table_actions = {
    row    = ["GetItem", "BatchGetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "ConditionCheckItem"]
    look   = ["DescribeTable", "DescribeContinuousBackups", "DescribeTimeToLive", "ListTagsOfResource"]
    stream = ["DescribeStream", "GetShardIterator", "GetRecords"]
    # What CloudFormation's registry says that AWS::DynamoDB::Table needs, for what the template has.
    make = [
      "CreateTable", "UpdateTable", "DeleteTable", "DescribeTable", "TagResource", "UntagResource", "ListTagsOfResource",
      "UpdateContinuousBackups", "DescribeContinuousBackups", "DescribeTimeToLive", "DescribeContributorInsights",
      "DescribeKinesisStreamingDestination", "GetResourcePolicy",
    ]
  }

  # Workers read and write rows, and let DynamoDB use the key of a table that a stack makes.
  keys = distinct(compact([var.kms_key_arn, var.private_table_kms_key_arn]))

  # Rights that hold only for what CloudFormation does in the worker's name.
  by_cloudformation = { "ForAnyValue:StringEquals" = { "aws:CalledVia" = ["cloudformation.amazonaws.com"] } }
  this_template     = { StringLike = { "cloudformation:TemplateUrl" = ["https://${local.bucket}.s3.${local.region}.amazonaws.com/${local.template_key}*"] } }

  bucket_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.arns.bucket, "${local.arns.bucket}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }, {
      Sid       = "Tls12"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.arns.bucket, "${local.arns.bucket}/*"]
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
    }]
  })

  # Of services that look accounts up: the parameters of accounts, and those of the platform that the router reads (C-44).
  reader_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReadParameters"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter*"]
      Resource = [local.arns.accounts, local.arns.platform]
    }]
  })

  # Two policies of workers, because one of both would be longer than IAM takes where names are long.
  worker_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.worker_statements : statement if statement != null]
  })
  stack_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.stack_statements
  })

  worker_statements = [
    !var.enable_account_provisioning ? null : {
      Sid       = "CreateStacks"
      Effect    = "Allow"
      Action    = ["cloudformation:CreateStack"]
      Resource  = [local.arns.stacks]
      Condition = local.this_template
    },
    {
      Sid       = "PlanChangesOfStacks"
      Effect    = "Allow"
      Action    = ["cloudformation:CreateChangeSet"]
      Resource  = [local.arns.stacks]
      Condition = local.this_template
    },
    {
      Sid    = "KeepStacks"
      Effect = "Allow"
      Action = [for action in [
        "DescribeStacks", "DescribeStackEvents", "ListStackResources", "GetTemplate", "DescribeChangeSet", "ExecuteChangeSet",
        "DeleteStack", "UpdateTerminationProtection", "TagResource", "UntagResource",
      ] : "cloudformation:${action}"]
      Resource = [local.arns.stacks]
    },
    {
      Sid      = "ReadTemplate"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion"]
      Resource = ["${local.arns.bucket}/${local.template_key}"]
    },
    {
      Sid      = "Rows"
      Effect   = "Allow"
      Action   = [for action in concat(local.table_actions.row, local.table_actions.look) : "dynamodb:${action}"]
      Resource = flatten([for table in [local.arns.shared_table, local.arns.private_tables] : [table, "${table}/index/*"]])
    },
    {
      Sid      = "Streams"
      Effect   = "Allow"
      Action   = [for action in local.table_actions.stream : "dynamodb:${action}"]
      Resource = ["${local.arns.shared_table}/stream/*"]
    },
    {
      Sid      = "LiftProtectionOfTables"
      Effect   = "Allow"
      Action   = ["dynamodb:UpdateTable"]
      Resource = [local.arns.private_tables]
    },
    {
      Sid    = "Parameters"
      Effect = "Allow"
      Action = [for action in [
        "GetParameter", "GetParameters", "GetParametersByPath", "PutParameter", "DeleteParameter", "DeleteParameters",
        "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource",
      ] : "ssm:${action}"]
      Resource = [local.arns.accounts]
    },
    {
      Sid      = "PlatformParameters"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"]
      Resource = [local.arns.platform]
    },
    length(local.keys) == 0 ? null : {
      Sid       = "KeysOfTables"
      Effect    = "Allow"
      Action    = [for action in ["Decrypt", "Encrypt", "ReEncrypt*", "GenerateDataKey*", "DescribeKey", "CreateGrant"] : "kms:${action}"]
      Resource  = local.keys
      Condition = { StringLike = { "kms:ViaService" = ["dynamodb.${local.region}.*", "s3.${local.region}.*"] } }
    },
    # These name nothing that a resource could stand for: lists for the sweep of what is left.
    {
      Sid      = "Lists"
      Effect   = "Allow"
      Action   = ["cloudformation:DescribeStacks", "ssm:DescribeParameters", "dynamodb:ListTables"]
      Resource = ["*"]
    },
  ]

  # What the template makes.
  stack_statements = [
    {
      Sid       = "TablesOfStacks"
      Effect    = "Allow"
      Action    = [for action in local.table_actions.make : "dynamodb:${action}"]
      Resource  = [local.arns.private_tables, "${local.arns.private_tables}/index/*"]
      Condition = local.by_cloudformation
    },
    {
      Sid    = "ScalingOfStacks"
      Effect = "Allow"
      Action = [for action in [
        "RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy", "TagResource", "UntagResource",
        "ListTagsForResource",
      ] : "application-autoscaling:${action}"]
      Resource  = [local.arns.targets]
      Condition = local.by_cloudformation
    },
    {
      Sid       = "ScalingListsOfStacks"
      Effect    = "Allow"
      Action    = [for what in ["ScalableTargets", "ScalingPolicies", "ScheduledActions"] : "application-autoscaling:Describe${what}"]
      Resource  = ["*"]
      Condition = local.by_cloudformation
    },
    {
      Sid       = "AlarmsOfScaling"
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"]
      Resource  = [local.arns.alarms]
      Condition = local.by_cloudformation
    },
    {
      Sid       = "AlarmListsOfScaling"
      Effect    = "Allow"
      Action    = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"]
      Resource  = ["*"]
      Condition = local.by_cloudformation
    },
    {
      Sid       = "RoleOfScaling"
      Effect    = "Allow"
      Action    = ["iam:CreateServiceLinkedRole"]
      Resource  = [local.arns.scaling_role]
      Condition = { StringEquals = { "iam:AWSServiceName" = "dynamodb.application-autoscaling.amazonaws.com" } }
    },
  ]
}

resource "aws_iam_policy" "reader" {
  name        = "${local.prefix}-accounts-reader"
  description = "Looks accounts up: parameters of accounts and of the platform"
  policy      = local.reader_policy
  tags        = var.tags
}

resource "aws_iam_policy" "worker" {
  name        = "${local.prefix}-accounts-worker"
  description = "Makes, changes and removes accounts and their stacks"
  policy      = local.worker_policy
  tags        = var.tags
}

resource "aws_iam_policy" "stacks" {
  name        = "${local.prefix}-accounts-stacks"
  description = "What CloudFormation makes of private accounts in the worker's name"
  policy      = local.stack_policy
  tags        = var.tags
}
