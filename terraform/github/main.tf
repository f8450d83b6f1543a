# What a workflow of GitHub Actions takes on, by OIDC: no access key is kept anywhere (C-32).

locals {
  issuer       = "token.actions.githubusercontent.com"
  provider_arn = var.create_provider ? aws_iam_openid_connect_provider.github[0].arn : data.aws_iam_openid_connect_provider.github[0].arn
}

# An account has one of them. AWS holds GitHub's certificate against its own list of authorities.
resource "aws_iam_openid_connect_provider" "github" {
  count          = var.create_provider ? 1 : 0
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
  tags           = var.tags
}

data "aws_iam_openid_connect_provider" "github" {
  count = var.create_provider ? 0 : 1
  url   = "https://${local.issuer}"
}

resource "aws_iam_role" "deploy" {
  name                 = var.role_name
  max_session_duration = 3600
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          # One environment of one repository each, never `*`: a pull request from a fork has a token, too.
          "${local.issuer}:sub" = [for environment in var.environments : "repo:${var.repository}:environment:${environment}"]
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "images" {
  name = "images"
  role = aws_iam_role.deploy.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = ["*"]
      }, {
      Effect = "Allow"
      Action = [
        "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
      ]
      Resource = var.repository_arns
    }]
  })
}

# What `terraform apply` of the control plane needs is the account's to say.
resource "aws_iam_role_policy_attachment" "deploy" {
  for_each   = var.policy_arns
  role       = aws_iam_role.deploy.name
  policy_arn = each.value
}
