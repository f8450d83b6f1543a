# What tenants' services are cloned from: the clone takes the task definition of this service, and changes environment, image and size.
resource "aws_ecs_task_definition" "template" {
  for_each                 = local.templates
  family                   = each.value.service
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = aws_iam_role.tenant_task.arn
  execution_role_arn       = aws_iam_role.tenant_execution.arn
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = each.value.cpu_architecture
  }

  container_definitions = jsonencode([{
    name         = each.value.component
    image        = local.template_images[each.key]
    essential    = true
    portMappings = [{ containerPort = each.value.container_port, protocol = "tcp" }]
    environment = [
      for name, value in merge({ ENVIRONMENT = var.environment, AWS_REGION = local.region }, each.value.environment) : { name = name, value = value }
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.template[each.key].name
        awslogs-region        = local.region
        awslogs-stream-prefix = each.value.component
      }
    }
  }])
}

locals {
  template_images = {
    for name, template in local.templates : name =>
    template.image != null ? template.image : "${aws_ecr_repository.this[template.repository].repository_url}:${template.image_tag}"
  }
  # Without tag or digest, as the platform description has them.
  image_repositories = distinct(concat(
    [for image in values(local.template_images) : regex("^(?P<repository>.+?)(?::[^:/@]+)?(?:@sha256:[0-9a-f]{64})?$", image).repository],
    var.existing.image_repositories,
  ))
}

resource "aws_cloudwatch_log_group" "template" {
  for_each          = local.templates
  name              = "/ecs/${each.value.service}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_ecs_service" "template" {
  for_each        = local.templates
  name            = each.value.service
  cluster         = local.cluster
  task_definition = aws_ecs_task_definition.template[each.key].arn
  desired_count   = each.value.desired_count
  launch_type     = "FARGATE"
  tags            = local.tags

  network_configuration {
    subnets          = local.private_subnet_ids
    security_groups  = local.task_group_ids
    assign_public_ip = false
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.tenant_execution]
}
