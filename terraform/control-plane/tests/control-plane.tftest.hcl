mock_provider "aws" {
  source = "../mocks"
}

variables {
  environment        = "production"
  image              = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/tenantry@sha256:0123"
  vpc_id             = "vpc-1"
  vpc_cidr           = "10.42.0.0/16"
  private_subnet_ids = ["subnet-a", "subnet-b"]
  database_ca_pem    = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
  platform           = { version = 1, cells = [{ id = "default" }] }
  api                = { host = "tenantry.example.com", route53_zone_id = "Z1" }
  access             = { oidc_issuer = "https://login.example.com", oidc_audience = "https://tenantry.example.com" }
  temporal           = { address = "acme.a1b2c.tmprl.cloud:7233", namespace = "acme.a1b2c", api_key = true }
  tenant_databases = {
    primary = { host = "tenants.example.internal", identifier = "tenants", security_group_id = "sg-tenants", master_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:master" }
  }
  role_policy_arns = {
    for role in ["provisioning", "data", "status-checker", "notify", "registry-writer"] : role => ["arn:aws:iam::123456789012:policy/${role}"]
  }
  tenant_load_balancer_arns = { "1" = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/tenants/0123456789abcdef" }
  alarm_emails              = ["ops@example.com"]
  billing                   = { budget_usd = 500 }
  dashboard_tables          = ["app-prod-accounts"]
  access_logs_bucket        = "logs"
}

run "by_default" {
  command = apply

  # R-SEC-10: the API holds no rights in AWS; workers have those of all roles until queues are separated.
  assert {
    condition     = toset([for attachment in values(aws_iam_role_policy_attachment.worker) : attachment.policy_arn if attachment.role == aws_iam_role.worker["worker-all"].name]) == toset([for arns in values(var.role_policy_arns) : arns[0]])
    error_message = "the workers' role lacks a policy, or has others"
  }

  assert {
    condition     = alltrue([for attachment in values(aws_iam_role_policy_attachment.worker) : attachment.role != aws_iam_role.api.name]) && length(aws_iam_role_policy.cells) == 0
    error_message = "the API has rights in AWS"
  }

  # What each process is told, and which secrets it gets.
  assert {
    condition = {
      for family in ["api", "worker-all", "migrate"] : family => toset([for secret in jsondecode(aws_ecs_task_definition.this[family].container_definitions)[1].secrets : secret.name])
      } == {
      api        = toset(["DATABASE_URL", "TEMPORAL_API_KEY", "TENANTRY_PAYLOAD_KEY"])
      worker-all = toset(["DATABASE_URL", "TEMPORAL_API_KEY", "TENANTRY_PAYLOAD_KEY", "TENANT_DATABASE_URL"])
      migrate    = toset(["DATABASE_URL"])
    }
    error_message = "a process lacks a secret, or has one that it does not need"
  }

  assert {
    condition = {
      for variable in jsondecode(aws_ecs_task_definition.this["api"].container_definitions)[1].environment : variable.name => variable.value
      } == {
      LOG_LEVEL                            = "info"
      NODE_EXTRA_CA_CERTS                  = "/config/database-ca.pem"
      PLATFORM_CONFIG                      = "/config/platform.json"
      TEMPORAL_ADDRESS                     = "acme.a1b2c.tmprl.cloud:7233"
      TEMPORAL_NAMESPACE                   = "acme.a1b2c"
      TEMPORAL_TLS                         = "true"
      TENANTRY_API_HOST                    = "0.0.0.0"
      TENANTRY_API_PORT                    = "3006"
      TENANTRY_DRAIN_DELAY                 = "10s"
      TENANTRY_ENABLE_ACCOUNT_PROVISIONING = "false"
      TENANTRY_OIDC_AUDIENCE               = "https://tenantry.example.com"
      TENANTRY_OIDC_ISSUER                 = "https://login.example.com"
      TENANTRY_PUBLIC_HOSTS                = "tenantry.example.com"
      TENANTRY_SERVICE_KEYS                = "false"
      TENANTRY_TRUSTED_PROXIES             = "10.42.0.0/16"
    }
    error_message = jsonencode(jsondecode(aws_ecs_task_definition.this["api"].container_definitions)[1].environment)
  }

  assert {
    condition     = { for variable in jsondecode(aws_ecs_task_definition.this["worker-all"].container_definitions)[0].environment : variable.name => variable.value }.PLATFORM == jsonencode(var.platform)
    error_message = "the platform description does not reach the workers as it is"
  }

  assert {
    condition = alltrue([
      for definition in values(aws_ecs_task_definition.this) : alltrue([
        for container in slice(jsondecode(definition.container_definitions), 1, 2) :
        container.readonlyRootFilesystem && !contains(keys(container), "user") && container.linuxParameters.capabilities.drop == ["ALL"] && container.dependsOn == [{ condition = "SUCCESS", containerName = "files" }]
      ])
    ])
    error_message = "a process may write its image, or starts before its files are there"
  }

  assert {
    condition     = aws_ecs_service.api[0].deployment_circuit_breaker[0].rollback && alltrue([for service in values(aws_ecs_service.worker) : service.deployment_circuit_breaker[0].enable && service.wait_for_steady_state && service.desired_count == 2])
    error_message = "a deployment that fails is not taken back"
  }

  # Who reaches what.
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.tenant_database)) == toset(["primary migrate", "primary worker"]) && alltrue([for rule in values(aws_vpc_security_group_ingress_rule.tenant_database) : rule.security_group_id == "sg-tenants"])
    error_message = "workers do not reach tenants' databases, or others do"
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.out)) == toset(["api 443", "api 7233", "worker 443", "worker 7233", "migrate 443"])
    error_message = jsonencode(keys(aws_vpc_security_group_egress_rule.out))
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.backup_retention_period == 35 && aws_db_instance.this.manage_master_user_password && !aws_db_instance.this.publicly_accessible
    error_message = "the system of record is open, in the clear, or not backed up"
  }

  assert {
    condition     = [for secret in output.secrets_to_fill : "${secret.name} ${secret.value}"] == ["database-url database-url", "temporal-api-key given", "payload-key payload-key", "tenant-database-url-primary database-url"]
    error_message = jsonencode(output.secrets_to_fill)
  }

  assert {
    condition     = keys(output.run_task) == ["database-setup-control", "database-setup-tenants-primary", "doctor", "migrate"]
    error_message = jsonencode(keys(output.run_task))
  }

  # R-COST-01, C-25.
  assert {
    condition = [
      aws_cloudwatch_metric_alarm.billing[0].region, aws_cloudwatch_metric_alarm.billing[0].namespace, aws_cloudwatch_metric_alarm.billing[0].metric_name, aws_cloudwatch_metric_alarm.billing[0].statistic,
      tostring(aws_cloudwatch_metric_alarm.billing[0].period), tostring(aws_cloudwatch_metric_alarm.billing[0].evaluation_periods), tostring(aws_cloudwatch_metric_alarm.billing[0].threshold),
      aws_cloudwatch_metric_alarm.billing[0].comparison_operator, aws_cloudwatch_metric_alarm.billing[0].dimensions.Currency, aws_sns_topic.billing[0].region,
    ] == ["us-east-1", "AWS/Billing", "EstimatedCharges", "Maximum", "86400", "1", "1000", "GreaterThanThreshold", "USD", "us-east-1"]
    error_message = "the alarm of the bill is another one"
  }

  assert {
    condition     = aws_lb.api.internal && aws_lb.api.access_logs[0].bucket == "logs" && aws_lb.api.access_logs[0].enabled
    error_message = "the API is open to the internet, or its load balancer logs nothing"
  }

  # U-53.
  assert {
    condition = alltrue([
      contains(keys(aws_cloudwatch_metric_alarm.alert), "operation-stuck"),
      aws_cloudwatch_metric_alarm.database_storage["control"].threshold == 50 * 1024 * 1024 * 1024 / 10,
      toset(keys(aws_cloudwatch_metric_alarm.errors)) == toset(["api", "tenants-1"]),
      tolist([for query in aws_cloudwatch_metric_alarm.errors["tenants-1"].metric_query : query.metric[0].dimensions.LoadBalancer if query.id == "requests"]) == tolist(["app/tenants/0123456789abcdef"]),
    ])
    error_message = "an alarm is missing, or looks elsewhere"
  }

  assert {
    condition     = toset(output.dashboards) == toset(["tenantry-production-platform", "tenantry-production-moamalat", "tenantry-production-accounts"]) && length(jsondecode(aws_cloudwatch_dashboard.this["accounts"].dashboard_body).widgets) == 4
    error_message = jsonencode(output.dashboards)
  }

  # R-TF-12.
  assert {
    condition     = output.registration_lambda_arn == output.api_service_arn && output.provisioning_lambda_arn == output.worker_service_arns.all && tolist(output.task_queue_names) == tolist(["tenantry", "tenantry-isolation"]) && output.temporal_namespace == "acme.a1b2c"
    error_message = "the outputs of R-TF-12, or their old names"
  }
}

