import type { SSMClient } from '@aws-sdk/client-ssm';
import type { DynamoDBDocumentClient, TransactWriteCommandOutput } from '@aws-sdk/lib-dynamodb';
import { AccountCall } from './account-call.ts';
import { assertAccountId } from './account-id.ts';
import type { AccountLocation } from './account-parameters.ts';
import { createAccountPlaces } from './account-places.ts';
import { defaultBatchRetry, type BatchRetry } from './batches.ts';
import type { CacheSettings } from './cache-settings.ts';
import type {
  Attributes,
  BatchGetInput,
  BatchWriteInput,
  DeleteInput,
  GetInput,
  PutInput,
  QueryInput,
  TransactGetInput,
  TransactWriteInput,
  UpdateInput,
} from './guards/inputs.ts';
import { guardQuery } from './guards/query.ts';
import { OwnRows } from './guards/own-rows.ts';
import type { CallKind } from './on-table.ts';
import { keepLatest } from './keep-latest.ts';
import {
  asSaid,
  type BatchGetOutput,
  type BatchWriteOutput,
  type DeleteOutput,
  type GetOutput,
  type PutOutput,
  type QueryOutput,
  type TransactGetOutput,
  type UpdateOutput,
} from './outputs.ts';
import { queryOwnPage } from './own-pages.ts';
import { pagesOf } from './pages.ts';
import { defaultMoveWaitMs } from './patience.ts';
import { RowCalls } from './row-calls.ts';
import type { AccountClients } from './sessions.ts';
import { Table, type CallOptions } from './table.ts';
import { createScopes, defaultTableKeys, type AccountScope, type TableKeys } from './table-keys.ts';

export interface AccountsRouterOptions extends CacheSettings {
  /** One client for all accounts, or a client for each (`createAccountSessions`). */
  readonly dynamodb: DynamoDBDocumentClient | AccountClients;
  readonly ssm: SSMClient;
  /** The tables' keys. Default: `PK`, `SK`, `GSI1` to `GSI3`. */
  readonly keys?: TableKeys | undefined;
  readonly batchRetry?: Partial<BatchRetry> | undefined;
  /**
   * How long a write waits while an account is switched to another table, and any call for answers about a move: 60 seconds. A write that was done waits as
   * long again for the answer whether it counts.
   */
  readonly moveWaitMs?: number | undefined;
}

/** Calls of the router on one row, by its sort key. */
export interface OneRowCalls {
  get<T = Attributes>(accountId: string, input: GetInput, options?: CallOptions): Promise<GetOutput<T>>;
  put<T = Attributes>(accountId: string, input: PutInput<T>, options?: CallOptions): Promise<PutOutput<T>>;
  update<T = Attributes>(accountId: string, input: UpdateInput, options?: CallOptions): Promise<UpdateOutput<T>>;
  delete<T = Attributes>(accountId: string, input: DeleteInput, options?: CallOptions): Promise<DeleteOutput<T>>;
}

/** Calls of the router on one partition of the table or of an index. */
export interface QueryCalls {
  /** One page. */
  query<T = Attributes>(accountId: string, input: QueryInput, options?: CallOptions): Promise<QueryOutput<T>>;
  /** The pages of a query, each of at most `Limit` rows. */
  paginateQuery<T = Attributes>(
    accountId: string,
    input: QueryInput,
    options?: CallOptions,
  ): AsyncGenerator<QueryOutput<T>, void, undefined>;
  /** The rows of all pages of a query. */
  queryItems<T = Attributes>(
    accountId: string,
    input: QueryInput,
    options?: CallOptions,
  ): AsyncGenerator<T, void, undefined>;
}

/** Calls of the router on rows by their sort keys. */
export interface SeveralRowsCalls {
  /** @throws BatchUnprocessedError when DynamoDB leaves keys unread in every attempt */
  batchGet<T = Attributes>(accountId: string, input: BatchGetInput, options?: CallOptions): Promise<BatchGetOutput<T>>;
  /** @throws BatchUnprocessedError when DynamoDB leaves requests undone in every attempt */
  batchWrite<T = Attributes>(
    accountId: string,
    input: BatchWriteInput<T>,
    options?: CallOptions,
  ): Promise<BatchWriteOutput>;
  transactGet<T = Attributes>(
    accountId: string,
    input: TransactGetInput,
    options?: CallOptions,
  ): Promise<TransactGetOutput<T>>;
  transactWrite<T = Attributes>(
    accountId: string,
    input: TransactWriteInput<T>,
    options?: CallOptions,
  ): Promise<TransactWriteCommandOutput>;
}

