import type { Facts, InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { tagged } from './facts.ts';
import { dynamodb, tableItem } from './tables.ts';

/** The sandbox's table of the projection, which tells of tenants: what is in it is none of their things. */
const projectionTable = 'tenants';

/** Tables of DynamoDB, and the items that are in them. */
export async function listDynamodb(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (ExclusiveStartTableName) => dynamodb(caller, 'ListTables', { ExclusiveStartTableName, Limit: 100 }),
    (answer) => answer.text('LastEvaluatedTableName') || undefined,
  );
  const names = answers.flatMap((answer) => answer.list('TableNames')).map(({ value }) => value);
  return (await Promise.all(names.map((name) => thingsOf(caller, name)))).flat();
}

async function thingsOf(caller: AwsCaller, name: string): Promise<InventoryItem[]> {
  try {
    const table = (await dynamodb(caller, 'DescribeTable', { TableName: name })).at('Table');
    const [item, items] = await Promise.all([
      tableItem(caller, table),
      name === projectionTable ? [] : itemsIn(caller, table),
    ]);
    return [item, ...items];
  } catch (error) {
    if (!(error instanceof AwsReadError)) throw error;
    // Gone since it was listed.
    if (/^(ResourceNotFound|TableNotFound)/.test(error.code)) return [];
    // So are the tags of a table answered that there is none of.
    if (error.code === 'AccessDeniedException') return thingsOf(caller, name);
    throw error;
  }
}

async function itemsIn(caller: AwsCaller, table: AnswerTree): Promise<InventoryItem[]> {
  const TableName = table.text('TableName');
  const keys = table.list('KeySchema').map((key) => key.text('AttributeName'));
  const pages = await readPages<object>(
    (ExclusiveStartKey) => dynamodb(caller, 'Scan', { TableName, ConsistentRead: true, ExclusiveStartKey }),
    (answer) => keyIn(answer.at('LastEvaluatedKey')),
  );
  return pages.flatMap((page) => page.list('Items')).map((item) => toItem(caller, TableName, keys, item));
}

/** The mark is an attribute, of the keys and values that tags have elsewhere. */
function toItem({ scope }: AwsCaller, table: string, keys: readonly string[], item: AnswerTree): InventoryItem {
  const name = [table, ...keys.map((key) => valueOf(item.at(key)).replaceAll('/', '%2F'))].join('/');
  const others = item.parts().filter(([attribute]) => attribute !== 'tenantry' && !keys.includes(attribute));
  const attributes: Facts = Object.fromEntries(others.map(([attribute, value]) => [attribute, valueOf(value)]));
  const mark = item
    .at('tenantry.M')
    .parts()
    .map(([key, value]) => [key, value.text('S')] as const);
  const id = `${scope.accountId}/${scope.region} ${name}`;
  return tagged({ kind: 'dynamodb:item', id, name, settings: attributes }, Object.fromEntries(mark));
}

/** One text for a value, whatever its type: `{"S":"x"}` is `x`, and what holds others is told with their types. */
function valueOf(value: AnswerTree): string {
  const [type] = value.parts();
  if (!type) return value.value;
  const [name, part] = type;
  if (name === 'M')
    return `{${part
      .parts()
      .map(([key, inner]) => `${key}: ${valueOf(inner)}`)
      .sort()
      .join(', ')}}`;
  if (part.items.length > 0) return `${name}[${part.items.map(valueOf).join(', ')}]`;
  return part.value;
}

/** As the next page is asked for by; undefined after the last one. */
function keyIn(key: AnswerTree): object | undefined {
  const parts = key.parts().map(([name, part]) => [name, Object.fromEntries(part.entries())] as const);
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}
