import type { WorkerRole } from './roles.ts';

/** What a worker does beside the verbs of kinds. Whoever adds a call adds its action: a test holds these against the calls of `src/aws`. */
export interface Duty {
  readonly role: WorkerRole | 'accounts';
  readonly actions: readonly string[];
}

/** How the sweep lists each type, and asks for its use; drift and removal go by the verbs of kinds. */
export const listing: Readonly<Record<string, readonly string[]>> = {
  'route53:record': ['route53:ListResourceRecordSets'],
  'elbv2:rule': ['elasticloadbalancing:DescribeRules', 'elasticloadbalancing:DescribeTags'],
  'ecs:service': ['ecs:ListServices', 'ecs:DescribeServices'],
  'elbv2:target-group': [
    'elasticloadbalancing:DescribeTargetGroups',
    'elasticloadbalancing:DescribeTags',
    'elasticloadbalancing:DescribeTargetHealth',
  ],
  'ecs:task-definition': ['ecs:ListTaskDefinitions', 'ecs:DescribeTaskDefinition'],
  'logs:log-group': ['logs:DescribeLogGroups', 'logs:ListTagsForResource'],
  'secretsmanager:secret': ['secretsmanager:ListSecrets', 'secretsmanager:DescribeSecret'],
  'ssm:parameter': ['ssm:DescribeParameters', 'ssm:ListTagsForResource'],
  'dynamodb:item': ['dynamodb:DescribeTable', 'dynamodb:Scan'],
  'dynamodb:rows': ['dynamodb:Scan'],
  'cloudformation:stack': ['cloudformation:DescribeStacks'],
};

/** What DynamoDB does with a table's key in the caller's name. Source: DynamoDB's guide, "Authorizing use of your customer managed key". */
const tableKeys = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:DescribeKey',
  'kms:CreateGrant',
];

export const duties: Readonly<Record<string, Duty>> = {
  'the preflight looks at cluster, load balancers, zone and templates': {
    role: 'status-checker',
    actions: [
      'ecs:DescribeClusters',
      'ecs:ListServices',
      'ecs:DescribeServices',
      'ecs:DescribeTaskDefinition',
      'elasticloadbalancing:DescribeLoadBalancers',
      'elasticloadbalancing:DescribeListeners',
      'elasticloadbalancing:DescribeTargetGroups',
      'elasticloadbalancing:DescribeRules',
      'elasticloadbalancing:DescribeTags',
      'route53:GetHostedZone',
      'route53:ListHostedZones',
      'route53:ListResourceRecordSets',
    ],
  },
  'health says what the services of a tenant that does not answer say': {
    role: 'status-checker',
    actions: [
      'ecs:DescribeServices',
      'ecs:ListTasks',
      'ecs:DescribeTasks',
      'elasticloadbalancing:DescribeTargetHealth',
    ],
  },
  'an isolation looks for rules of others that lead to the tenant': {
    role: 'provisioning',
    actions: ['elasticloadbalancing:DescribeRules', 'elasticloadbalancing:DescribeTags'],
  },
  'mails are sent': { role: 'notify', actions: ['ses:SendEmail'] },
  'the table of tenants is written, rebuilt and looked at': {
    role: 'registry-writer',
    actions: [
      'dynamodb:DescribeTable',
      'dynamodb:DescribeContinuousBackups',
      'dynamodb:GetItem',
      'dynamodb:Query',
      'dynamodb:Scan',
      'dynamodb:PutItem',
      'dynamodb:BatchWriteItem',
      ...tableKeys,
    ],
  },
  "the sweep's mark of the ledger is kept, and parameters of the platform are compared": {
    role: 'registry-writer',
    actions: ['ssm:GetParameter', 'ssm:PutParameter'],
  },
  'final dumps are written, read, handed out and removed': {
    role: 'data',
    actions: [
      's3:PutObject',
      's3:PutObjectTagging',
      's3:GetObject',
      's3:ListBucketMultipartUploads',
      's3:AbortMultipartUpload',
      's3:ListBucketVersions',
      's3:DeleteObject',
      's3:DeleteObjectVersion',
      'kms:GenerateDataKey',
      'kms:Decrypt',
    ],
  },
  'tables that tenants share have a key': { role: 'data', actions: tableKeys },
  "the preflight looks at accounts' tables and template": {
    role: 'accounts',
    actions: [
      'dynamodb:DescribeTable',
      'dynamodb:DescribeContinuousBackups',
      'dynamodb:DescribeTimeToLive',
      's3:GetObject',
      's3:GetObjectVersion',
    ],
  },
};