run "before_there_is_an_image_and_with_several_cells" {
  command = apply

  variables {
    image            = null
    running          = false
    cell_role_arns   = { eu = "arn:aws:iam::123456789012:role/eu-cell" }
    tenant_databases = { primary = { host = "a", is_managed = false }, eu-1 = { host = "b", is_managed = false } }
    temporal         = { address = "temporal.internal:443", namespace = "tenantry", mtls = true }
    workers          = { aws = { roles = ["provisioning", "status-checker"] }, rest = { roles = ["data", "notify", "registry-writer"] } }
    api              = { host = "tenantry.example.com", creates_record = false, certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
    access           = { service_keys = true }
    billing          = { alarm_usd = 0 }
    enable_alarms    = false
  }

  assert {
    condition     = length(aws_ecs_service.worker) + length(aws_ecs_service.api) + length(aws_ecs_task_definition.this) == 0 && output.api_service_arn == null && keys(output.run_task) == ["database-setup-control"]
    error_message = "processes are made without an image"
  }

  assert {
    condition     = toset([for secret in output.secrets_to_fill : secret.from]) == toset(["DATABASE_URL", "TENANTRY_PAYLOAD_KEY", "TENANT_DATABASE_URL_PRIMARY", "TENANT_DATABASE_URL_EU_1", "TEMPORAL_TLS_CLIENT_CERT_DATA", "TEMPORAL_TLS_CLIENT_KEY_DATA"])
    error_message = jsonencode(output.secrets_to_fill)
  }

  assert {
    condition     = length(aws_iam_role_policy_attachment.worker) == 10 && toset(keys(aws_iam_role_policy.cells)) == toset(["worker-aws", "worker-rest", "doctor"]) && jsondecode(aws_iam_role_policy.cells["worker-aws"].policy).Statement[0].Resource == ["arn:aws:iam::123456789012:role/eu-cell"]
    error_message = "workers cannot take on the role of a cell, or have policies of other roles"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.alert) + length(aws_cloudwatch_metric_alarm.billing) + length(aws_budgets_budget.this) + length(aws_acm_certificate.api) == 0 && toset(keys(aws_vpc_security_group_egress_rule.out)) == toset(["api 443", "worker 443", "migrate 443"])
    error_message = "something is made that was switched off, or was given"
  }
}

