locals {
  # Processes of Tenantry, by log group: what the image is started with, and which role and rights it has.
  processes = merge(
    {
      api     = { sort = "api", command = ["api"], image = var.image, cpu = var.api.cpu, memory = var.api.memory, environment = {}, health = "http://127.0.0.1:${local.api_port}/healthz" }
      migrate = { sort = "migrate", command = ["migrate"], image = coalesce(var.migrate_image, var.image, "none"), cpu = 256, memory = 512, environment = {}, health = null }
      doctor  = { sort = "worker", command = ["doctor"], image = var.image, cpu = 512, memory = 1024, environment = {}, health = null }
    },
    local.canary_process,
    {
      for name, worker in var.workers : "worker-${name}" => {
        sort = "worker", command = ["worker"], image = var.image, cpu = worker.cpu, memory = worker.memory, environment = worker.environment, health = "http://127.0.0.1:${local.worker_health_port}/healthz"
      }
    },
  )
  containers = merge({ for name in keys(local.processes) : name => name }, { database-setup = "database-setup" })

  # Files come with the task: a changed platform description is another revision, and replaces every process.
  write_files = <<-JS
    const fs = require('node:fs');
    fs.writeFileSync('/config/platform.json', process.env.PLATFORM, { mode: 0o644 });
    fs.writeFileSync('/config/database-ca.pem', process.env.DATABASE_CA, { mode: 0o644 });
    fs.chmodSync('/tmp', 0o1777);
  JS
  logging = {
    for name in keys(local.containers) : name => {
      logDriver = "awslogs"
      options   = { awslogs-group = aws_cloudwatch_log_group.this[name].name, awslogs-region = local.region, awslogs-stream-prefix = name }
    }
  }
  mounts = [{ sourceVolume = "config", containerPath = "/config", readOnly = false }, { sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = var.image == null ? {} : local.processes
  family                   = "${local.prefix}-${each.key}"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.execution[each.value.sort].arn
  # A canary has no rights in AWS.
  task_role_arn = lookup(local.task_role_arns, each.key, null)
  tags          = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  volume {
    name = "config"
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([
    {
      # As root, because the volumes are root's; nothing of Tenantry runs in it.
      name             = "files"
      image            = each.value.image
      essential        = false
      user             = "0"
      entryPoint       = ["node", "-e", local.write_files]
      command          = []
      environment      = [{ name = "PLATFORM", value = jsonencode(var.platform) }, { name = "DATABASE_CA", value = var.database_ca_pem }]
      mountPoints      = local.mounts
      logConfiguration = local.logging[each.key]
    },
    merge({
      name                   = each.key
      image                  = each.value.image
      essential              = true
      entryPoint             = var.entry_point
      command                = each.value.command
      readonlyRootFilesystem = true
      stopTimeout            = 60
      dependsOn              = [{ containerName = "files", condition = "SUCCESS" }]
      mountPoints            = [merge(local.mounts[0], { readOnly = true }), local.mounts[1]]
      environment            = [for name, value in merge(lookup(local.environment_of, each.value.sort, {}), each.value.environment) : { name = name, value = value }]
      secrets                = [for name in local.secrets_of[each.value.sort] : { name = name, valueFrom = aws_secretsmanager_secret.this[local.secret_names[name]].arn }]
      portMappings           = each.key == "api" ? [{ containerPort = local.api_port, protocol = "tcp" }] : []
      linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
      logConfiguration       = local.logging[each.key]
      }, { for key, check in {
        healthCheck = each.value.health == null ? null : {
          command     = ["CMD", "node", "-e", "fetch('${coalesce(each.value.health, "-")}').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
          interval    = 15
          timeout     = 5
          retries     = 3
          startPeriod = 60
        }
    } : key => check if check != null }),
  ])

  lifecycle {
    precondition {
      condition     = length(jsonencode(var.platform)) <= 40000
      error_message = "The platform description has more than 40,000 characters: a task definition has room for 65,536 bytes."
    }
  }
}
