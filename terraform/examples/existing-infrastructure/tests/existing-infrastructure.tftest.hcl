mock_provider "aws" {
  source = "../../mocks"
}

variables {
  vpc_id                      = "vpc-1"
  private_subnet_ids          = ["subnet-a", "subnet-b"]
  alb_arn                     = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/given/0123456789abcdef"
  route53_zone_id             = "Z0GIVEN"
  domain_name                 = "tenants.example.com"
  template_role_arns          = ["arn:aws:iam::123456789012:role/template-task"]
  template_image_repositories = ["123456789012.dkr.ecr.eu-central-1.amazonaws.com/backend"]
  task_security_group_ids     = ["sg-tasks"]
  tenant_database             = { host = "db.example.internal", name = "tenants" }
  access                      = { service_keys = true }
  temporal                    = { address = "temporal.example.internal:7233", namespace = "tenantry", tls = false }
  database_ca_file            = "tests/ca.pem"
  image                       = "tenantry:1"
}

run "everything_stays" {
  command = apply

  assert {
    condition     = [output.platform.cells[0].cluster, output.platform.cells[0].loadBalancers[0].arn, output.platform.cells[0].hostedZone.id] == ["moamalat-cluster", var.alb_arn, "Z0GIVEN"]
    error_message = jsonencode(output.platform)
  }

  assert {
    condition     = jsonencode(output.platform.cells[0].templateServices) == jsonencode({ moamalat = { backend = "moamalat-company-x", frontend = "moamalat-company-x-frontend" } }) && output.platform.cells[0].securityGroupIds[0] == "sg-tasks"
    error_message = jsonencode(output.platform)
  }

  assert {
    condition     = output.registration_lambda_arn == output.api_service_arn && output.tenants_table_name == "tenants"
    error_message = "the outputs of R-TF-03"
  }

  # Its login is made by hand, so its URL is asked for.
  assert {
    condition     = [for secret in output.secrets_to_fill : secret.value if secret.from == "TENANT_DATABASE_URL"] == ["given"]
    error_message = jsonencode(output.secrets_to_fill)
  }
}
