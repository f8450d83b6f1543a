import { accountPartition } from './account-id.ts';
import { AccountParametersError } from './errors.ts';
import { fencePartition } from './fence.ts';

export interface AccountPolicyOptions {
  readonly accountId: string;
  /** Of the table that the account's rows are in. */
  readonly tableArn: string;
  /** Of the customer managed key that the table is encrypted with; none for a key of AWS's own. */
  readonly kmsKeyArn?: string | undefined;
  /** For the account's fence item, which the router reads and registers writes in while it is moved from that table; and no row. */
  readonly isFence?: boolean | undefined;
}

/** An IAM policy, to be given to STS as JSON. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Sid: string;
    readonly Effect: 'Allow';
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
    readonly Condition: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  }[];
}

const tableArns = /^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[a-zA-Z0-9_.-]{3,255}$/;
const keyArns = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[a-zA-Z0-9-]+$/;
const readActions = ['GetItem', 'BatchGetItem', 'Query', 'ConditionCheckItem'];
const writeActions = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'];
const fenceActions = ['GetItem', 'UpdateItem'];
const keyActions = ['Decrypt', 'Encrypt', 'ReEncrypt*', 'GenerateDataKey*', 'DescribeKey', 'CreateGrant'];

/**
 * The policy of a session that reaches rows of one account only (or its fence item): by key in the table, by the account's part of each index. It allows no
 * Scan and no PartiQL. A session's rights are what both this policy and those of the role allow.
 * @throws InvalidAccountIdError, AccountParametersError
 */
export function accountSessionPolicy(options: AccountPolicyOptions): PolicyDocument {
  const { accountId, tableArn, kmsKeyArn, isFence = false } = options;
  const partition = accountPartition(accountId);
  if (!tableArns.test(tableArn)) throw new AccountParametersError('the ARN of the table is no ARN of one table');
  return {
    Version: '2012-10-17',
    Statement: [
      ...(isFence ? [fenceStatement(accountId, tableArn)] : rowStatements(partition, tableArn)),
      ...(kmsKeyArn === undefined ? [] : [keyStatement(kmsKeyArn)]),
    ],
  };
}

function rowStatements(partition: string, tableArn: string): PolicyDocument['Statement'] {
  return [
    {
      ...{ Sid: 'OwnRows', Effect: 'Allow', Action: actions('dynamodb', [...readActions, ...writeActions]) },
      ...{ Resource: [tableArn], Condition: leadingKeys('StringEquals', [partition]) },
    },
    {
      ...{ Sid: 'OwnPartOfIndexes', Effect: 'Allow', Action: actions('dynamodb', ['Query']) },
      ...{ Resource: [`${tableArn}/index/*`], Condition: leadingKeys('StringLike', [partition, `${partition}#*`]) },
    },
  ];
}

function fenceStatement(accountId: string, tableArn: string): PolicyDocument['Statement'][number] {
  return {
    ...{ Sid: 'Fence', Effect: 'Allow', Action: actions('dynamodb', fenceActions) },
    ...{ Resource: [tableArn], Condition: leadingKeys('StringEquals', [fencePartition(accountId)]) },
  };
}

/** `ForAllValues` holds for a request without any key: it has to have one. */
function leadingKeys(operator: 'StringEquals' | 'StringLike', values: readonly string[]) {
  return {
    [`ForAllValues:${operator}`]: { 'dynamodb:LeadingKeys': values },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  };
}

/** DynamoDB uses the key in the caller's name. */
function keyStatement(kmsKeyArn: string): PolicyDocument['Statement'][number] {
  const region = keyArns.exec(kmsKeyArn)?.[1];
  if (region === undefined) throw new AccountParametersError('the ARN of the key is no ARN of one key');
  return {
    ...{ Sid: 'TableKey', Effect: 'Allow', Action: actions('kms', keyActions), Resource: [kmsKeyArn] },
    Condition: { StringLike: { 'kms:ViaService': `dynamodb.${region}.*` } },
  };
}

function actions(service: string, names: readonly string[]): string[] {
  return names.map((name) => `${service}:${name}`);
}
