# What the processes read: src/config.ts. test/unit/terraform-environment.test.ts holds the names against the code.
locals {
  temporal_environment = {
    TEMPORAL_ADDRESS                 = var.temporal.address
    TEMPORAL_NAMESPACE               = var.temporal.namespace
    TEMPORAL_TLS                     = var.temporal.tls ? "true" : null
    TEMPORAL_TLS_SERVER_NAME         = var.temporal.server_name
    TEMPORAL_TLS_SERVER_CA_CERT_DATA = var.temporal.server_ca_pem
  }

  common_environment = merge(local.temporal_environment, {
    PLATFORM_CONFIG                      = "/config/platform.json"
    NODE_EXTRA_CA_CERTS                  = "/config/database-ca.pem"
    LOG_LEVEL                            = var.log_level
    TENANTRY_CONFIG                      = var.catalog_file
    OTEL_EXPORTER_OTLP_ENDPOINT          = var.telemetry.otlp_endpoint
    OTEL_RESOURCE_ATTRIBUTES             = var.telemetry.otlp_endpoint == null ? null : "deployment.environment.name=${var.environment}"
    OTEL_TRACES_SAMPLER                  = var.telemetry.trace_ratio == null ? null : "parentbased_traceidratio"
    OTEL_TRACES_SAMPLER_ARG              = var.telemetry.trace_ratio == null ? null : tostring(var.telemetry.trace_ratio)
    TENANTRY_DELETION_GRACE              = var.settings.deletion_grace
    TENANTRY_ENABLE_ACCOUNT_PROVISIONING = tostring(var.enable_account_provisioning)
  })

  environment_of = { for process, variables in {
    api = merge(local.common_environment, {
      TENANTRY_API_HOST            = "0.0.0.0"
      TENANTRY_API_PORT            = tostring(local.api_port)
      TENANTRY_PUBLIC_HOSTS        = var.api.host
      TENANTRY_TRUSTED_PROXIES     = var.vpc_cidr
      TENANTRY_SERVICE_KEYS        = tostring(var.access.service_keys)
      TENANTRY_OIDC_ISSUER         = var.access.oidc_issuer
      TENANTRY_OIDC_AUDIENCE       = var.access.oidc_audience
      TENANTRY_OIDC_ROLES_CLAIM    = var.access.oidc_roles_claim
      TENANTRY_OIDC_TENANTS_CLAIM  = var.access.oidc_tenants_claim
      TENANTRY_OIDC_ALGORITHMS     = var.access.oidc_algorithms
      TENANTRY_TEMPORAL_UI_URL     = var.temporal.ui_url
      TENANTRY_CORS_ORIGINS        = var.access.cors_origins
      TENANTRY_DRAIN_DELAY         = var.settings.drain_delay
      TENANTRY_RATE_READS          = var.limits.reads
      TENANTRY_RATE_CHANGES        = var.limits.changes
      TENANTRY_RATE_TENANT_READS   = var.limits.tenant_reads
      TENANTRY_RATE_TENANT_CHANGES = var.limits.tenant_changes
      TENANTRY_RATE_REFUSED        = var.limits.refused
      TENANTRY_RATE_PACE           = var.limits.pace
      TENANTRY_RATE_IN_FLIGHT      = var.limits.in_flight
      TENANTRY_RATE_STREAMS        = var.limits.streams
    })
    worker = merge(local.common_environment, {
      AWS_REGION                  = local.region
      TENANTRY_WORKER_HEALTH_PORT = tostring(local.worker_health_port)
      TENANTRY_SWEEP_INTERVAL     = var.settings.sweep_interval
      TENANTRY_DRIFT_EVERY        = var.settings.drift_every
      TENANTRY_DRIFT_REPAIR       = var.settings.drift_repair
      TENANTRY_HEALTH_EVERY       = var.settings.health_every
    })
    migrate = { NODE_EXTRA_CA_CERTS = "/config/database-ca.pem" }
  } : process => { for name, value in variables : name => value if value != null } }

  worker_health_port = 9464
}
