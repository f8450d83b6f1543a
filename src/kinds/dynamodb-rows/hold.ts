import {
  fencePartition,
  fenceSortKey,
  parseFence,
  type Fence,
  type VerifiedRows,
} from '../../accounts-router/fence.ts';
import { StepError } from '../../contracts/step-error.ts';
import { operationTable } from '../../contracts/operation-table.ts';
import { readClock } from '../../db/clock.ts';
import { findOperation } from '../../db/operations.ts';
import { sumUp, type OwnPartition } from './rows.ts';
import type { RowsContext as Context } from './spec.ts';

/** Of the removal's notes: the move whose rows were compared before the first of them went. */
const VERIFIED = 'verified';

/** Rows that were moved to another table. */
export interface Hold {
  readonly moveId: string;
  readonly toTable: string;
  readonly verified: VerifiedRows;
  /** Until when they stay; undefined: they may go. */
  readonly until: string | undefined;
}

/** The rows are none of the tenant's: it never served, so that no service wrote them for it. */
export const NOT_ITS = 'not-its';

/**
 * Undefined: they go at once, since the tenant does; its final dump has them.
 * @throws StepError STILL_PRESENT when an active tenant would lose rows that no other table is known to hold
 */
export async function findHold(context: Context, partition: OwnPartition): Promise<Hold | typeof NOT_ITS | undefined> {
  const { db, operation, spec, tenant } = context;
  const asked = await findOperation(db, operation.id);
  if (asked && operationTable[asked.type].target === 'nothing') return undefined;
  if (!tenant.everActive) return NOT_ITS;
  const fence = await findFence(context, partition);
  const movedAtMs = fence?.state === 'moved' ? Date.parse(fence.movedAt ?? '') : Number.NaN;
  if (!fence?.verified || Number.isNaN(movedAtMs))
    throw kept(
      partition,
      'the tenant was active, and nothing says that its rows were moved. Compare both tables by hand; what the old one holds alone is lost when it is deleted',
    );
  const { moveId, toTable, verified } = fence;
  const until = new Date(movedAtMs + (spec.holdSeconds ?? 0) * 1_000);
  return { moveId, toTable, verified, until: (await readClock(db)) < until ? until.toISOString() : undefined };
}

/**
 * Compares what is there with what the move verified, once: after that rows are deleted.
 * @throws StepError STILL_PRESENT when it is not the same
 */
export async function confirmMoved(
  context: Context,
  partition: OwnPartition,
  { moveId, toTable, verified }: Hold,
): Promise<void> {
  const { removal } = context;
  if (removal.noted()[VERIFIED] === moveId) return;
  const { count, checksum } = await sumUp(context, partition);
  if (count !== verified.count || checksum !== verified.checksum)
    throw kept(
      partition,
      `they are not those that were moved to table ${toTable}: ${verified.count} then (checksum ${verified.checksum}), ${count} now (checksum ${checksum}). ${whatHappened} ${whatToDo}`,
    );
  await removal.note({ [VERIFIED]: moveId });
}

const whatHappened =
  'Since the switch a write of a router landed late, whose caller was told that its outcome is unknown, or somebody wrote past the router, or rows expired.';
const whatToDo =
  'Look for the row that differs, and bring it to the other table unless that has a newer one, or give it up. Delete it here if it is a new one; if it replaced or deleted a row that was moved, delete all rows of services in this partition. Then retry.';

async function findFence({ aws, tenant }: Context, { keys, partitionKey, table }: OwnPartition) {
  const [, sort] = keys;
  const value = fencePartition(tenant.id);
  // Another partition than an account's, or a table that holds none.
  if (sort === undefined || !value.startsWith(`${partitionKey.value}#`)) return undefined;
  const found = await aws.items.findItem({
    table,
    partitionKey: { name: partitionKey.name, value },
    sortKey: { name: sort, value: fenceSortKey },
  });
  return found && readFence(found.attributes);
}

function readFence(attributes: Parameters<typeof parseFence>[0]): Fence | undefined {
  try {
    return parseFence(attributes);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : undefined;
    throw new StepError('INVALID_REQUEST', 'the fence item of the account cannot be read', { detail, cause });
  }
}

function kept({ partitionKey, table }: OwnPartition, why: string): StepError {
  return new StepError('STILL_PRESENT', `rows of partition ${partitionKey.value} of table ${table} were not deleted`, {
    detail: why,
  });
}
