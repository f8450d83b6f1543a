import type { Facts, InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { tagged } from './facts.ts';

/** The sandbox's table of the projection. */
const projectionTable = 'tenants';

/** Items of all tables but that of the projection, which tells of tenants and is none of their things. */
export async function listItems(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (ExclusiveStartTableName) => call(caller, 'ListTables', { ExclusiveStartTableName }),
    (answer) => answer.text('LastEvaluatedTableName') || undefined,
  );
  const tables = answers.flatMap((answer) => answer.list('TableNames')).map(({ value }) => value);
  const listed = tables.filter((table) => table !== projectionTable).map((table) => itemsOf(caller, table));
  return (await Promise.all(listed)).flat();
}

async function itemsOf(caller: AwsCaller, TableName: string): Promise<InventoryItem[]> {
  try {
    const description = await call(caller, 'DescribeTable', { TableName });
    const keys = description.list('Table.KeySchema').map((key) => key.text('AttributeName'));
    const pages = await readPages<object>(
      (ExclusiveStartKey) => call(caller, 'Scan', { TableName, ConsistentRead: true, ExclusiveStartKey }),
      (answer) => keyIn(answer.at('LastEvaluatedKey')),
    );
    return pages.flatMap((page) => page.list('Items')).map((item) => toItem(caller, TableName, keys, item));
  } catch (error) {
    // It was deleted since it was listed.
    if (error instanceof AwsReadError && error.code === 'ResourceNotFoundException') return [];
    throw error;
  }
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

function call(caller: AwsCaller, action: string, input: object): Promise<AnswerTree> {
  return caller.read({ protocol: 'json', service: 'dynamodb', target: `DynamoDB_20120810.${action}`, input });
}
