import type { SSMClient } from '@aws-sdk/client-ssm';
import type { DynamoDBDocumentClient, TransactWriteCommandOutput } from '@aws-sdk/lib-dynamodb';
import { AccountCache } from './account-cache.ts';
import { readSharedTable, type SharedTable } from './account-parameters.ts';
import { defaultBatchRetry, type BatchRetry } from './batches.ts';
import { cacheOptions, type CacheSettings } from './cache-settings.ts';
import {
  inputFields,
  type Attributes,
  type BatchGetInput,
  type BatchWriteInput,
  type DeleteInput,
  type GetInput,
  type PutInput,
  type QueryInput,
  type ScanInput,
  type TransactGetInput,
  type TransactWriteInput,
  type UpdateInput,
} from './guards/inputs.ts';
import { anyRow, itemed, keyed } from './guards/row-guard.ts';
import { guardBatchGet, guardBatchWrite, guardTransactGet, guardTransactWrite } from './guards/several.ts';
import { copyFields } from './input-fields.ts';
import { runOnTable } from './on-table.ts';
import {
  asSaid,
  type BatchGetOutput,
  type BatchWriteOutput,
  type DeleteOutput,
  type GetOutput,
  type PutOutput,
  type QueryOutput,
  type ScanOutput,
  type TransactGetOutput,
  type UpdateOutput,
} from './outputs.ts';
import { pagesOf } from './pages.ts';
import { createTable, type CallOptions, type Table } from './table.ts';

export interface AccountsAdminOptions extends Omit<CacheSettings, 'mostAccounts'> {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly ssm: SSMClient;
  readonly batchRetry?: Partial<BatchRetry> | undefined;
}

/**
 * The whole shared table, rows of all public accounts and the metadata of all: for the operator's own services. No call reaches another
 * table. Inputs are the document client's, without the table's name and without the parameters that expressions replaced.
 */
export interface AccountsAdmin {
  /** @throws AccountParametersError, AccountLookupError */
  resolveSharedTableName(): Promise<string>;
  adminGet<T = Attributes>(input: GetInput, options?: CallOptions): Promise<GetOutput<T>>;
  adminPut<T = Attributes>(input: PutInput<T>, options?: CallOptions): Promise<PutOutput<T>>;
  adminUpdate<T = Attributes>(input: UpdateInput, options?: CallOptions): Promise<UpdateOutput<T>>;
  adminDelete<T = Attributes>(input: DeleteInput, options?: CallOptions): Promise<DeleteOutput<T>>;
  /** One page. */
  adminQuery<T = Attributes>(input: QueryInput, options?: CallOptions): Promise<QueryOutput<T>>;
  adminPaginateQuery<T = Attributes>(
    input: QueryInput,
    options?: CallOptions,
  ): AsyncGenerator<QueryOutput<T>, void, undefined>;
  /** One page. */
  adminScan<T = Attributes>(input?: ScanInput, options?: CallOptions): Promise<ScanOutput<T>>;
  adminPaginateScan<T = Attributes>(
    input?: ScanInput,
    options?: CallOptions,
  ): AsyncGenerator<ScanOutput<T>, void, undefined>;
  /** @throws BatchUnprocessedError */
  adminBatchGet<T = Attributes>(input: BatchGetInput, options?: CallOptions): Promise<BatchGetOutput<T>>;
  /** @throws BatchUnprocessedError */
  adminBatchWrite<T = Attributes>(input: BatchWriteInput<T>, options?: CallOptions): Promise<BatchWriteOutput>;
  adminTransactGet<T = Attributes>(input: TransactGetInput, options?: CallOptions): Promise<TransactGetOutput<T>>;
  adminTransactWrite<T = Attributes>(
    input: TransactWriteInput<T>,
    options?: CallOptions,
  ): Promise<TransactWriteCommandOutput>;
}

export function createAccountsAdmin({ dynamodb, ssm, batchRetry, ...settings }: AccountsAdminOptions): AccountsAdmin {
  const { lookupTimeoutMs, ...cached } = cacheOptions(settings);
  const tables = new AccountCache<SharedTable>({ ...cached, load: () => readSharedTable(ssm, lookupTimeoutMs) });
  const table = createTable((run) => runOnTable(tables, 'shared', ({ tableName }) => run(dynamodb, tableName)), {
    ...defaultBatchRetry,
    ...batchRetry,
  });
  return {
    resolveSharedTableName: async () => (await tables.get('shared')).tableName,
    ...callsOfOneRow(table),
    ...pagedCalls(table),
    ...callsOfSeveralRows(table),
  };
}

function callsOfOneRow(table: Table): Pick<AccountsAdmin, 'adminGet' | 'adminPut' | 'adminUpdate' | 'adminDelete'> {
  return {
    adminGet: async (input, options) => asSaid(await table.get(keyed(anyRow, input, inputFields.get), options)),
    adminPut: async (input, options) => asSaid(await table.put(itemed(anyRow, input, inputFields.put), options)),
    adminUpdate: async (input, options) =>
      asSaid(await table.update(keyed(anyRow, input, inputFields.update), options)),
    adminDelete: async (input, options) =>
      asSaid(await table.delete(keyed(anyRow, input, inputFields.delete), options)),
  };
}

function pagedCalls(
  table: Table,
): Pick<AccountsAdmin, 'adminQuery' | 'adminPaginateQuery' | 'adminScan' | 'adminPaginateScan'> {
  async function adminQuery<T>(input: QueryInput, options?: CallOptions): Promise<QueryOutput<T>> {
    return asSaid(await table.query(copyFields('', input, inputFields.query), options));
  }
  async function adminScan<T>(input: ScanInput = {}, options?: CallOptions): Promise<ScanOutput<T>> {
    return asSaid(await table.scan(copyFields('', input, inputFields.scan), options));
  }
  return {
    adminQuery,
    adminScan,
    adminPaginateQuery: <T>(input: QueryInput, options?: CallOptions) =>
      pagesOf((start) => adminQuery<T>({ ...input, ...start }, options)),
    adminPaginateScan: <T>(input: ScanInput = {}, options?: CallOptions) =>
      pagesOf((start) => adminScan<T>({ ...input, ...start }, options)),
  };
}

function callsOfSeveralRows(
  table: Table,
): Pick<AccountsAdmin, 'adminBatchGet' | 'adminBatchWrite' | 'adminTransactGet' | 'adminTransactWrite'> {
  return {
    adminBatchGet: async (input, options) => asSaid(await table.batchGet(guardBatchGet(anyRow, input), options)),
    adminBatchWrite: async (input, options) => table.batchWrite(guardBatchWrite(anyRow, input), options),
    adminTransactGet: async (input, options) =>
      asSaid(await table.transactGet(guardTransactGet(anyRow, input), options)),
    adminTransactWrite: async (input, options) => table.transactWrite(guardTransactWrite(anyRow, input), options),
  };
}