run "with_a_canary" {
  command = apply

  variables {
    access = { service_keys = true }
    canary = { product = "moamalat", paths = ["/", "/api/health"], cell = "default" }
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this["canary"].container_definitions)[1].command == ["canary", "--product", "moamalat", "--every", "15m", "--port", "9465", "--path", "/", "--path", "/api/health", "--cell", "default"]
    error_message = jsonencode(jsondecode(aws_ecs_task_definition.this["canary"].container_definitions)[1].command)
  }

  # Its key and nothing else; nobody else has its key.
  assert {
    condition = alltrue([
      for family, secrets in { for family in ["api", "worker-all", "migrate", "canary"] : family => [for secret in jsondecode(aws_ecs_task_definition.this[family].container_definitions)[1].secrets : secret.name] } :
      contains(secrets, "TENANTRY_API_TOKEN") == (family == "canary") && (family != "canary" || length(secrets) == 1)
    ]) && aws_ecs_task_definition.this["canary"].task_role_arn == null
    error_message = "the canary has other secrets or rights than its key, or another process has that"
  }

  assert {
    condition     = length(aws_ecs_service.canary) == 1 && length(aws_cloudwatch_metric_alarm.canary) == 1 && contains(keys(aws_cloudwatch_log_metric_filter.alert), "canary canary-failed") && contains([for secret in output.secrets_to_fill : secret.from], "TENANTRY_API_TOKEN")
    error_message = "the canary does not run, or nobody hears of it"
  }
}

run "values_that_cannot_be_are_refused" {
  command = plan

  variables {
    name               = "Tenantry"
    environment        = "production-"
    platform           = { cells = [] }
    vpc_cidr           = "10.42"
    private_subnet_ids = ["subnet-a"]
    database_ca_pem    = "PEM"
    api                = { host = "tenantry.example.com" }
    access             = { oidc_issuer = "https://login.example.com" }
    temporal           = { address = "https://temporal", namespace = "x" }
    tenant_databases   = {}
    workers            = { all = { roles = ["everything"] } }
    database           = { backup_days = 0, engine_version = "15" }
    cpu_architecture   = "arm"
  }

  expect_failures = [
    var.name, var.environment, var.platform, var.vpc_cidr, var.private_subnet_ids, var.database_ca_pem, var.api, var.access, var.temporal,
    var.tenant_databases, var.workers, var.database, var.cpu_architecture,
  ]
}

run "a_canary_that_runs_at_odd_times_is_refused" {
  command = plan

  variables {
    access = { service_keys = true }
    canary = { product = "moamalat", every = "90s" }
  }

  expect_failures = [var.canary]
}

run "a_canary_needs_service_keys" {
  command = plan

  variables {
    canary = { product = "moamalat" }
  }

  expect_failures = [var.canary]
}
