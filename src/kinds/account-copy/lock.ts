import { randomUUID } from 'node:crypto';
import type { CellAws } from '../../aws/cell-aws.ts';
import type { FencePlace } from '../../aws/dynamodb-fences.ts';
import type { RowLock } from '../../aws/dynamodb-locks.ts';
import { untilAnswered, untilChanged } from '../../aws/repeats.ts';
import { StepError } from '../../contracts/step-error.ts';

/** Writes of one attempt into the account's own table are made while it holds the lock of that table. */
export interface Hold {
  readonly place: FencePlace;
  readonly attempt: string;
}

/** What a lock was before an attempt takes it: so it is known that nobody else took it meanwhile. */
export interface LockSeen {
  readonly place: FencePlace;
  readonly from: string;
}

/**
 * To be read before the look at the fence by which the attempt may begin: whatever ends the move after that look changes the lock as well,
 * which is then not taken.
 * @throws StepError READINESS_LOST without a lock, or with a sealed one unless `mayBeSealed`
 */
export async function seeLock(
  { locks }: Pick<CellAws, 'locks'>,
  place: FencePlace,
  mayBeSealed = false,
): Promise<LockSeen> {
  const found = await untilAnswered(() => locks.find(place));
  refuseUnusable(found, place, mayBeSealed);
  return { place, from: found.attempt };
}

function refuseUnusable(
  found: RowLock | undefined,
  { accountId, table }: FencePlace,
  mayBeSealed: boolean,
): asserts found is RowLock {
  if (!found)
    throw new StepError('READINESS_LOST', `the lock of account ${accountId} in table ${table} is gone`, {
      detail: 'without it no row may be written there: the move is over, or its lock was deleted by hand',
    });
  if (found.isSealed && !mayBeSealed)
    throw new StepError('READINESS_LOST', `account ${accountId} was switched to table ${table}`, {
      detail: 'no row is copied there any more',
    });
}

/** @throws StepError CONFLICT_RETRYABLE when another attempt has taken it since it was seen */
export async function takeLock(
  { locks }: Pick<CellAws, 'locks'>,
  { from, place }: LockSeen,
  attempt: string = randomUUID(),
): Promise<Hold> {
  const isTaken = async () => (await locks.find(place))?.attempt === attempt;
  if (await untilChanged(() => locks.take(place, from, attempt), isTaken)) return { place, attempt };
  throw new StepError(
    'CONFLICT_RETRYABLE',
    `another attempt began to write the rows of account ${place.accountId} into table ${place.table} meanwhile`,
  );
}
