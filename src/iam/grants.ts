import { TENANT_TAG } from '../aws/tags.ts';
import type { WorkerRole } from './roles.ts';

/** Condition of a statement, as IAM has it: operator, key, values. Values may hold a placeholder of the template. */
export type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** Actions that are allowed on the same things under the same condition: a statement for each role that needs one of them. */
export interface Grant {
  readonly sid: string;
  readonly actions: readonly string[];
  /** Names of `policy_values` in terraform/landing-zone/policies.tf: `_arn` at the end is one ARN, else it is a list. */
  readonly on: readonly string[] | 'everything';
  /** Why nothing narrower than `everything` can be said. */
  readonly why?: string;
  readonly condition?: Condition;
  /** Where others use the actions on other things. */
  readonly roles?: readonly WorkerRole[];
}

/** ABAC by the ownership mark: who makes a thing says whose it is, and nothing else is changed. */
const marksTenant: Condition = { StringLike: { [`aws:RequestTag/${TENANT_TAG}`]: '?*' } };
const isTenants: Condition = { StringLike: { [`aws:ResourceTag/${TENANT_TAG}`]: '?*' } };
const noResource = 'the service knows no resource for these actions (Service Authorization Reference)';

/** Keys of DynamoDB's tables, and of S3's objects, are used by these services only. */
const by = (service: string): Condition => ({ StringLike: { 'kms:ViaService': `${service}.\${region}.*` } });
const tableKeyActions = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'DescribeKey'];

const elb = (...names: readonly string[]) => names.map((name) => `elasticloadbalancing:${name}`);
const secrets = (...names: readonly string[]) => names.map((name) => `secretsmanager:${name}`);
const dynamodb = (...names: readonly string[]) => names.map((name) => `dynamodb:${name}`);

