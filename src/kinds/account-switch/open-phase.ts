import { StepError } from '../../contracts/step-error.ts';
import { closedMsOf, compare, type Closing } from './attempt.ts';
import { untilLittleIsLeft } from './catch-up.ts';

/** Differences that are brought over while the fence is closed, within a second or so. */
const LITTLE = 500;
/** Passes over all rows before the account is written to faster than they are compared. */
const MOST_PASSES = 10;

/** Until the stream tells of little, and a pass over all rows finds little. */
export async function catchUpOpen(closing: Closing): Promise<void> {
  const {
    catchUp,
    context: { log, signal },
    place,
  } = closing;
  const onLook = () => signal.throwIfAborted();
  for (let passes = 1; ; passes += 1) {
    if (catchUp) await untilLittleIsLeft(catchUp, onLook);
    const passAtMs = performance.now();
    const { differing, rows } = await compare(closing, onLook);
    const tookMs = Math.round(performance.now() - passAtMs);
    log.info({ accountId: place.accountId, passes, differing, rows: rows.count, tookMs }, 'rows were compared');
    if (differing <= LITTLE) {
      refuseTooLong(closing, tookMs);
      return;
    }
    if (passes >= MOST_PASSES)
      throw new StepError(
        'DEADLINE_EXCEEDED',
        `the rows of account ${place.accountId} change faster than they are brought over`,
        {
          detail: `${differing} of ${rows.count} rows differed in pass ${passes}; move the account when it is written to less`,
        },
      );
  }
}

/** It is known before the fence is closed. */
function refuseTooLong({ context, place }: Closing, tookMs: number): void {
  const mostMs = closedMsOf(context);
  if (tookMs <= mostMs) return;
  throw new StepError(
    'DEADLINE_EXCEEDED',
    `to compare the rows of account ${place.accountId} takes longer than writes may wait`,
    {
      detail: `it took ${Math.round(tookMs / 1000)} s, and the fence may be closed for ${mostMs / 1000} s`,
    },
  );
}
