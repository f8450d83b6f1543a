import type { SSMClient } from '@aws-sdk/client-ssm';
import type { DynamoDBDocumentClient, TransactWriteCommandOutput } from '@aws-sdk/lib-dynamodb';
import { AccountCache } from './account-cache.ts';
import { readSharedTable, type SharedTable } from './account-parameters.ts';
import { defaultBatchRetry, type BatchRetry } from './batches.ts';
import { adminRows } from './admin-rows.ts';
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
import { copyValue } from './copied-value.ts';
import { copyFields } from './input-fields.ts';
import { runOnTable, type OnTable } from './on-table.ts';
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
import { RowCalls } from './row-calls.ts';
import { Table, type CallOptions } from './table.ts';
import { defaultTableKeys, type TableKeys } from './table-keys.ts';

export interface AccountsAdminOptions extends Omit<CacheSettings, 'mostAccounts'> {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly ssm: SSMClient;
  /** The table's keys. Default: `PK`, `SK`. */
  readonly keys?: Pick<TableKeys, 'partitionKey' | 'sortKey'> | undefined;
  readonly batchRetry?: Partial<BatchRetry> | undefined;
}

/**
 * The whole shared table, rows of all public accounts and the metadata of all: for the operator's own services. No call reaches another
 * table. Inputs are the document client's, without the table's name and without the parameters that expressions replaced. A write among
 * the rows of an account whose move has come to the switch throws `AccountMovingError`, or `WriteOutcomeUnknownError` if that came to light
 * after it.
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

export function createAccountsAdmin(options: AccountsAdminOptions): AccountsAdmin {
  const { dynamodb, ssm, keys = defaultTableKeys, batchRetry, ...settings } = options;
  const { ttlMs, lookupTimeoutMs, known } = cacheOptions(settings);
  const load = () => readSharedTable(ssm, lookupTimeoutMs);
  const tables = new AccountCache<SharedTable>({ ...known, ttlMs: () => ttlMs, load });
  const retry = { ...defaultBatchRetry, ...batchRetry };
  const onTable: OnTable = (_kind, run) => runOnTable(tables, 'shared', ({ tableName }) => run(dynamodb, tableName));
  const rows = () => {
    const { guard, onTable: onKeptTable } = adminRows({ onTable, keys, timeoutMs: lookupTimeoutMs });
    return new RowCalls(guard, new Table(onKeptTable, retry));
  };
  return {
    resolveSharedTableName: async () => (await tables.get('shared')).tableName,
    adminGet: (input, options) => rows().get(input, options),
    adminPut: (input, options) => rows().put(input, options),
    adminUpdate: (input, options) => rows().update(input, options),
    adminDelete: (input, options) => rows().delete(input, options),
    adminBatchGet: (input, options) => rows().batchGet(input, options),
    adminBatchWrite: (input, options) => rows().batchWrite(input, options),
    adminTransactGet: (input, options) => rows().transactGet(input, options),
    adminTransactWrite: (input, options) => rows().transactWrite(input, options),
    ...pagedCalls(new Table(onTable, retry)),
  };
}

function pagedCalls(
  table: Table,
): Pick<AccountsAdmin, 'adminQuery' | 'adminPaginateQuery' | 'adminScan' | 'adminPaginateScan'> {
  async function adminQuery<T>(input: QueryInput, options?: CallOptions): Promise<QueryOutput<T>> {
    return asSaid(await table.query(copyValue(copyFields('', input, inputFields.query)), options));
  }
  async function adminScan<T>(input: ScanInput = {}, options?: CallOptions): Promise<ScanOutput<T>> {
    return asSaid(await table.scan(copyValue(copyFields('', input, inputFields.scan)), options));
  }
  return {
    adminQuery,
    adminScan,
    adminPaginateQuery: <T>(input: QueryInput, options?: CallOptions) =>
      pagesOf(input, (page) => adminQuery<T>(page, options)),
    adminPaginateScan: <T>(input: ScanInput = {}, options?: CallOptions) =>
      pagesOf(input, (page) => adminScan<T>(page, options)),
  };
}
