mock_provider "aws" {
  source = "../../mocks"
}

variables {
  aws_region       = "eu-central-1"
  domain_name      = "tenants.example.com"
  domains          = { moamalat = "tenants.example.com" }
  templates        = { moamalat = { backend = { container_port = 8080 }, frontend = { container_port = 80 } } }
  access           = { service_keys = true }
  temporal         = { address = "acme.a1b2c.tmprl.cloud:7233", namespace = "acme.a1b2c", api_key = true }
  database_ca_file = "tests/ca.pem"
}

# `npm run lint:terraform` reads the output `platform` of each run as PLATFORM_CONFIG.
run "first_apply" {
  command = apply

  assert {
    condition     = output.api_service_arn == null && keys(output.run_task) == ["database-setup-control", "database-setup-tenants-primary"]
    error_message = jsonencode(keys(output.run_task))
  }

  assert {
    condition     = toset(keys(output.repository_urls)) == toset(["moamalat-backend", "moamalat-frontend", "tenantry"])
    error_message = jsonencode(keys(output.repository_urls))
  }
}

run "with_an_image" {
  command = apply

  variables {
    image        = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/tenantry@sha256:0123"
    running      = true
    api_internal = false
  }

  assert {
    condition     = output.registration_lambda_arn != null && keys(output.worker_service_arns) == ["all"] && output.tenants_table_name == "tenants"
    error_message = "the outputs of R-TF-03 and R-TF-12"
  }
}
