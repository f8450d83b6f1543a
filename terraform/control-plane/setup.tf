# One-off tasks that make the logins of API and workers in the databases, in whose network nobody else is.
locals {
  setups = merge(
    {
      control = {
        host = aws_db_instance.this.address, port = aws_db_instance.this.port, name = "tenantry", login = "tenantry", secret = "database-url", creates_roles = false
      }
    },
    {
      for id, database in var.tenant_databases : "tenants-${id}" => {
        host = database.host, port = database.port, name = database.name, login = "tenantry_provisioner", secret = "tenant-database-url-${id}", creates_roles = true
      } if database.is_managed
    },
  )
  master_secret_arns = merge(
    { control = join("", aws_db_instance.this.master_user_secret[*].secret_arn) },
    { for id, database in var.tenant_databases : "tenants-${id}" => database.master_secret_arn if database.is_managed },
  )
  logins = { for setup in values(local.setups) : setup.secret => setup }
  setup_secret_arns = concat(
    [for name in keys(local.setups) : local.master_secret_arns[name]],
    [for setup in values(local.setups) : aws_secretsmanager_secret.this[setup.secret].arn],
  )

  # The login and its password stand in the URL that workers get: postgres://<login>:<password>@...
  setup_script = <<-SH
    set -eu
    umask 077
    printf '%s' "$DATABASE_CA" > /tmp/ca.pem
    printf '%s' "$SETUP_SQL" > /tmp/setup.sql
    userinfo=$${SETUP_URL#*://}
    userinfo=$${userinfo%%@*}
    export SETUP_LOGIN=$${userinfo%%:*} SETUP_PASSWORD=$${userinfo#*:}
    exec psql --no-psqlrc --quiet --file /tmp/setup.sql
  SH
}

resource "aws_ecs_task_definition" "setup" {
  for_each                 = local.setups
  family                   = "${local.prefix}-database-setup-${each.key}"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution["migrate"].arn
  task_role_arn            = aws_iam_role.api.arn
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  container_definitions = jsonencode([{
    name       = "psql"
    image      = var.setup_image
    essential  = true
    entryPoint = ["sh", "-c"]
    command    = [local.setup_script]
    environment = [
      for name, value in {
        PGHOST              = each.value.host
        PGPORT              = tostring(each.value.port)
        PGDATABASE          = each.value.name
        PGSSLMODE           = "verify-full"
        PGSSLROOTCERT       = "/tmp/ca.pem"
        DATABASE_CA         = var.database_ca_pem
        SETUP_SQL           = file("${path.module}/setup.sql")
        SETUP_CREATES_ROLES = tostring(each.value.creates_roles)
      } : { name = name, value = value }
    ]
    secrets = [
      { name = "PGUSER", valueFrom = "${local.master_secret_arns[each.key]}:username::" },
      { name = "PGPASSWORD", valueFrom = "${local.master_secret_arns[each.key]}:password::" },
      { name = "SETUP_URL", valueFrom = aws_secretsmanager_secret.this[each.value.secret].arn },
    ]
    logConfiguration = local.logging["database-setup"]
  }])
}
