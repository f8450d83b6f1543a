# Answers of AWS in `terraform test`: of the form that modules and the provider's own checks expect.

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "123456789012"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition = "aws"
  }
}

mock_data "aws_region" {
  defaults = {
    region = "eu-central-1"
  }
}

mock_data "aws_availability_zones" {
  defaults = {
    names = ["eu-central-1c", "eu-central-1a", "eu-central-1b"]
  }
}

mock_data "aws_vpc" {
  defaults = {
    cidr_block = "10.7.0.0/16"
  }
}

mock_data "aws_lb" {
  defaults = {
    arn             = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/given/0123456789abcdef"
    dns_name        = "given-1.eu-central-1.elb.amazonaws.com"
    zone_id         = "Z215JYRZR1TBD5"
    ip_address_type = "ipv4"
    security_groups = ["sg-given"]
  }
}

mock_data "aws_lb_listener" {
  defaults = {
    arn             = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/given/0123456789abcdef/fedcba9876543210"
    protocol        = "HTTPS"
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/99999999-2222-3333-4444-555555555555"
  }
}

mock_data "aws_route53_zone" {
  defaults = {
    name         = "tenants.example.com"
    private_zone = false
  }
}

mock_data "aws_dynamodb_table" {
  defaults = {
    arn       = "arn:aws:dynamodb:eu-central-1:123456789012:table/tenants"
    hash_key  = "PK"
    range_key = "SK"
  }
}

mock_resource "aws_vpc" {
  defaults = {
    id = "vpc-0123456789abcdef0"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::123456789012:role/mock"
  }
}

mock_resource "aws_iam_policy" {
  defaults = {
    arn = "arn:aws:iam::123456789012:policy/mock"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }
}

mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/mock/0123456789abcdef"
    dns_name   = "mock-1.eu-central-1.elb.amazonaws.com"
    zone_id    = "Z215JYRZR1TBD5"
    arn_suffix = "app/mock/0123456789abcdef"
  }
}

mock_resource "aws_lb_listener" {
  defaults = {
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/mock/0123456789abcdef/fedcba9876543210"
  }
}

mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/mock/0123456789abcdef"
    arn_suffix = "targetgroup/mock/0123456789abcdef"
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = {
    arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/mock/11111111-2222-3333-4444-555555555555"
  }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
  }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = {
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
  }
}

mock_resource "aws_route53_zone" {
  defaults = {
    zone_id      = "Z0123456789ABCDEFGHIJ"
    name_servers = ["ns-1.example.net"]
  }
}

mock_resource "aws_ecs_cluster" {
  defaults = {
    arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/mock"
  }
}

mock_resource "aws_ecs_task_definition" {
  defaults = {
    arn                  = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mock:1"
    arn_without_revision = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mock"
  }
}

mock_resource "aws_ecs_service" {
  defaults = {
    id  = "arn:aws:ecs:eu-central-1:123456789012:service/mock/mock"
    arn = "arn:aws:ecs:eu-central-1:123456789012:service/mock/mock"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/mock"
  }
}

mock_resource "aws_dynamodb_table" {
  defaults = {
    arn        = "arn:aws:dynamodb:eu-central-1:123456789012:table/mock"
    stream_arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/mock/stream/2026-01-01T00:00:00.000"
  }
}

mock_resource "aws_db_instance" {
  defaults = {
    arn     = "arn:aws:rds:eu-central-1:123456789012:db:mock"
    address = "mock.abc.eu-central-1.rds.amazonaws.com"
    port    = 5432
  }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = {
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mock-AbCdEf"
  }
}

mock_resource "aws_sns_topic" {
  defaults = {
    arn = "arn:aws:sns:eu-central-1:123456789012:mock"
  }
}

mock_resource "aws_s3_object" {
  defaults = {
    version_id = "v1"
  }
}

mock_resource "aws_vpc_endpoint" {
  defaults = {
    prefix_list_id = "pl-12345678"
  }
}

mock_resource "aws_sesv2_email_identity" {
  defaults = {
    dkim_signing_attributes = { tokens = ["a", "b", "c"] }
  }
}

mock_resource "aws_iam_openid_connect_provider" {
  defaults = {
    arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }
}
