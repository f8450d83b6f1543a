import type { Condition } from './grants.ts';
import { templateText, type Statement } from './policies.ts';

const name = 'tenant-boundary';

/**
 * The most that the roles of tenants' tasks may be given (permissions boundary), by file name: what ECS does to start a task, and the use of
 * data of the account, but not of what is the control plane's. Whoever gives tenants more names a boundary of their own.
 */
export function boundaryTemplate(): Readonly<Record<string, string>> {
  return { [`${name}.json.tftpl`]: templateText(boundary) };
}

const inThisAccount: Condition = { StringEquals: { 'aws:ResourceAccount': '${account_id}' } };

export const boundary: readonly Statement[] = [
  {
    Sid: 'StartTasks',
    Effect: 'Allow',
    // The service knows no resource for the token; images may be in other accounts.
    Action: [
      'ecr:GetAuthorizationToken',
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetDownloadUrlForLayer',
    ],
    Resource: '*',
  },
  {
    Sid: 'WriteLogs',
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: ['log_groups'],
  },
  {
    Sid: 'ReadSecretsOfTenants',
    Effect: 'Allow',
    Action: ['secretsmanager:GetSecretValue'],
    Resource: ['tenant_secrets_arn'],
  },
  {
    Sid: 'UseData',
    Effect: 'Allow',
    Action: [
      's3:GetObject',
      's3:PutObject',
      's3:DeleteObject',
      's3:AbortMultipartUpload',
      's3:ListBucket',
      'dynamodb:GetItem',
      'dynamodb:BatchGetItem',
      'dynamodb:ConditionCheckItem',
      'dynamodb:Query',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'dynamodb:DeleteItem',
      'dynamodb:BatchWriteItem',
      'sqs:SendMessage',
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:GetQueueAttributes',
      'sns:Publish',
      'ssm:GetParameter',
      'ssm:GetParameters',
      'ssm:GetParametersByPath',
      'kms:Decrypt',
      'kms:Encrypt',
      'kms:GenerateDataKey',
    ],
    Resource: '*',
    Condition: inThisAccount,
  },
  {
    Sid: 'SendMailsAndMetrics',
    Effect: 'Allow',
    Action: ['ses:SendEmail', 'ses:SendRawEmail', 'cloudwatch:PutMetricData', 'xray:PutTraceSegments'],
    Resource: '*',
  },
  {
    Sid: 'NotTheControlPlane',
    Effect: 'Deny',
    Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'],
    Resource: ['tenants_tables'],
  },
  { Sid: 'NoFinalDumps', Effect: 'Deny', Action: ['s3:*'], Resource: ['archive', 'archive_objects'] },
  { Sid: 'NoLedgerMark', Effect: 'Deny', Action: ['ssm:*'], Resource: ['ledger_marks_arn'] },
];
