import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import type {
  BatchWriteCommandOutput,
  DeleteCommandOutput,
  GetCommandOutput,
  PutCommandOutput,
  QueryCommandOutput,
  ScanCommandOutput,
  TransactGetCommandOutput,
  UpdateCommandOutput,
} from '@aws-sdk/lib-dynamodb';

/** A page of a query or scan. */
type Page<O, T> = Omit<O, 'Items'> & { Items?: T[] };
export type GetOutput<T> = Omit<GetCommandOutput, 'Item'> & { Item?: T };
export type PutOutput<T> = Omit<PutCommandOutput, 'Attributes'> & { Attributes?: T };
export type UpdateOutput<T> = Omit<UpdateCommandOutput, 'Attributes'> & { Attributes?: Partial<T> };
export type DeleteOutput<T> = Omit<DeleteCommandOutput, 'Attributes'> & { Attributes?: T };
export type QueryOutput<T> = Page<QueryCommandOutput, T>;
export type ScanOutput<T> = Page<ScanCommandOutput, T>;
export type TransactGetOutput<T> = Omit<TransactGetCommandOutput, 'Responses'> & { Responses?: { Item?: T }[] };
export interface BatchGetOutput<T> {
  /** In no order; a key without a row has none. */
  readonly Items: T[];
  /** Of each attempt. */
  readonly ConsumedCapacity: readonly ConsumedCapacity[];
}
export interface BatchWriteOutput {
  /** Of each attempt. */
  readonly ConsumedCapacity: readonly ConsumedCapacity[];
  readonly ItemCollectionMetrics: readonly CollectionMetrics[];
}
export type CollectionMetrics = NonNullable<BatchWriteCommandOutput['ItemCollectionMetrics']>[string][number];

/** What rows look like is said by who calls: nothing here knows. */
export function asSaid<O>(answer: object): O {
  return answer as O;
}