export const grants: readonly Grant[] = [
  { sid: 'SeeServices', actions: ['ecs:DescribeServices'], on: ['services_arn'] },
  { sid: 'SeeTasks', actions: ['ecs:DescribeTasks'], on: ['tasks_arn'] },
  {
    sid: 'ListInCluster',
    actions: ['ecs:ListServices', 'ecs:ListTasks'],
    on: 'everything',
    why: 'ListServices knows no resource, ListTasks only instances, which Fargate does not have; the condition names the cluster',
    condition: { ArnEquals: { 'ecs:cluster': '${cluster_arn}' } },
  },
  {
    sid: 'TaskDefinitions',
    actions: ['ecs:DescribeTaskDefinition', 'ecs:ListTaskDefinitions', 'ecs:DeregisterTaskDefinition'],
    on: 'everything',
    why: noResource,
  },
  { sid: 'Cluster', actions: ['ecs:DescribeClusters'], on: ['cluster_arn'] },
  {
    sid: 'MakeServices',
    actions: ['ecs:CreateService', 'ecs:RegisterTaskDefinition', 'ecs:TagResource'],
    on: ['services_arn', 'task_definitions_arn'],
    condition: marksTenant,
  },
  {
    sid: 'ChangeServices',
    actions: ['ecs:UpdateService', 'ecs:DeleteService'],
    on: ['services_arn'],
    condition: isTenants,
  },
  {
    sid: 'SeeLoadBalancers',
    actions: elb(
      'DescribeLoadBalancers',
      'DescribeListeners',
      'DescribeRules',
      'DescribeTags',
      'DescribeTargetGroups',
      'DescribeTargetGroupAttributes',
      'DescribeTargetHealth',
    ),
    on: 'everything',
    why: noResource,
  },
  { sid: 'MakeTargetGroups', actions: elb('CreateTargetGroup'), on: ['target_groups_arn'], condition: marksTenant },
  { sid: 'MakeRules', actions: elb('CreateRule'), on: ['listeners'], condition: marksTenant },
  {
    sid: 'TagWhatIsMade',
    actions: elb('AddTags'),
    on: ['target_groups_arn', 'listener_rules'],
    condition: { StringEquals: { 'elasticloadbalancing:CreateAction': ['CreateRule', 'CreateTargetGroup'] } },
  },
  {
    sid: 'ChangeTargetGroups',
    actions: elb('ModifyTargetGroup', 'ModifyTargetGroupAttributes', 'DeleteTargetGroup'),
    on: ['target_groups_arn'],
    condition: isTenants,
  },
  { sid: 'ChangeRules', actions: elb('ModifyRule', 'DeleteRule'), on: ['listener_rules'], condition: isTenants },
  // It knows no tags.
  { sid: 'OrderRules', actions: elb('SetRulePriorities'), on: ['listener_rules'] },
  {
    sid: 'Records',
    actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets', 'route53:ChangeResourceRecordSets'],
    on: ['zone_arn'],
  },
  { sid: 'Changes', actions: ['route53:GetChange'], on: ['changes_arn'] },
  { sid: 'Zones', actions: ['route53:ListHostedZones'], on: 'everything', why: noResource },
  {
    sid: 'MakeLogGroups',
    actions: ['logs:CreateLogGroup', 'logs:TagResource'],
    on: ['log_groups'],
    condition: marksTenant,
  },
  {
    sid: 'LogGroups',
    actions: ['logs:ListTagsForResource', 'logs:PutRetentionPolicy', 'logs:DeleteLogGroup'],
    on: ['log_groups'],
  },
  {
    sid: 'ListLogGroups',
    actions: ['logs:DescribeLogGroups'],
    on: 'everything',
    why: 'the sweep looks for groups of tenants under every name',
  },
  {
    sid: 'PassTenantRoles',
    actions: ['iam:PassRole'],
    on: ['tenant_roles'],
    condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
  },
  {
    sid: 'MakeSecrets',
    actions: secrets('CreateSecret', 'TagResource'),
    on: ['tenant_secrets_arn'],
    condition: marksTenant,
  },
  { sid: 'SeeSecrets', actions: secrets('DescribeSecret', 'GetSecretValue'), on: ['tenant_secrets_arn'] },
  {
    sid: 'ChangeSecrets',
    actions: secrets('PutSecretValue', 'UpdateSecretVersionStage', 'RestoreSecret', 'DeleteSecret'),
    on: ['tenant_secrets_arn'],
    condition: isTenants,
  },
  { sid: 'ListSecrets', actions: secrets('ListSecrets'), on: 'everything', why: noResource },
  {
    sid: 'SharedTables',
    actions: dynamodb(
      'DescribeTable',
      'GetItem',
      'Query',
      'Scan',
      'PutItem',
      'UpdateItem',
      'DeleteItem',
      'BatchWriteItem',
    ),
    on: ['shared_tables'],
    roles: ['data'],
  },
  {
    sid: 'Archive',
    actions: ['s3:ListBucketMultipartUploads', 's3:ListBucketVersions'],
    on: ['archive'],
  },
  {
    sid: 'Dumps',
    actions: [
      's3:PutObject',
      's3:PutObjectTagging',
      's3:GetObject',
      's3:AbortMultipartUpload',
      's3:DeleteObject',
      's3:DeleteObjectVersion',
    ],
    on: ['archive_objects'],
  },
  {
    sid: 'KeyOfDumps',
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
    on: ['keys'],
    condition: by('s3'),
    roles: ['data'],
  },
  {
    sid: 'KeyOfTables',
    actions: tableKeyActions.map((name) => `kms:${name}`),
    on: ['keys'],
    condition: by('dynamodb'),
  },
  {
    sid: 'GrantKeyToTables',
    actions: ['kms:CreateGrant'],
    on: ['keys'],
    condition: { ...by('dynamodb'), Bool: { 'kms:GrantIsForAWSResource': 'true' } },
  },
  { sid: 'Mails', actions: ['ses:SendEmail'], on: ['mail_identities'] },
  {
    sid: 'Projection',
    actions: dynamodb(
      'DescribeTable',
      'DescribeContinuousBackups',
      'GetItem',
      'Query',
      'Scan',
      'PutItem',
      'BatchWriteItem',
    ),
    on: ['tenants_tables'],
    roles: ['registry-writer'],
  },
  { sid: 'Platform', actions: ['ssm:GetParameter'], on: ['platform_parameters_arn'] },
  { sid: 'LedgerMark', actions: ['ssm:GetParameter', 'ssm:PutParameter'], on: ['ledger_marks_arn'] },
];
