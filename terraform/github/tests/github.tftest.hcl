mock_provider "aws" {
  source = "../mocks"
}

variables {
  repository      = "acme/tenantry"
  environments    = ["production"]
  repository_arns = ["arn:aws:ecr:eu-central-1:123456789012:repository/tenantry"]
}

run "one_environment_of_one_repository" {
  command = apply

  assert {
    condition = jsondecode(aws_iam_role.deploy.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.github[0].arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = ["repo:acme/tenantry:environment:production"]
        }
      }
    }]
    error_message = aws_iam_role.deploy.assume_role_policy
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.images.policy).Statement : statement.Resource if contains(statement.Action, "ecr:PutImage")] == [["arn:aws:ecr:eu-central-1:123456789012:repository/tenantry"]]
    error_message = aws_iam_role_policy.images.policy
  }
}

run "wildcards_are_refused" {
  command = plan

  variables {
    repository      = "acme/*"
    environments    = ["*"]
    repository_arns = []
  }

  expect_failures = [var.repository, var.environments, var.repository_arns]
}