/**
 * The rows of accounts. Every call takes the account's id and the document client's input without the table's name, and reaches
 * rows of that account only. All of them throw the errors of this package before anything is sent, and what the SDK throws after.
 */
export interface AccountsRouter extends OneRowCalls, QueryCalls, SeveralRowsCalls {
  /**
   * The table that the account's rows are in, now: an account that is being moved is in another one later.
   * @throws InvalidAccountIdError, AccountNotFoundError, AccountNotActiveError, AccountParametersError, AccountLookupError
   */
  resolveTableName(accountId: string): Promise<string>;
  /** Where the account's rows are is asked anew by its next call. */
  forget(accountId: string): void;
}

export function createAccountsRouter(options: AccountsRouterOptions): AccountsRouter {
  const { dynamodb, ssm, keys = defaultTableKeys, batchRetry, moveWaitMs = defaultMoveWaitMs, ...settings } = options;
  const clientOf = (location: AccountLocation) => ('clientOf' in dynamodb ? dynamodb.clientOf(location) : dynamodb);
  const places = createAccountPlaces({ ...settings, ssm, clientOf, keys });
  const run = <A>(
    accountId: string,
    kind: CallKind,
    send: (location: AccountLocation) => Promise<A>,
    signal?: AbortSignal,
  ) => new AccountCall({ accountId, kind, places, moveWaitMs, signal, send }).run();
  const scopeOf = createScopes(keys);
  const retry = { ...defaultBatchRetry, ...batchRetry };
  const account = remembering((accountId): AccountAccess => {
    const scope = scopeOf(accountId);
    const table = new Table(
      (kind, send, signal) => run(accountId, kind, (location) => send(clientOf(location), location.tableName), signal),
      retry,
    );
    return { scope, table, rows: new RowCalls(new OwnRows(scope), table) };
  });
  return {
    async resolveTableName(accountId) {
      assertAccountId(accountId);
      return run(accountId, 'read', ({ tableName }) => Promise.resolve(tableName));
    },
    forget(accountId) {
      assertAccountId(accountId);
      places.forget(accountId);
    },
    ...rowCalls(account),
    ...queries(account),
  };
}

/** What the calls of one account go through. It keeps nothing of a call. */
interface AccountAccess {
  readonly scope: AccountScope;
  readonly table: Table;
  readonly rows: RowCalls;
}
type AccessOf = (accountId: string) => AccountAccess;

const mostRemembered = 1_000;

/** Makes it once for an account, while it is one of the latest. @throws what making it throws: nothing is kept then */
function remembering(make: AccessOf): AccessOf {
  const known = new Map<string, AccountAccess>();
  return (accountId) => {
    const found = known.get(accountId);
    if (found) return found;
    const made = make(accountId);
    keepLatest(known, accountId, made, mostRemembered);
    return made;
  };
}

function rowCalls(account: AccessOf): OneRowCalls & SeveralRowsCalls {
  const of = (accountId: string) => account(accountId).rows;
  // An account id that is none rejects, too.
  return {
    get: async (accountId, input, options) => of(accountId).get(input, options),
    put: async (accountId, input, options) => of(accountId).put(input, options),
    update: async (accountId, input, options) => of(accountId).update(input, options),
    delete: async (accountId, input, options) => of(accountId).delete(input, options),
    batchGet: async (accountId, input, options) => of(accountId).batchGet(input, options),
    batchWrite: async (accountId, input, options) => of(accountId).batchWrite(input, options),
    transactGet: async (accountId, input, options) => of(accountId).transactGet(input, options),
    transactWrite: async (accountId, input, options) => of(accountId).transactWrite(input, options),
  };
}

function queries(account: AccessOf): QueryCalls {
  async function query<T>(accountId: string, input: QueryInput, options?: CallOptions): Promise<QueryOutput<T>> {
    const { scope, table } = account(accountId);
    return asSaid(await queryOwnPage(table, scope, guardQuery(scope, input), options));
  }
  function paginateQuery<T>(accountId: string, input: QueryInput, options?: CallOptions) {
    return pagesOf(input, (page) => query<T>(accountId, page, options));
  }
  function queryItems<T>(accountId: string, input: QueryInput, options?: CallOptions) {
    return itemsOf(paginateQuery<T>(accountId, input, options));
  }
  return { query, paginateQuery, queryItems };
}

async function* itemsOf<T>(pages: AsyncIterable<QueryOutput<T>>): AsyncGenerator<T, void, undefined> {
  for await (const { Items = [] } of pages) yield* Items;
}
