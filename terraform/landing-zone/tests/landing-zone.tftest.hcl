mock_provider "aws" {
  source = "../mocks"
}

variables {
  environment = "production"
  domain_name = "tenants.example.com"
  domains     = { moamalat = "tenants.example.com", mate = "mate.tenants.example.com" }
  accounts    = {}
  templates = {
    moamalat = {
      backend  = { container_port = 8080, service = "moamalat-company-x" }
      frontend = { container_port = 80, image = "public.ecr.aws/acme/web:2.1" }
    }
  }
}

run "everything_new" {
  command = apply

  # R-SEC-04: private subnets, flow logs, NACLs, a firewall, a default group without rules.
  assert {
    condition     = tolist(output.private_subnet_ids) == tolist([aws_subnet.private["eu-central-1a"].id, aws_subnet.private["eu-central-1b"].id]) && length(aws_nat_gateway.this) == 2
    error_message = "subnets are not in two zones, each with its own way out"
  }

  assert {
    condition     = alltrue([for subnet in values(aws_subnet.private) : subnet.map_public_ip_on_launch != true]) && length(distinct(concat(values(aws_subnet.private)[*].cidr_block, values(aws_subnet.public)[*].cidr_block))) == 4
    error_message = "subnets overlap, or private ones give public addresses"
  }

  assert {
    condition     = aws_flow_log.this[0].traffic_type == "ALL" && length(aws_wafv2_web_acl_association.this) == length(aws_lb.this)
    error_message = "flow logs or the firewall are missing"
  }

  assert {
    condition     = toset([for rule in values(aws_network_acl_rule.this) : tostring(rule.from_port) if rule.cidr_block == "0.0.0.0/0" && !rule.egress && rule.rule_number > 0 && rule.from_port < 1024]) == toset(["80", "443"])
    error_message = "the internet reaches other ports than 80 and 443"
  }

  # A control plane here reaches Temporal, and tenants' tasks do not.
  assert {
    condition = alltrue([
      contains([for rule in values(aws_network_acl_rule.this) : rule.from_port if rule.egress && rule.network_acl_id == aws_network_acl.this["private"].id], 7233),
      toset([for rule in values(aws_vpc_security_group_egress_rule.tasks) : rule.from_port]) == toset([443]),
    ])
    error_message = "the way out to Temporal is closed, or open to tenants"
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.gateway)) == toset(["s3", "dynamodb"]) && contains(keys(aws_vpc_endpoint.interface), "secretsmanager")
    error_message = "endpoints are missing"
  }

  # Tenants' tasks are reached by load balancers only, at the templates' ports, and reach databases.
  assert {
    condition     = toset([for rule in values(aws_vpc_security_group_ingress_rule.tasks) : rule.from_port]) == toset([80, 8080]) && alltrue([for rule in values(aws_vpc_security_group_ingress_rule.tasks) : rule.referenced_security_group_id == aws_security_group.load_balancer[0].id])
    error_message = "tasks are reached by others, or at other ports"
  }

  assert {
    condition     = [for rule in values(aws_vpc_security_group_ingress_rule.stores) : [rule.security_group_id, rule.referenced_security_group_id, rule.from_port]] == [[aws_security_group.database["primary"].id, aws_security_group.tasks[0].id, 5432]]
    error_message = "the database is closed to tasks, or open to others"
  }

  assert {
    condition     = aws_lb_listener.redirect["1"].default_action[0].redirect[0].status_code == "HTTP_301" && aws_lb_listener.https["1"].ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb.this["1"].access_logs[0].enabled
    error_message = "HTTP is not sent to HTTPS, or access is not logged"
  }

  # A wildcard covers one label.
  assert {
    condition     = toset(values(aws_acm_certificate.this)[*].domain_name) == toset(["*.tenants.example.com", "*.mate.tenants.example.com"]) && keys(aws_lb_listener_certificate.this) == ["1 mate.tenants.example.com"]
    error_message = "a domain of tenants has no certificate on the listener"
  }

  assert {
    condition = alltrue([
      aws_db_instance.this["primary"].storage_encrypted, aws_db_instance.this["primary"].manage_master_user_password, aws_db_instance.this["primary"].deletion_protection,
      aws_db_instance.this["primary"].multi_az, !aws_db_instance.this["primary"].publicly_accessible, aws_db_instance.this["primary"].backup_retention_period == 14,
      anytrue([for parameter in aws_db_parameter_group.this["primary"].parameter : parameter.name == "rds.force_ssl" && parameter.value == "1"]),
    ])
    error_message = "the database is not encrypted, protected, backed up, or takes sessions without TLS"
  }

  # docs/projection.md.
  assert {
    condition = (
      output.tenants_table_name == "tenants"
      && [for index in aws_dynamodb_table.tenants[0].global_secondary_index : "${index.name} ${index.hash_key} ${index.range_key} ${index.projection_type}"] == ["GSI1 GSI1PK GSI1SK ALL", "GSI2 GSI2PK GSI2SK ALL"]
      && aws_dynamodb_table.tenants[0].stream_view_type == "NEW_AND_OLD_IMAGES"
    )
    error_message = "the table of tenants is not what the projection writes to"
  }

  # Templates are what workers clone: names, roles and images of the platform description.
  assert {
    condition = output.cell.templateServices == {
      moamalat = { backend = "moamalat-company-x", frontend = "moamalat-template-frontend" }
    }
    error_message = jsonencode(output.cell.templateServices)
  }

  assert {
    condition     = contains(output.cell.allowedImageRepositories, "public.ecr.aws/acme/web") && length(output.cell.allowedImageRepositories) == 2 && keys(output.repository_urls) == ["moamalat-backend", "tenantry"]
    error_message = "images: ${jsonencode(output.cell.allowedImageRepositories)}, ${jsonencode(keys(output.repository_urls))}"
  }

  assert {
    condition     = tolist(output.cell.products) == tolist(["accounts"]) && !contains(keys(output.cell), "roleArn") && output.environment.TENANTRY_ENABLE_ACCOUNT_PROVISIONING == "true"
    error_message = "accounts are not served, or a role that is not there is named"
  }

  # Table 45.6: each role has its policy, and tenants' services only are changed.
  assert {
    condition     = toset(keys(output.role_policy_arns)) == toset(["provisioning", "data", "status-checker", "notify", "registry-writer"]) && length(output.role_policy_arns.provisioning) == 4
    error_message = jsonencode(output.role_policy_arns)
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.role["provisioning"].policy).Statement : [statement.Resource, statement.Condition]
      if contains(flatten([statement.Action]), "ecs:DeleteService")
    ] == [[["arn:aws:ecs:eu-central-1:123456789012:service/tenantry-production/*"], { StringLike = { "aws:ResourceTag/tenantry:tenant-id" = "?*" } }]]
    error_message = aws_iam_policy.role["provisioning"].policy
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.role["provisioning"].policy).Statement : statement.Resource if contains(flatten([statement.Action]), "elasticloadbalancing:DeleteRule")
    ] == [["arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/mock/0123456789abcdef/fedcba9876543210/*"]]
    error_message = aws_iam_policy.role["provisioning"].policy
  }

  # Tenants' roles can be given nothing of the control plane's.
  assert {
    condition = alltrue([for role in [aws_iam_role.tenant_task, aws_iam_role.tenant_execution] : role.permissions_boundary == aws_iam_policy.tenant_boundary[0].arn]) && toset([
      for statement in jsondecode(aws_iam_policy.tenant_boundary[0].policy).Statement : statement.Sid if statement.Effect == "Deny"
    ]) == toset(["NotTheControlPlane", "NoFinalDumps", "NoLedgerMark"])
    error_message = aws_iam_policy.tenant_boundary[0].policy
  }

  assert {
    condition     = alltrue([for policy in concat(values(aws_iam_policy.role), aws_iam_policy.tenant_boundary) : length(policy.policy) <= 6144])
    error_message = "IAM takes policies of 6,144 characters: ${jsonencode({ for name, policy in aws_iam_policy.role : name => length(policy.policy) })}"
  }

  # Rules of a web ACL as the API has them: each has an action of its own sort.
  assert {
    condition = [
      for rule in jsondecode(aws_wafv2_web_acl.this[0].rule_json) : [rule.Priority, try(keys(rule.OverrideAction)[0], keys(rule.Action)[0])]
    ] == [[1, "Block"], [10, "None"], [11, "None"], [12, "None"]]
    error_message = aws_wafv2_web_acl.this[0].rule_json
  }
}

