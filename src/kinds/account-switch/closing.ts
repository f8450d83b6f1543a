import { randomUUID } from 'node:crypto';
import { currentCallContext, inCallContext } from '../../aws/call-context.ts';
import type { FenceCondition, FencePlace } from '../../aws/dynamodb-fences.ts';
import { StepError } from '../../contracts/step-error.ts';
import { untilAnswered } from '../../aws/repeats.ts';
import { ownerOf } from '../../aws/tags.ts';
import { seeLock, takeLock } from '../account-copy/lock.ts';
import { createRowMover, sidesOf } from '../account-copy/sides.ts';
import { fencePlaceOf, lockPlaceOf } from '../account-fence/places.ts';
import type { Closing } from './attempt.ts';
import { createCatchUp } from './catch-up.ts';
import { closeAndProve, type Closed } from './closed-phase.ts';
import { catchUpOpen } from './open-phase.ts';
import type { SwitchContext } from './spec.ts';

/**
 * Brings over what changed, closes the fence, and proves that both tables hold the same rows. It ends with the fence closed, or open: whatever
 * fails opens it again, and so does the next attempt after one that was killed.
 * @throws StepError DEADLINE_EXCEEDED when the fence would be closed for longer than it may
 */
export async function closeVerified(context: SwitchContext, moveId: string): Promise<Closed> {
  const attempt = randomUUID();
  const closing = await begin(context, moveId, attempt);
  try {
    await catchUpOpen(closing);
    return await closeAndProve(closing);
  } catch (error) {
    await reopen(closing);
    throw error;
  }
}

/**
 * An attempt before this one may have been killed while the fence was closed: it is opened, and none but this one may close it. Nor does
 * another one write a row any more once this one has the lock.
 */
async function begin(context: SwitchContext, moveId: string, attempt: string): Promise<Closing> {
  const { aws, spec, tags, tenant } = context;
  const place = fencePlaceOf(context);
  // A removal past the commit may have sealed it, and seen the fence open after that.
  const seen = await seeLock(aws, lockPlaceOf(context), context.isPastCommit === true);
  // Once only: a second one that lands late would open what this attempt has closed.
  const isOpen = await aws.fences.change(
    place,
    { moveId, states: ['open', 'closed'] },
    { state: 'open', attempt, verified: null },
  );
  if (!isOpen) throw await notOurs(context, place, moveId);
  const hold = await takeLock(aws, seen, attempt);
  const sides = sidesOf(tenant.id, spec);
  const mover = await createRowMover({ aws, hold, sides, owner: ownerOf(tags) });
  const catchUp = await createCatchUp({ streams: aws.streams, mover, sides, noted: spec.position });
  return { context, place, sides, mover, catchUp, moveId, attempt };
}

async function notOurs({ aws }: SwitchContext, place: FencePlace, moveId: string): Promise<StepError> {
  const fence = await untilAnswered(() => aws.fences.find(place));
  if (!fence) return new StepError('READINESS_LOST', `the fence item of account ${place.accountId} is gone`);
  const detail = `it is ${fence.state}, of move ${fence.moveId}; this is move ${moveId}`;
  return new StepError('READINESS_LOST', `the fence of account ${place.accountId} is not this move's to close`, {
    detail,
  });
}

const REOPEN_TRIES = 3;
const REOPEN_WITHIN_MS = 5_000;

/**
 * Whatever ended the attempt, a cancellation too, must not keep its calls from being made. The condition holds for this attempt alone, so
 * that it needs no other guard; and the attempt is taken off, so that a try of its closing which lands late does nothing.
 */
async function reopen(closing: Closing): Promise<void> {
  const {
    attempt,
    context: { aws, log },
    moveId,
    place,
  } = closing;
  const isOwn: FenceCondition = { moveId, states: ['open', 'closed'], attempt };
  const open = { state: 'open', attempt: null, verified: null } as const;
  const caller = currentCallContext()?.caller;
  for (let tries = 1; tries <= REOPEN_TRIES; tries += 1) {
    const calls = { caller, beforeMutation: () => Promise.resolve(), signal: AbortSignal.timeout(REOPEN_WITHIN_MS) };
    try {
      await inCallContext(calls, () => aws.fences.change(place, isOwn, open));
      return;
    } catch (error) {
      log.warn(
        { err: error, accountId: place.accountId, tries },
        'the fence could not be opened again: the next attempt, or the undo, opens it',
      );
    }
  }
}
