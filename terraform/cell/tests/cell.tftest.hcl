mock_provider "aws" {
  source = "../mocks"
}

variables {
  environment      = "production"
  cell_id          = "eu"
  domain_name      = "tenants.example.com"
  domains          = { moamalat = "tenants.example.com" }
  vpc_cidr         = "10.43.0.0/16"
  existing         = { route53_zone_id = "Z1" }
  templates        = { moamalat = { backend = { container_port = 8080 }, frontend = { container_port = 80 } } }
  tenant_databases = { eu = {} }
  worker_role_arns = ["arn:aws:iam::123456789012:role/tenantry-production-worker-all"]
  worker_cidrs     = ["10.42.0.0/16"]
  platform = {
    version = 1
    cells = [{
      id                       = "default"
      environment              = "production"
      accountId                = "123456789012"
      region                   = "us-east-1"
      vpcId                    = "vpc-1"
      subnetIds                = ["subnet-1"]
      securityGroupIds         = ["sg-1"]
      cluster                  = "first"
      allowedRoleArns          = []
      allowedImageRepositories = []
      templateServices         = {}
      loadBalancers = [{
        arn                   = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/first/1"
        dnsName               = "first.example.com"
        canonicalHostedZoneId = "Z2"
        httpsListenerArn      = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/first/1/2"
        certificateArn        = "arn:aws:acm:us-east-1:123456789012:certificate/1"
      }]
      hostedZone      = { id = "Z1", name = "tenants.example.com" }
      domains         = { moamalat = "tenants.example.com" }
      tenantDatabases = [{ id = "primary", host = "first.example.internal", port = 5432, name = "tenants" }]
      mailFrom        = "welcome@tenants.example.com"
    }]
  }
}

# The platform description has both cells: `npm run lint:terraform` reads it.
run "a_second_cell" {
  command = apply

  assert {
    condition     = output.platform.cells[*].id == tolist(["default", "eu"]) || [for cell in output.platform.cells : cell.id] == ["default", "eu"]
    error_message = jsonencode([for cell in output.platform.cells : cell.id])
  }

  assert {
    condition     = output.cell.roleArn == output.cell_role_arn && output.cell.hostedZone.id == "Z1" && output.name_servers == null
    error_message = "workers do not take on the role of the cell, or it has a zone of its own"
  }

  assert {
    condition     = keys(output.tenant_databases) == ["eu"] && output.tenant_databases.eu.security_group_id == null
    error_message = jsonencode(output.tenant_databases)
  }
}

run "a_cell_that_is_there_is_refused" {
  command = plan

  variables {
    cell_id          = "default"
    worker_role_arns = []
  }

  expect_failures = [var.platform, var.worker_role_arns]
}

run "a_database_that_another_cell_has_is_refused" {
  command = plan

  variables {
    tenant_databases = { primary = {} }
  }

  expect_failures = [var.tenant_databases]
}

run "a_cell_that_is_evacuated" {
  command = apply

  variables {
    accepts_tenants = false
  }

  assert {
    condition     = output.platform.cells[1].acceptsTenants == false && !can(output.platform.cells[0].acceptsTenants)
    error_message = "the platform description does not say that the cell takes no tenants"
  }
}
