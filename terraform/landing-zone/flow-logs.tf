resource "aws_cloudwatch_log_group" "flow" {
  count             = local.makes_vpc ? 1 : 0
  name              = "/tenantry/${var.environment}/${var.cell_id}/flow"
  retention_in_days = var.flow_log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = local.tags
}

resource "aws_iam_role" "flow" {
  count              = local.makes_vpc ? 1 : 0
  name               = "${local.prefix}-${local.region}-flow-logs"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [merge(local.assumed_by["vpc-flow-logs"], local.from_this_account)] })
  tags               = local.tags
}

resource "aws_iam_role_policy" "flow" {
  count = local.makes_vpc ? 1 : 0
  name  = "write"
  role  = aws_iam_role.flow[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
      Resource = ["${aws_cloudwatch_log_group.flow[0].arn}:*"]
      }, {
      Effect   = "Allow"
      Action   = ["logs:DescribeLogGroups"]
      Resource = ["*"]
    }]
  })
}

resource "aws_flow_log" "this" {
  count                    = local.makes_vpc ? 1 : 0
  vpc_id                   = aws_vpc.this[0].id
  traffic_type             = "ALL"
  max_aggregation_interval = 60
  log_destination          = aws_cloudwatch_log_group.flow[0].arn
  iam_role_arn             = aws_iam_role.flow[0].arn
  tags                     = merge(local.tags, { Name = local.prefix })
}
