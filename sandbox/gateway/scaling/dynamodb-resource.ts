import { DescribeTableCommand, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import type { Scope } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import type { TargetKey } from './model.ts';
import { invalid } from './reading.ts';

/** What a target's resource id means in DynamoDB. */
interface Scaled {
  readonly table: string;
  readonly index: string | undefined;
}

/** @throws AwsError ValidationException where resource, dimension and namespace are not of one kind, or of none that the sandbox has */
export function scaledBy({ ServiceNamespace, ResourceId, ScalableDimension }: TargetKey): Scaled {
  const [, table, index] = /^table\/([\w.-]{3,255})(?:\/index\/([\w.-]{3,255}))?$/.exec(ResourceId) ?? [];
  const kind = index === undefined ? 'table' : 'index';
  if (!ScalableDimension.startsWith(`${ServiceNamespace}:`))
    throw invalid('Unsupported service namespace, resource type or scalable dimension');
  if (ServiceNamespace !== 'dynamodb')
    throw invalid(
      `Unsupported service namespace: the sandbox registers targets of dynamodb, not of ${ServiceNamespace}`,
    );
  if (table === undefined || !ScalableDimension.startsWith(`dynamodb:${kind}:`))
    throw invalid('Unsupported service namespace, resource type or scalable dimension');
  return { table, index };
}

/** @throws AwsError ValidationException */
export async function refuseMissing(upstream: Upstream, scope: Scope, key: TargetKey): Promise<void> {
  const { table, index } = scaledBy(key);
  const indexes = await indexesOf(upstream, scope, table);
  if (!indexes) throw invalid(`DynamoDB table does not exist: table/${table}`);
  if (index !== undefined && !indexes.includes(index))
    throw invalid(`DynamoDB index does not exist: table/${table}/index/${index}`);
}

/** Undefined when there is no such table. */
async function indexesOf(upstream: Upstream, scope: Scope, TableName: string): Promise<string[] | undefined> {
  try {
    const { Table } = await upstream.clients(scope).dynamodb.send(new DescribeTableCommand({ TableName }));
    return (Table?.GlobalSecondaryIndexes ?? []).map(({ IndexName = '' }) => IndexName);
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
