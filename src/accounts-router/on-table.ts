import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { AccountCache } from './account-cache.ts';
import { isNamed } from './error-names.ts';
import { TableNotFoundError } from './errors.ts';

/** Whether a call changes rows. */
export type CallKind = 'read' | 'write';

/** Runs a call on the table of somebody's rows; looks the table up anew and repeats the call once when DynamoDB knows no such table. */
export type OnTable = <A>(
  kind: CallKind,
  run: (client: DynamoDBDocumentClient, tableName: string) => Promise<A>,
  signal: AbortSignal | undefined,
) => Promise<A>;

/**
 * What {@link OnTable} does, by a cache of where tables are. A call that found no table has read and written nothing.
 * @throws TableNotFoundError, and what the cache and the call throw
 */
export async function runOnTable<L extends { readonly tableName: string }, A>(
  cache: AccountCache<L>,
  accountId: string,
  run: (location: L) => Promise<A>,
): Promise<A> {
  const location = await cache.get(accountId);
  try {
    return await run(location);
  } catch (error) {
    if (!isNamed(error, 'ResourceNotFoundException')) throw error;
  }
  const again = await cache.refresh(accountId, location);
  try {
    return await run(again);
  } catch (cause) {
    if (!isNamed(cause, 'ResourceNotFoundException')) throw cause;
    const error = new TableNotFoundError(again.tableName, { cause });
    cache.refute(accountId, again, error);
    throw error;
  }
}
