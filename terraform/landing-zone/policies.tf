locals {
  # R-IAM, table 45.6: what each role of the workers may do in this cell. The API has none: it holds no credentials.
  roles = ["provisioning", "data", "status-checker", "notify", "registry-writer"]

  arn = "arn:${local.partition}:%s:${local.region}:${local.account_id}:%s"
  policy_values = {
    partition            = local.partition
    region               = local.region
    account_id           = local.account_id
    cluster_arn          = local.cluster_arn
    services_arn         = format(local.arn, "ecs", "service/${local.cluster}/*")
    task_definitions_arn = format(local.arn, "ecs", "task-definition/*:*")
    target_groups_arn    = format(local.arn, "elasticloadbalancing", "targetgroup/t-*")
    listeners            = jsonencode(local.listener_arns)
    listener_rules       = jsonencode([for arn in local.listener_arns : "${replace(arn, ":listener/", ":listener-rule/")}/*"])
    zone_arn             = "arn:${local.partition}:route53:::hostedzone/${local.zone_id}"
    changes_arn          = "arn:${local.partition}:route53:::change/*"
    tenant_roles         = jsonencode(local.allowed_role_arns)
    tenant_secrets_arn   = format(local.arn, "secretsmanager", "secret:tenantry/*")
    log_groups_arn       = format(local.arn, "logs", "log-group:/ecs/*")
    parameters_arn       = format(local.arn, "ssm", "parameter")
    tenants_tables       = jsonencode(local.tenants_table_arn == null ? [] : [local.tenants_table_arn, "${local.tenants_table_arn}/index/*"])
    shared_tables        = jsonencode([for name in local.shared_tables : format(local.arn, "dynamodb", "table/${name}")])
    archive              = jsonencode([for arn in compact([lookup(local.bucket_arns, "archive", "")]) : arn])
    archive_objects      = jsonencode([for arn in compact([lookup(local.bucket_arns, "archive", "")]) : "${arn}/*"])
    keys                 = jsonencode(compact([var.kms_key_arn]))
    mail_identities      = jsonencode([format(local.arn, "ses", "identity/${local.mail_domain}"), format(local.arn, "ses", "identity/${local.mail_from}")])
  }

  # Files of this folder, or of `policy_folder`: statements on things that this cell does not have fall away.
  policies = {
    for role in local.roles : role => [
      for statement in jsondecode(templatefile("${coalesce(var.policy_folder, "${path.module}/policies")}/${role}.json.tftpl", local.policy_values)).Statement :
      statement if length(flatten([statement.Resource])) > 0
    ]
  }
}

resource "aws_iam_policy" "role" {
  for_each    = toset(local.roles)
  name        = "${local.prefix}-${var.cell_id}-${each.key}"
  description = "Tenantry's workers in cell ${var.cell_id}: ${each.key}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.policies[each.key] })
  tags        = local.tags
}

locals {
  role_policy_arns = merge(
    { for role in local.roles : role => [aws_iam_policy.role[role].arn] },
    # Stacks and rows of accounts belong together: a stack is made in the name of who asks for it.
    { for accounts in module.accounts : "provisioning" => concat([aws_iam_policy.role["provisioning"].arn], accounts.worker_policy_arns) },
  )
}

# What workers of another account, or of another cell's, take on for every call here.
resource "aws_iam_role" "cell" {
  count = length(var.trusted_role_arns) > 0 ? 1 : 0
  name  = "${local.prefix}-${var.cell_id}-cell"
  tags  = local.tags

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = var.trusted_role_arns }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "cell" {
  for_each   = length(var.trusted_role_arns) > 0 ? toset(local.roles) : toset([])
  role       = aws_iam_role.cell[0].name
  policy_arn = aws_iam_policy.role[each.key].arn
}

resource "aws_iam_role_policy_attachment" "cell_accounts" {
  count      = length(var.trusted_role_arns) > 0 && var.accounts != null ? 2 : 0
  role       = aws_iam_role.cell[0].name
  policy_arn = module.accounts[0].worker_policy_arns[count.index]
}
