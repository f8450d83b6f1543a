# Values are put in by fill-secrets.sh and never stand in a state. The names do not begin with `tenantry/`: secrets below that are tenants'.
locals {
  # Variable of the containers, and the secret that it comes from. Lists of ids and switches are known before anything is made.
  secret_names = merge(
    {
      DATABASE_URL         = "database-url"
      TENANTRY_PAYLOAD_KEY = "payload-key"
    },
    # The one database of all cells, or one variable for each.
    length(local.tenant_database_ids) == 1
    ? { TENANT_DATABASE_URL = "tenant-database-url-${local.tenant_database_ids[0]}" }
    : { for id in local.tenant_database_ids : "TENANT_DATABASE_URL_${upper(replace(id, "-", "_"))}" => "tenant-database-url-${id}" },
    var.canary == null ? {} : { TENANTRY_API_TOKEN = "canary-key" },
    var.temporal.api_key ? { TEMPORAL_API_KEY = "temporal-api-key" } : {},
    var.temporal.mtls ? { TEMPORAL_TLS_CLIENT_CERT_DATA = "temporal-tls-client-cert", TEMPORAL_TLS_CLIENT_KEY_DATA = "temporal-tls-client-key" } : {},
  )
  tenant_database_ids = sort(keys(var.tenant_databases))

  # The API reaches no tenant's database, and migrations nothing but their own.
  secrets_of = merge({
    api     = [for variable in sort(keys(local.secret_names)) : variable if !startswith(variable, "TENANT_DATABASE_URL") && variable != "TENANTRY_API_TOKEN"]
    worker  = [for variable in sort(keys(local.secret_names)) : variable if variable != "TENANTRY_API_TOKEN"]
    migrate = ["DATABASE_URL"]
  }, var.canary == null ? {} : { canary = ["TENANTRY_API_TOKEN"] })
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = toset(values(local.secret_names))
  name                    = "${local.prefix}-control-plane/${each.key}"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 30
  tags                    = local.tags
}
