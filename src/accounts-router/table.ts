import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
  type BatchWriteCommandOutput,
  type DynamoDBDocumentClient,
  type TransactGetCommandInput,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { sendWholeBatch, type BatchRetry } from './batches.ts';
import type { OnTable } from './on-table.ts';
import type { BatchWriteOutput } from './outputs.ts';

export interface CallOptions {
  /** Ends the call. What a write that was under way did is then not known. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** Fields that were checked, as they are sent. */
export type Fields = Readonly<Record<string, unknown>>;
export interface KeyedFields extends Fields {
  readonly Key: Record<string, unknown>;
}
export interface ItemFields extends Fields {
  readonly Item: Record<string, unknown>;
}
export interface BatchGetFields {
  readonly keys: readonly Fields[];
  /** Said of the table. */
  readonly ofTable: Fields;
  readonly ofCall: Fields;
}
export interface BatchWriteFields {
  readonly requests: readonly Fields[];
  readonly ofCall: Fields;
}
/** Items of a transaction, once the name of the table is known. */
export interface TransactFields<Input extends { readonly TransactItems: unknown }> {
  readonly itemsOf: (tableName: string) => Input['TransactItems'];
  readonly ofCall: Fields;
}

/** The document client's calls on one table, whichever it turns out to be. */
export class Table {
  readonly #onTable: OnTable;
  readonly #retry: BatchRetry;

  constructor(onTable: OnTable, retry: BatchRetry) {
    this.#onTable = onTable;
    this.#retry = retry;
  }

  get(fields: KeyedFields, options?: CallOptions) {
    return this.#onTable(
      'read',
      (client, TableName) => client.send(new GetCommand({ ...fields, TableName }), options),
      options?.abortSignal,
    );
  }

  put(fields: ItemFields, options?: CallOptions) {
    return this.#onTable(
      'write',
      (client, TableName) => client.send(new PutCommand({ ...fields, TableName }), options),
      options?.abortSignal,
    );
  }

  update(fields: KeyedFields, options?: CallOptions) {
    return this.#onTable(
      'write',
      (client, TableName) => client.send(new UpdateCommand({ ...fields, TableName }), options),
      options?.abortSignal,
    );
  }

  delete(fields: KeyedFields, options?: CallOptions) {
    return this.#onTable(
      'write',
      (client, TableName) => client.send(new DeleteCommand({ ...fields, TableName }), options),
      options?.abortSignal,
    );
  }

  query(fields: Fields, options?: CallOptions) {
    return this.#onTable(
      'read',
      (client, TableName) => client.send(new QueryCommand({ ...fields, TableName }), options),
      options?.abortSignal,
    );
  }

  scan(fields: Fields, options?: CallOptions) {
    return this.#onTable(
      'read',
      (client, TableName) => client.send(new ScanCommand({ ...fields, TableName }), options),
      options?.abortSignal,
    );
  }

  transactGet({ ofCall, itemsOf }: TransactFields<TransactGetCommandInput>, options?: CallOptions) {
    return this.#onTable(
      'read',
      (client, table) => client.send(new TransactGetCommand({ ...ofCall, TransactItems: itemsOf(table) }), options),
      options?.abortSignal,
    );
  }

  transactWrite({ ofCall, itemsOf }: TransactFields<TransactWriteCommandInput>, options?: CallOptions) {
    return this.#onTable(
      'write',
      (client, table) => client.send(new TransactWriteCommand({ ...ofCall, TransactItems: itemsOf(table) }), options),
      options?.abortSignal,
    );
  }

  batchGet(fields: BatchGetFields, options?: CallOptions) {
    return batchGet(this.#onTable, fields, this.#retry, options);
  }

  batchWrite(fields: BatchWriteFields, options?: CallOptions) {
    return batchWrite(this.#onTable, fields, this.#retry, options);
  }
}

/** @throws BatchUnprocessedError */
async function batchGet(onTable: OnTable, fields: BatchGetFields, retry: BatchRetry, options: CallOptions = {}) {
  const { keys, ofTable, ofCall } = fields;
  const send = (part: readonly Fields[]) =>
    onTable(
      'read',
      async (client: DynamoDBDocumentClient, table) => {
        const request = { [table]: { ...ofTable, Keys: [...part] } };
        const answer = await client.send(new BatchGetCommand({ ...ofCall, RequestItems: request }), options);
        const left: readonly Fields[] = answer.UnprocessedKeys?.[table]?.Keys ?? [];
        return { left, items: answer.Responses?.[table] ?? [], answer: answer.ConsumedCapacity ?? [] };
      },
      options.abortSignal,
    );
  const { items, answers } = await sendWholeBatch(keys, retry, send, options.abortSignal);
  return { Items: items, ConsumedCapacity: answers.flat() };
}

/** @throws BatchUnprocessedError */
async function batchWrite(
  onTable: OnTable,
  { requests, ofCall }: BatchWriteFields,
  retry: BatchRetry,
  options: CallOptions = {},
): Promise<BatchWriteOutput> {
  const send = (part: readonly Fields[]) =>
    onTable(
      'write',
      async (client: DynamoDBDocumentClient, table) => {
        const answer = await client.send(
          new BatchWriteCommand({ ...ofCall, RequestItems: { [table]: [...part] } }),
          options,
        );
        const left: readonly Fields[] = answer.UnprocessedItems?.[table] ?? [];
        return { left, items: [], answer };
      },
      options.abortSignal,
    );
  const { answers } = await sendWholeBatch(requests, retry, send, options.abortSignal);
  return {
    ConsumedCapacity: answers.flatMap(({ ConsumedCapacity = [] }) => ConsumedCapacity),
    ItemCollectionMetrics: answers.flatMap(metricsOf),
  };
}

function metricsOf({ ItemCollectionMetrics = {} }: BatchWriteCommandOutput) {
  return Object.values(ItemCollectionMetrics).flat();
}
