import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ensureTable } from '../../../sandbox/landing-zone/tables.ts';
import { fenceKey } from '../../../src/accounts-router/fence.ts';
import { isMarked, type Partition } from '../../../src/aws/dynamodb-partitions.ts';
import { fromAttributes, toAttribute, toAttributes, type Item } from '../../../src/aws/dynamodb-values.ts';
import type { Row } from '../../../src/aws/row-checksum.ts';
import { accountFence } from '../../../src/kinds/account-fence/kind.ts';
import { accountStream } from '../../../src/kinds/account-stream/kind.ts';
import { sidesOf } from '../../../src/kinds/account-copy/sides.ts';
import { contextOf, newTenant, type KindWorld, type TestTenant } from './kind-world.ts';

/** An account with its fence open, and two tables: what the kinds of a move work on. */
export interface MovingAccount {
  readonly tenant: TestTenant;
  readonly spec: { readonly table: string; readonly toTable: string };
  readonly from: Partition;
  readonly to: Partition;
  /** Of the stream, as it was before any row was copied. */
  readonly position: string;
  put(table: string, sortKey: string, attributes?: Row): Promise<void>;
  remove(table: string, sortKey: string): Promise<void>;
  /** As many rows as that, in the shared table. */
  fill(count: number, attributes?: Row): Promise<void>;
  /** Rows of services, by sort key. */
  rows(partition: Partition): Promise<ReadonlyMap<string, Row>>;
  fence(): Promise<Item | undefined>;
  /** The attribute that marks a row as the control plane's, of this account. */
  readonly mark: Row;
  /** An update of the fence item as a router makes it. */
  touchFence(expression: string, values?: Item, condition?: string): Promise<boolean>;
}

export async function movingAccount(world: KindWorld, { hasStream = true } = {}): Promise<MovingAccount> {
  const tenant = await newTenant(world);
  const dynamodb = new DynamoDBClient(world.target);
  const spec = { table: world.cell.sharedTables?.[0] ?? '', toTable: `app-prod-account-${tenant.id}` };
  await ensureTable(dynamodb, spec.toTable, []);
  const { from, to } = sidesOf(tenant.id, spec);
  const settings = { stepId: 'fence' };
  await accountFence.ensure(contextOf<'account-fence'>(world, tenant, spec, settings));
  const noted = await accountStream.ensure(contextOf<'account-stream'>(world, tenant, { table: spec.table }, settings));
  const owner = { installationId: world.installationId, tenantId: tenant.id };
  const { tags } = contextOf<'account-fence'>(world, tenant, spec, settings);
  const keyOf = (sortKey: string) => ({ PK: { S: from.partitionKey.value }, SK: { S: sortKey } });
  return {
    ...{ tenant, spec, from, to, position: hasStream ? noted.outputs.position : '' },
    mark: { tenantry: toAttribute(tags) },
    async put(TableName, sortKey, attributes = {}) {
      await dynamodb.send(new PutItemCommand({ TableName, Item: { ...keyOf(sortKey), ...attributes } }));
    },
    async remove(TableName, sortKey) {
      await dynamodb.send(new DeleteItemCommand({ TableName, Key: keyOf(sortKey) }));
    },
    fill: (count, attributes = {}) =>
      world.aws.partitions.putRows(
        spec.table,
        Array.from({ length: count }, (_, i) => ({
          ...keyOf(`ROW#${String(i).padStart(6, '0')}`),
          n: { N: String(i) },
          ...attributes,
        })),
      ),
    async rows(partition) {
      const rows = new Map<string, Row>();
      for await (const page of world.aws.partitions.pages(partition))
        for (const row of page) if (!isMarked(row, owner)) rows.set(row['SK']?.S ?? '', row);
      return rows;
    },
    async fence() {
      const Key = toAttributes(fenceKey(tenant.id));
      const { Item: found } = await dynamodb.send(
        new GetItemCommand({ TableName: spec.table, Key, ConsistentRead: true }),
      );
      return found && fromAttributes(found);
    },
    async touchFence(UpdateExpression, values = {}, ConditionExpression = 'attribute_exists(PK)') {
      const answer = dynamodb.send(
        new UpdateItemCommand({
          TableName: spec.table,
          Key: toAttributes(fenceKey(tenant.id)),
          ...{ UpdateExpression, ConditionExpression },
          ...(/#state/.test(UpdateExpression + ConditionExpression) && {
            ExpressionAttributeNames: { '#state': 'state' },
          }),
          ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: toAttributes(values) }),
        }),
      );
      return answer.then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
          throw error;
        },
      );
    },
  };
}
