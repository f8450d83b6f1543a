locals {
  tenant_boundary_arn = coalesce(var.permissions_boundary_arn, one(aws_iam_policy.tenant_boundary[*].arn))

  # Trust of a service of AWS.
  assumed_by = {
    for service in ["ecs-tasks", "vpc-flow-logs", "monitoring.rds"] : service => {
      Effect    = "Allow"
      Principal = { Service = "${service}.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }
  }
  # No service is made to use a role in somebody else's name.
  from_this_account = { Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } } }
}

# What code of tenants may do in AWS: nothing, unless policies are attached.
resource "aws_iam_role" "tenant_task" {
  name                 = "${local.prefix}-${var.cell_id}-tenant-task"
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [merge(local.assumed_by["ecs-tasks"], local.from_this_account)] })
  permissions_boundary = local.tenant_boundary_arn
  tags                 = local.tags
}

resource "aws_iam_role_policy_attachment" "tenant_task" {
  for_each   = var.tenant_task_policy_arns
  role       = aws_iam_role.tenant_task.name
  policy_arn = each.value
}

# What ECS does to start a task of a tenant.
resource "aws_iam_role" "tenant_execution" {
  name                 = "${local.prefix}-${var.cell_id}-tenant-execution"
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [merge(local.assumed_by["ecs-tasks"], local.from_this_account)] })
  permissions_boundary = local.tenant_boundary_arn
  tags                 = local.tags
}

resource "aws_iam_role_policy" "tenant_execution" {
  name = "start"
  role = aws_iam_role.tenant_execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid      = "Registry"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = ["*"]
      }, {
      Sid      = "Logs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:/ecs/*:log-stream:*"]
      }, {
      # A tenant's password; which one is in the task definition, and only workers register those.
      Sid      = "TenantSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = ["arn:${local.partition}:secretsmanager:${local.region}:${local.account_id}:secret:tenantry/*"]
      }], [for arns in length(local.repository_arns) > 0 ? [local.repository_arns] : [] : {
      Sid      = "Images"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = arns
    }])
  })
}

locals {
  # Of ECR, also in other accounts and regions: <account>.dkr.ecr.<region>.amazonaws.com/<name>.
  repository_arns = [
    for found in flatten([for repository in local.image_repositories : regexall("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.amazonaws\\.com[a-z.]*/(?P<name>.+)$", repository)]) :
    "arn:${local.partition}:ecr:${found.region}:${found.account}:repository/${found.name}"
  ]
}
