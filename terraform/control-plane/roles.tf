locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })

  # Table 45.6 by process: a worker has the roles that it is given, and the preflight looks at what all of them use.
  roles_of  = merge({ for name, worker in var.workers : "worker-${name}" => worker.roles }, { doctor = local.all_roles })
  all_roles = ["provisioning", "data", "status-checker", "notify", "registry-writer"]

  # A name that is known before anything is made for each policy of each process.
  attachments = merge(flatten([
    for process, roles in local.roles_of : [
      for role in roles : { for number, arn in lookup(var.role_policy_arns, role, []) : "${process} ${role} ${number}" => { process = process, arn = arn } }
    ]
  ])...)

  task_role_arns = merge({ for process, role in aws_iam_role.worker : process => role.arn }, { api = aws_iam_role.api.arn, migrate = aws_iam_role.api.arn })
}

# R-SEC-10: the API and migrations hold no rights in AWS.
resource "aws_iam_role" "api" {
  name               = "${local.prefix}-tenant-api"
  assume_role_policy = local.trust
  tags               = local.tags
}

resource "aws_iam_role" "worker" {
  for_each           = local.roles_of
  name               = "${local.prefix}-${each.key}"
  assume_role_policy = local.trust
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "worker" {
  for_each   = local.attachments
  role       = aws_iam_role.worker[each.value.process].name
  policy_arn = each.value.arn
}

# Cells beside the first, and those in other accounts.
resource "aws_iam_role_policy" "cells" {
  for_each = length(var.cell_role_arns) > 0 ? local.roles_of : {}
  name     = "cells"
  role     = aws_iam_role.worker[each.key].id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole"], Resource = values(var.cell_role_arns) }]
  })
}

# What ECS does to start a process: image, logs, and the secrets that this process has.
resource "aws_iam_role" "execution" {
  for_each           = local.secrets_of
  name               = "${local.prefix}-${each.key}-execution"
  assume_role_policy = local.trust
  tags               = local.tags
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.secrets_of
  name     = "start"
  role     = aws_iam_role.execution[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = ["*"]
      }, {
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = ["arn:${local.partition}:ecr:*:*:repository/*"]
      }, {
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = [for group in values(aws_cloudwatch_log_group.this) : "${group.arn}:*"]
      }, {
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = concat([for name in each.value : aws_secretsmanager_secret.this[local.secret_names[name]].arn], each.key == "migrate" ? local.setup_secret_arns : [])
      }, {
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = [aws_kms_key.this.arn]
    }]
  })
}