# EC2 takes few characters in descriptions of groups and rules, S3 63 in a bucket's name, IAM 64 in a role's.
run "names_and_descriptions_are_what_aws_takes" {
  command = apply

  variables {
    name                  = "a-name-of-16-let"
    environment           = "a-stage-of12"
    cell_id               = "a-cell-of-16-let"
    kms_key_arn           = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    accounts              = null
    redis                 = {}
    cognito               = { domain = "acme" }
    shared_database       = {}
    database_client_cidrs = ["10.9.0.0/16"]
  }

  assert {
    condition = alltrue([
      for description in concat(
        values(aws_vpc_security_group_ingress_rule.tasks)[*].description, values(aws_vpc_security_group_egress_rule.tasks)[*].description, values(aws_vpc_security_group_ingress_rule.load_balancer)[*].description,
        values(aws_vpc_security_group_egress_rule.load_balancer)[*].description, values(aws_vpc_security_group_ingress_rule.stores)[*].description, values(aws_vpc_security_group_egress_rule.stores)[*].description,
        values(aws_vpc_security_group_ingress_rule.database_clients)[*].description, aws_vpc_security_group_ingress_rule.endpoints[*].description, aws_security_group.tasks[*].description, aws_security_group.load_balancer[*].description,
        aws_security_group.endpoints[*].description, aws_security_group.redis[*].description, values(aws_security_group.database)[*].description,
      ) : can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{1,255}$", description))
    ])
    error_message = "a description has a character that EC2 refuses"
  }

  assert {
    condition     = alltrue([for name in [aws_s3_bucket.archive[0].bucket, aws_s3_bucket.access_logs[0].bucket] : can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", name))])
    error_message = "buckets: ${aws_s3_bucket.archive[0].bucket}, ${aws_s3_bucket.access_logs[0].bucket}"
  }

  assert {
    condition = alltrue([
      for name in [aws_iam_role.tenant_task.name, aws_iam_role.tenant_execution.name, aws_iam_role.monitoring[0].name, aws_iam_role.flow[0].name] : length(name) <= 64
    ])
    error_message = "a role's name is too long: ${aws_iam_role.tenant_execution.name}"
  }

  assert {
    condition     = length(aws_elasticache_replication_group.redis["redis"].replication_group_id) <= 40 && length(aws_vpc_security_group_ingress_rule.stores) == 3 && output.shared.database != null && !contains([for database in output.cell.tenantDatabases : database.id], "shared")
    error_message = "what products to come share is missing, closed, or given to tenants' schemas"
  }
}

# S1's world: network, load balancer, cluster and zone are there.
run "everything_given" {
  command = apply

  variables {
    existing = {
      vpc_id             = "vpc-given"
      private_subnet_ids = ["subnet-a", "subnet-b"]
      ecs_cluster_name   = "moamalat-cluster"
      load_balancers     = { moamalat = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/given/0123456789abcdef" } }
      route53_zone_id    = "Z0GIVEN"
      tenant_databases   = [{ id = "primary", host = "db.example.internal", name = "tenants" }]
      template_services  = { moamalat = { frontend = "moamalat-company-x-frontend" } }
      allowed_role_arns  = ["arn:aws:iam::123456789012:role/given"]
      image_repositories = ["123456789012.dkr.ecr.eu-central-1.amazonaws.com/given"]
    }
    templates            = { moamalat = { backend = { container_port = 8080, service = "moamalat-company-x" } } }
    tenant_databases     = {}
    create_tenants_table = false
    accounts             = null
    archive              = null
    create_mail_identity = false
    trusted_role_arns    = ["arn:aws:iam::210987654321:role/workers"]
  }

  assert {
    condition     = alltrue([for made in [aws_vpc.this, aws_ecs_cluster.this, values(aws_lb.this), aws_route53_zone.this, values(aws_db_instance.this), aws_dynamodb_table.tenants, values(aws_acm_certificate.this), aws_wafv2_web_acl.this, aws_s3_bucket.archive, values(aws_network_acl.this)] : length(made) == 0])
    error_message = "something is made that was given, or was not asked for"
  }

  assert {
    condition = [
      output.cell.vpcId, output.cell.cluster, output.cell.hostedZone.id, output.cell.tenantDatabases[0].host, output.cell.projection.table, output.cell.roleArn,
      output.cell.loadBalancers[0].certificateArn,
      ] == [
      "vpc-given", "moamalat-cluster", "Z0GIVEN", "db.example.internal", "tenants", "arn:aws:iam::123456789012:role/mock",
      "arn:aws:acm:eu-central-1:123456789012:certificate/99999999-2222-3333-4444-555555555555",
    ]
    error_message = jsonencode(output.cell)
  }

  assert {
    condition     = output.cell.templateServices.moamalat == { backend = "moamalat-company-x", frontend = "moamalat-company-x-frontend" } && contains(output.cell.allowedRoleArns, "arn:aws:iam::123456789012:role/given")
    error_message = jsonencode(output.cell)
  }

  assert {
    condition     = [for rule in values(aws_vpc_security_group_ingress_rule.tasks) : [rule.referenced_security_group_id, rule.from_port]] == [["sg-given", 8080]]
    error_message = "the given load balancer does not reach tasks"
  }

  # Nothing on an archive or shared tables that the cell does not have.
  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.role["data"].policy).Statement : statement.Sid] == ["MakeSecrets", "SeeSecrets", "ChangeSecrets", "ListSecrets"] && length(setintersection(keys(output.cell), ["archive", "sharedTables", "ssmParameters", "products"])) == 0
    error_message = aws_iam_policy.role["data"].policy
  }

  assert {
    condition     = jsondecode(aws_iam_role.cell[0].assume_role_policy).Statement[0].Principal.AWS == ["arn:aws:iam::210987654321:role/workers"] && length(aws_iam_role_policy_attachment.cell) == 6
    error_message = "the workers' role cannot take on the role of the cell"
  }
}

run "values_that_cannot_be_are_refused" {
  command = plan

  variables {
    name                = "Tenantry"
    environment         = "production-"
    cell_id             = "Default"
    domains             = { moamalat = "elsewhere.example.com" }
    vpc_cidr            = "10.42.0.0/24"
    availability_zones  = ["eu-central-1a"]
    nat                 = "some"
    egress_ports        = [0]
    worker_egress_ports = [0]
    existing            = { vpc_id = "vpc-given" }
    tenant_databases    = { shared = {} }
    tenants_table_name  = null
    mail_locale         = "de"
  }

  expect_failures = [
    var.name, var.environment, var.cell_id, var.domains, var.vpc_cidr, var.availability_zones, var.nat, var.egress_ports, var.worker_egress_ports, var.existing,
    var.tenant_databases, var.create_tenants_table, var.mail_locale,
  ]
}
