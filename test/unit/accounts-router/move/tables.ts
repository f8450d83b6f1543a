import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

export type Row = Record<string, unknown>;
export interface Key {
  readonly PK: string;
  readonly SK: string;
}
/** A command of the document client, as far as the model knows them. */
export type Sent = Parameters<DynamoDBDocumentClient['send']>[0];
type Input = Record<string, unknown>;

/** Tables in memory, which do what DynamoDB's commands say: those that the router sends for the calls of the model. */
export class Tables {
  readonly #rows = new Map<string, Map<string, Row>>();

  make(name: string): void {
    this.#rows.set(name, new Map());
  }

  drop(name: string): void {
    this.#rows.delete(name);
  }

  /** By partition key and sort key. */
  rows(name: string): Map<string, Row> {
    const rows = this.#rows.get(name);
    if (!rows) throw named('ResourceNotFoundException');
    return rows;
  }

  /** Of one partition, in the order of their sort keys. */
  partition(name: string, PK: string): Row[] {
    const rows = [...this.rows(name).values()].filter((row) => row['PK'] === PK);
    return rows.sort((a, b) => (String(a['SK']) < String(b['SK']) ? -1 : 1));
  }

  /** What a command does, and answers, at once. */
  apply(command: Sent): unknown {
    const input = command.input as unknown as Input;
    switch (command.constructor.name) {
      case 'GetCommand':
        return { Item: this.#get(nameOf(input), input['Key'] as Key) };
      case 'PutCommand':
      case 'DeleteCommand':
        return this.#change([input], 'ConditionalCheckFailedException');
      case 'UpdateCommand':
        return this.#updateFence(input);
      case 'QueryCommand':
        return this.#query(input);
      case 'TransactWriteCommand': {
        const items = (input['TransactItems'] as Record<string, Input>[]).flatMap((item) => Object.values(item));
        return this.#change(items, 'TransactionCanceledException');
      }
      case 'BatchWriteCommand': {
        const [[TableName, requests]] = Object.entries(
          input['RequestItems'] as Record<string, Record<string, Input>[]>,
        ) as [[string, Record<string, Input>[]]];
        const items = requests.flatMap((request) => Object.values(request)).map((item) => ({ ...item, TableName }));
        return this.#change(items, 'ConditionalCheckFailedException');
      }
      default:
        throw new Error(`the model knows no ${command.constructor.name}`);
    }
  }

  #get(table: string, key: Key): Row | undefined {
    const row = this.rows(table).get(idOf(key));
    return row && copyOf(row);
  }

  /** All of it or nothing. */
  #change(items: readonly Input[], failure: string): object {
    for (const item of items) {
      const row = this.#get(nameOf(item), (item['Item'] ?? item['Key']) as Key) ?? {};
      if (!isMet(item, row)) throw named(failure);
    }
    for (const item of items) {
      const rows = this.rows(nameOf(item));
      if (item['Item']) rows.set(idOf(item['Item'] as Key), copyOf(item['Item'] as Row));
      else rows.delete(idOf(item['Key'] as Key));
    }
    return {};
  }

  /** The two updates of fence items. */
  #updateFence(input: Input): object {
    const row = this.rows(nameOf(input)).get(idOf(input['Key'] as Key));
    const id = (input['ExpressionAttributeNames'] as Record<string, string>)['#id']!;
    const writers = row?.['writers'] as Record<string, number> | undefined;
    const isRegistration = String(input['UpdateExpression']).startsWith('SET');
    const condition = input['ConditionExpression'];
    if (!row || !writers) throw named('ConditionalCheckFailedException');
    if (condition === '#state = :open' && row['state'] !== 'open') throw named('ConditionalCheckFailedException');
    if (condition === 'attribute_exists(#writers.#id)' && !(id in writers))
      throw named('ConditionalCheckFailedException');
    if (isRegistration) writers[id] = Date.now();
    else Reflect.deleteProperty(writers, id);
    return {};
  }

  #query(input: Input): object {
    const PK = Object.values(input['ExpressionAttributeValues'] as Record<string, string>)[0]!;
    const start = input['ExclusiveStartKey'] as Key | undefined;
    const rows = this.partition(nameOf(input), PK).filter((row) => !start || String(row['SK']) > start.SK);
    const limit = (input['Limit'] as number | undefined) ?? rows.length;
    const Items = rows.slice(0, limit).map(copyOf);
    const last = Items.at(-1);
    return { Items, ...(rows.length > limit && last && { LastEvaluatedKey: { PK, SK: last['SK'] } }) };
  }
}

/** A conjunction of `attribute_exists(a)` and `attribute_not_exists(a)`. */
function isMet(input: Input, row: Row): boolean {
  const { ConditionExpression: condition, ExpressionAttributeNames: names } = input;
  if (typeof condition !== 'string') return true;
  return condition.split(' AND ').every((part) => {
    const [, not, attribute = ''] = /^attribute_(not_)?exists\(([^)]+)\)$/.exec(part) ?? [];
    if (!attribute) throw new Error(`the model knows no condition ${part}`);
    return ((names as Record<string, string> | undefined)?.[attribute] ?? attribute) in row !== (not !== undefined);
  });
}

export function idOf({ PK, SK }: Key): string {
  return `${PK} ${SK}`;
}

/** Nothing but a fence item holds more than one value deep. */
export function copyOf(row: Row): Row {
  return 'writers' in row ? structuredClone(row) : { ...row };
}

export function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

function nameOf(input: Input): string {
  return String(input['TableName']);
}
