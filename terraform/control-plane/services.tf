# Workers are replaced before the API (docs/upgrading.md), and each apply waits until what it deployed runs, or is taken back.
resource "aws_ecs_service" "worker" {
  for_each               = var.image == null ? {} : var.workers
  name                   = "worker-${each.key}"
  cluster                = aws_ecs_cluster.this.arn
  task_definition        = aws_ecs_task_definition.this["worker-${each.key}"].arn
  desired_count          = var.running ? each.value.desired_count : 0
  launch_type            = "FARGATE"
  enable_execute_command = false
  wait_for_steady_state  = true
  propagate_tags         = "SERVICE"
  tags                   = local.tags

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.worker.id]
    assign_public_ip = false
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
}

resource "aws_ecs_service" "api" {
  count                             = var.image == null ? 0 : 1
  name                              = "api"
  cluster                           = aws_ecs_cluster.this.arn
  task_definition                   = aws_ecs_task_definition.this["api"].arn
  desired_count                     = var.running ? var.api.desired_count : 0
  launch_type                       = "FARGATE"
  enable_execute_command            = false
  wait_for_steady_state             = true
  health_check_grace_period_seconds = 60
  propagate_tags                    = "SERVICE"
  tags                              = local.tags

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.api.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.api.arn
    container_name   = "api"
    container_port   = local.api_port
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # A target group without a listener is refused.
  depends_on = [aws_lb_listener.api, aws_ecs_service.worker]
}
