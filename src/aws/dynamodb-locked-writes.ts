import {
  TransactionCanceledException,
  TransactWriteItemsCommand,
  type CancellationReason,
  type ConditionCheck,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { StepError } from '../contracts/step-error.ts';
import { currentCallContext } from './call-context.ts';
import { MARK_ATTRIBUTE } from './dynamodb-values.ts';
import { isAwsError } from './errors.ts';
import { isThrottled, MOST_TRIES, passes, pauseAfter } from './repeats.ts';
import { bytesOfRow } from './row-size.ts';
import type { Row } from './row-checksum.ts';
import { INSTALLATION_TAG, TENANT_TAG, type Owner } from './tags.ts';

/** Rows of one table. No key may come twice. */
export interface RowChanges {
  /** Written over whatever is there. */
  readonly put: readonly Row[];
  /** Keys of rows that are deleted; one that is missing is done. */
  readonly remove: readonly Row[];
  /** Rows that bear this owner's mark are not touched: the whole ends there. */
  readonly notOf: Owner;
}

/** The condition on the lock goes with the rows: DynamoDB takes 100 items in a transaction. */
const MOST_ROWS = 99;
/** DynamoDB takes 4 MB; what is written over may count as well. */
const MOST_BYTES = 2_000_000;
export type LockCheck = Omit<ConditionCheck, 'TableName'>;

/**
 * @param rounds in which a part may be refused for its rate, or for another transaction
 * @throws StepError CONFLICT_RETRYABLE when the lock is another attempt's, or a row bears a mark; what AWS said last after so many rounds
 */
export async function writeLocked(
  client: DynamoDBClient,
  TableName: string,
  lock: LockCheck,
  { notOf, put, remove }: RowChanges,
  rounds: number,
): Promise<void> {
  const unmarked = unlessMarkOf(notOf);
  const changes: Change[] = [
    ...put.map((Item) => ({
      item: { Put: { TableName, Item: { ...Item }, ...unmarked } },
      bytes: bytesOfRow(Item),
    })),
    ...remove.map((Key) => ({ item: { Delete: { TableName, Key: { ...Key }, ...unmarked } }, bytes: bytesOfRow(Key) })),
  ];
  for (const items of partsOf(changes))
    await writePart(client, [{ ConditionCheck: { TableName, ...lock } }, ...items], { table: TableName, rounds });
}

interface Change {
  readonly item: TransactWriteItem;
  readonly bytes: number;
}

function* partsOf(changes: readonly Change[]): Generator<TransactWriteItem[]> {
  let part: TransactWriteItem[] = [];
  let size = 0;
  for (const { bytes, item } of changes) {
    if (part.length === MOST_ROWS || (part.length > 0 && size + bytes > MOST_BYTES)) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(item);
    size += bytes;
  }
  if (part.length > 0) yield part;
}

/** A row may have an attribute of the mark's name that is none. */
function unlessMarkOf({ installationId, tenantId }: Owner) {
  return {
    ConditionExpression: 'NOT (#mark.#installation = :installation AND #mark.#tenant = :tenant)',
    ExpressionAttributeNames: { '#mark': MARK_ATTRIBUTE, '#installation': INSTALLATION_TAG, '#tenant': TENANT_TAG },
    ExpressionAttributeValues: { ':installation': { S: installationId }, ':tenant': { S: tenantId } },
  };
}

async function writePart(
  client: DynamoDBClient,
  TransactItems: TransactWriteItem[],
  { rounds, table }: { readonly rounds: number; readonly table: string },
): Promise<void> {
  let most = rounds;
  /** From the first try on of which nobody knows what became. */
  let kept: string | undefined;
  for (let round = 1; ; round += 1) {
    const ClientRequestToken = kept ?? randomUUID();
    try {
      await client.send(new TransactWriteItemsCommand({ ClientRequestToken, TransactItems }));
      return;
    } catch (error) {
      refuseSuperseded(error, table);
      if (passes(error) && !isThrottled(error)) {
        // A try that lands late must not undo what this attempt writes after it: DynamoDB makes one of all with the same token, for 10 minutes.
        kept = ClientRequestToken;
        most = Math.min(most, round + MOST_TRIES);
      } else if (!isRefused(error)) throw error;
      if (round >= most) throw error;
    }
    currentCallContext()?.signal.throwIfAborted();
    await pauseAfter(round);
  }
}

function refuseSuperseded(error: unknown, table: string): void {
  const [ofLock, ...ofRows] = reasonsOf(error);
  const isUnmet = ({ Code }: CancellationReason) => Code === 'ConditionalCheckFailed';
  if (ofLock && isUnmet(ofLock))
    throw new StepError('CONFLICT_RETRYABLE', `another attempt writes rows into table ${table} by now`, {
      detail: 'this one was superseded: its rows were not written',
      cause: error,
    });
  if (ofRows.some(isUnmet))
    throw new StepError('CONFLICT_RETRYABLE', `a row of table ${table} has the control plane's mark by now`, {
      detail: 'it was left as it is',
      cause: error,
    });
}

/** Reasons of one transaction that pass by themselves. */
const passing = ['None', 'TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'];

/** For its rate, or for another transaction: it did nothing. */
function isRefused(error: unknown): boolean {
  if (isThrottled(error) || isAwsError(error, 'TransactionConflict')) return true;
  const reasons = reasonsOf(error);
  return reasons.length > 0 && reasons.every(({ Code = 'None' }) => passing.includes(Code));
}

/** Why a transaction was canceled, by its items; empty: it was not. */
function reasonsOf(error: unknown): readonly CancellationReason[] {
  const cause = error instanceof StepError ? error.cause : error;
  return cause instanceof TransactionCanceledException ? (cause.CancellationReasons ?? []) : [];
}
