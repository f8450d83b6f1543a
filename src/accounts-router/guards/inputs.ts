import type {
  BatchGetCommandInput,
  BatchWriteCommandInput,
  DeleteCommandInput,
  GetCommandInput,
  PutCommandInput,
  QueryCommandInput,
  ScanCommandInput,
  TransactGetCommandInput,
  TransactWriteCommandInput,
  UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';

const read = ['ConsistentRead', 'ProjectionExpression', 'ExpressionAttributeNames', 'ReturnConsumedCapacity'] as const;
const condition = ['ConditionExpression', 'ExpressionAttributeNames', 'ExpressionAttributeValues'] as const;
const onFailure = 'ReturnValuesOnConditionCheckFailure';
const written = ['ReturnValues', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics', onFailure] as const;

/**
 * The fields that each call takes: those of the document client, without the table's name and without the parameters that expressions
 * replaced. A list of what is known: what AWS adds is refused until it was looked at.
 */
export const inputFields = {
  get: ['Key', ...read] as const satisfies readonly (keyof GetCommandInput)[],
  put: ['Item', ...condition, ...written] as const satisfies readonly (keyof PutCommandInput)[],
  update: [
    'Key',
    'UpdateExpression',
    ...condition,
    ...written,
  ] as const satisfies readonly (keyof UpdateCommandInput)[],
  delete: ['Key', ...condition, ...written] as const satisfies readonly (keyof DeleteCommandInput)[],
  query: [
    ...(['IndexName', 'KeyConditionExpression', 'FilterExpression', 'ExpressionAttributeValues', ...read] as const),
    ...(['Select', 'Limit', 'ScanIndexForward', 'ExclusiveStartKey'] as const),
  ] as const satisfies readonly (keyof QueryCommandInput)[],
  scan: [
    ...(['IndexName', 'FilterExpression', 'ExpressionAttributeValues', ...read] as const),
    ...(['Select', 'Limit', 'ExclusiveStartKey', 'Segment', 'TotalSegments'] as const),
  ] as const satisfies readonly (keyof ScanCommandInput)[],
  batchGet: ['Keys', ...read] as const,
  batchWrite: ['Requests', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics'] as const,
  transactGet: [
    'TransactItems',
    'ReturnConsumedCapacity',
  ] as const satisfies readonly (keyof TransactGetCommandInput)[],
  transactWrite: [
    ...(['TransactItems', 'ClientRequestToken', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics'] as const),
  ] as const satisfies readonly (keyof TransactWriteCommandInput)[],
};

/** The fields of each item of a transaction. */
export const transactFields = {
  Get: ['Key', 'ProjectionExpression', 'ExpressionAttributeNames'],
  Put: ['Item', ...condition, onFailure],
  Update: ['Key', 'UpdateExpression', ...condition, onFailure],
  Delete: ['Key', ...condition, onFailure],
  ConditionCheck: ['Key', ...condition, onFailure],
} as const;

/** Attributes by name, as the document client takes them: numbers, strings, sets, maps, ... */
export type Attributes = Readonly<Record<string, unknown>>;

type Fields<Input, F extends PropertyKey> = Omit<Pick<Input, F & keyof Input>, 'Key' | 'Item'>;

/** The sort key; the partition key may stand beside it, and is then the account's own. */
interface Keyed {
  readonly Key: Attributes;
}
/** At least the sort key. The partition key may be among the attributes, and is then the account's own. */
interface Itemed<T> {
  readonly Item: T;
}

export type GetInput = Keyed & Fields<GetCommandInput, (typeof inputFields.get)[number]>;
export type PutInput<T = Attributes> = Itemed<T> & Fields<PutCommandInput, (typeof inputFields.put)[number]>;
export type UpdateInput = Keyed & Fields<UpdateCommandInput, (typeof inputFields.update)[number]>;
export type DeleteInput = Keyed & Fields<DeleteCommandInput, (typeof inputFields.delete)[number]>;
/** `KeyConditionExpression` is over the sort key; a query of an index names the index's partition key as well. */
export type QueryInput = Fields<QueryCommandInput, (typeof inputFields.query)[number]>;
/** Of the admin calls alone. */
export type ScanInput = Fields<ScanCommandInput, (typeof inputFields.scan)[number]>;

/** At most 100 keys. */
export interface BatchGetInput
  extends Omit<GetInput, 'Key' | 'ReturnConsumedCapacity'>, Pick<BatchGetCommandInput, 'ReturnConsumedCapacity'> {
  readonly Keys: readonly Attributes[];
}

export type WriteRequest<T = Attributes> = { readonly PutRequest: Itemed<T> } | { readonly DeleteRequest: Keyed };
/** At most 25 requests. */
export interface BatchWriteInput<T = Attributes> extends Pick<
  BatchWriteCommandInput,
  'ReturnConsumedCapacity' | 'ReturnItemCollectionMetrics'
> {
  readonly Requests: readonly WriteRequest<T>[];
}

type ReadItem = NonNullable<NonNullable<TransactGetCommandInput['TransactItems']>[number]['Get']>;
type WriteItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
type WriteField<A extends keyof WriteItem> = Omit<NonNullable<WriteItem[A]>, 'TableName' | 'Key' | 'Item'>;

export interface TransactGetInput extends Pick<TransactGetCommandInput, 'ReturnConsumedCapacity'> {
  readonly TransactItems: readonly { readonly Get: Keyed & Omit<ReadItem, 'TableName' | 'Key'> }[];
}
export type TransactWriteItem<T = Attributes> =
  | { readonly Put: Itemed<T> & WriteField<'Put'> }
  | { readonly Update: Keyed & WriteField<'Update'> }
  | { readonly Delete: Keyed & WriteField<'Delete'> }
  | { readonly ConditionCheck: Keyed & WriteField<'ConditionCheck'> };
export interface TransactWriteInput<T = Attributes> extends Pick<
  TransactWriteCommandInput,
  'ClientRequestToken' | 'ReturnConsumedCapacity' | 'ReturnItemCollectionMetrics'
> {
  readonly TransactItems: readonly TransactWriteItem<T>[];
}
