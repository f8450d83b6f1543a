locals {
  # R-IAM, table 45.6: what each role of the workers may do in this cell. The API has none: it holds no credentials.
  roles = ["provisioning", "data", "status-checker", "notify", "registry-writer"]

  arn = "arn:${local.partition}:%s:${local.region}:${local.account_id}:%s"
  # What the templates may name: ARNs (`_arn`) and lists of ARNs.
  cell_values = {
    partition               = local.partition
    region                  = local.region
    account_id              = local.account_id
    cluster_arn             = local.cluster_arn
    services_arn            = format(local.arn, "ecs", "service/${local.cluster}/*")
    tasks_arn               = format(local.arn, "ecs", "task/${local.cluster}/*")
    task_definitions_arn    = format(local.arn, "ecs", "task-definition/*:*")
    target_groups_arn       = format(local.arn, "elasticloadbalancing", "targetgroup/t-*")
    listeners               = local.listener_arns
    listener_rules          = [for arn in local.listener_arns : "${replace(arn, ":listener/", ":listener-rule/")}/*"]
    zone_arn                = "arn:${local.partition}:route53:::hostedzone/${local.zone_id}"
    changes_arn             = "arn:${local.partition}:route53:::change/*"
    tenant_secrets_arn      = format(local.arn, "secretsmanager", "secret:tenantry/*")
    log_groups              = [format(local.arn, "logs", "log-group:/ecs/*"), format(local.arn, "logs", "log-group:/ecs/*:*")]
    platform_parameters_arn = format(local.arn, "ssm", "parameter/platform/*")
    ledger_marks_arn        = format(local.arn, "ssm", "parameter/tenantry/*")
    tenants_tables          = local.tenants_table_arn == null ? [] : [local.tenants_table_arn, "${local.tenants_table_arn}/index/*"]
    shared_tables           = [for name in local.shared_tables : format(local.arn, "dynamodb", "table/${name}")]
    archive                 = compact([lookup(local.bucket_arns, "archive", "")])
    archive_objects         = [for arn in compact([lookup(local.bucket_arns, "archive", "")]) : "${arn}/*"]
    keys                    = compact([var.kms_key_arn])
    mail_identities         = [format(local.arn, "ses", "identity/${local.mail_domain}"), format(local.arn, "ses", "identity/${local.mail_from}")]
  }
  policy_values = merge(local.cell_values, { tenant_roles = local.allowed_role_arns })

  # Files of this folder (written by `npm run docs` from src/iam), or of `policy_folder`: `<role>.json.tftpl`, and `<role>-2.json.tftpl`
  # where one policy would be too long.
  policy_folder = coalesce(var.policy_folder, "${path.module}/policies")
  policy_roles = merge({ for role in local.roles : role => role }, {
    for file in fileset(local.policy_folder, "*-[2-9].json.tftpl") : trimsuffix(file, ".json.tftpl") => replace(file, "/-[2-9].json.tftpl$/", "")
  })

  # Statements on things that this cell does not have fall away.
  policies = {
    for policy in keys(local.policy_roles) : policy => [
      for statement in jsondecode(templatefile("${local.policy_folder}/${policy}.json.tftpl", local.policy_values)).Statement :
      statement if length(flatten([statement.Resource])) > 0
    ]
  }
  boundary = [
    for statement in jsondecode(templatefile("${local.policy_folder}/tenant-boundary.json.tftpl", local.cell_values)).Statement :
    statement if length(flatten([statement.Resource])) > 0
  ]
}

resource "aws_iam_policy" "role" {
  for_each    = local.policy_roles
  name        = "${local.prefix}-${var.cell_id}-${each.key}"
  description = "Tenantry's workers in cell ${var.cell_id}: ${each.key}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.policies[each.key] })
  tags        = local.tags

  lifecycle {
    precondition {
      condition     = length(jsonencode({ Version = "2012-10-17", Statement = local.policies[each.key] })) <= 6144
      error_message = "The policy ${each.key} has more than the 6,144 characters that IAM takes: name fewer load balancers, roles or repositories, or give templates in policy_folder."
    }
  }
}

# What the roles of tenants' tasks can be given at most.
resource "aws_iam_policy" "tenant_boundary" {
  count       = var.permissions_boundary_arn == null ? 1 : 0
  name        = "${local.prefix}-${var.cell_id}-tenant-boundary"
  description = "Tenantry's tenants in cell ${var.cell_id}: the most that their tasks may do"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.boundary })
  tags        = local.tags
}

locals {
  own_policy_arns = { for role in local.roles : role => [for policy in sort(keys(local.policy_roles)) : aws_iam_policy.role[policy].arn if local.policy_roles[policy] == role] }
  role_policy_arns = merge(
    local.own_policy_arns,
    # Stacks and rows of accounts belong together: a stack is made in the name of who asks for it.
    { for accounts in module.accounts : "provisioning" => concat(local.own_policy_arns["provisioning"], accounts.worker_policy_arns) },
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
  for_each   = length(var.trusted_role_arns) > 0 ? local.policy_roles : {}
  role       = aws_iam_role.cell[0].name
  policy_arn = aws_iam_policy.role[each.key].arn
}

resource "aws_iam_role_policy_attachment" "cell_accounts" {
  count      = length(var.trusted_role_arns) > 0 && var.accounts != null ? 2 : 0
  role       = aws_iam_role.cell[0].name
  policy_arn = module.accounts[0].worker_policy_arns[count.index]
}
