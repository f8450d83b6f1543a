import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { brokenAfterMs, type VerifiedRows } from '../../accounts-router/fence.ts';
import { currentCallContext, inCallContext, type CallContext } from '../../aws/call-context.ts';
import type { FenceChange, FenceCondition, FencePlace, MarkedFence } from '../../aws/dynamodb-fences.ts';
import { untilAnswered, untilChanged } from '../../aws/repeats.ts';
import { StepError } from '../../contracts/step-error.ts';
import { closedMsOf, compare, isOwn, type Closing } from './attempt.ts';
import { untilLittleIsLeft } from './catch-up.ts';
import type { SwitchContext } from './spec.ts';

export interface Closed {
  readonly rows: VerifiedRows;
  /** Of the fence: while it has this one, nobody opened it. */
  readonly attempt: string;
  readonly detail: string;
}

/**
 * Closes the fence, waits for its writers and proves that both tables hold the same rows. The fence stays closed, whatever comes of it.
 * @throws StepError DEADLINE_EXCEEDED
 */
export async function closeAndProve(closing: Closing): Promise<Closed> {
  const { context, place } = closing;
  const mostMs = closedMsOf(context);
  const timeout = AbortSignal.timeout(mostMs);
  const signal = AbortSignal.any([context.signal, timeout]);
  try {
    // What waits for its rate, or for an answer, ends in time too.
    return await inCallContext({ ...outer(context), signal }, () => closeWithin(closing, signal));
  } catch (error) {
    if (!timeout.aborted || context.signal.aborted) throw error;
    const message = `the fence of account ${place.accountId} was closed for ${mostMs / 1000} s and opened again`;
    throw new StepError('DEADLINE_EXCEEDED', message, {
      detail: 'not all was brought over and compared by then: move the account when it is written to less',
      cause: error,
    });
  }
}

function outer({ guard, signal }: SwitchContext): CallContext {
  return currentCallContext() ?? { beforeMutation: guard, signal };
}

async function closeWithin(closing: Closing, signal: AbortSignal): Promise<Closed> {
  const { attempt, catchUp, moveId } = closing;
  const closedMs = performance.now();
  const onLook = () => signal.throwIfAborted();
  // What an attempt verified holds for its own closing only.
  await change(closing, { moveId, states: ['open'], attempt }, { state: 'closed', verified: null }, () => true);
  await untilNoWriter(closing, closedMs, signal);
  // What the stream has not told yet the comparison brings.
  if (catchUp) await untilLittleIsLeft(catchUp, onLook);
  const rows = await prove(closing, onLook);
  await change(closing, isOwn(closing), { verified: rows }, ({ verified }) => isDeepStrictEqual(verified, rows));
  const seconds = ((performance.now() - closedMs) / 1000).toFixed(1);
  const how = catchUp?.source ?? 'comparisons alone, since the table has no stream that has all changes';
  const detail = `${rows.count} rows are the same in both tables, after ${seconds} s; changes came by ${how}`;
  return { rows, attempt, detail };
}

/** @param isMade of a fence that this attempt has closed. @throws StepError CONFLICT_RETRYABLE when the fence is another by now */
async function change(
  { attempt, context, place }: Closing,
  condition: FenceCondition,
  wanted: FenceChange,
  isMade: (fence: MarkedFence) => boolean,
): Promise<void> {
  const { fences } = context.aws;
  const look = async () => {
    const fence = await fences.find(place);
    return fence?.attempt === attempt && fence.state === 'closed' && isMade(fence);
  };
  if (!(await untilChanged(() => fences.change(place, condition, wanted), look))) throw changedMeanwhile(place);
}

/** Nobody writes any more: the second pass finds nothing. */
const MOST_PROOFS = 5;

async function prove(closing: Closing, onPage: () => void): Promise<VerifiedRows> {
  for (let passes = 1; passes <= MOST_PROOFS; passes += 1) {
    const { differing, rows } = await compare(closing, onPage);
    if (differing === 0) return rows;
  }
  throw new StepError(
    'CONFLICT_RETRYABLE',
    `rows of account ${closing.place.accountId} change though its fence is closed`,
    {
      detail: 'something writes to the table past the router, or by one that has not read the parameter of the move',
    },
  );
}

const WRITERS_EVERY_MS = 200;

/** Writers end what they have begun, and say so. One that does not is taken for dead: what it writes late is not acknowledged to anybody. */
async function untilNoWriter(closing: Closing, closedMs: number, signal: AbortSignal): Promise<void> {
  const { attempt, context, place } = closing;
  const { aws, log } = context;
  for (;;) {
    const fence = await untilAnswered(() => aws.fences.find(place));
    if (fence?.attempt !== attempt || fence.state !== 'closed') throw changedMeanwhile(place);
    const writers = Object.keys(fence.writers);
    if (writers.length === 0) return;
    if (performance.now() - closedMs > brokenAfterMs) {
      log.warn({ accountId: place.accountId, writers }, 'writers that did not end are taken for dead');
      const brokenWriters = writers.slice(0, WRITERS_AT_ONCE);
      // Ids are used once: taking one off twice, or late, does no harm.
      await untilAnswered(() => aws.fences.change(place, isOwn(closing), { brokenWriters }));
    } else await sleep(WRITERS_EVERY_MS, undefined, { signal });
  }
}

/** An expression of DynamoDB takes some 4 KB. */
const WRITERS_AT_ONCE = 50;

function changedMeanwhile({ accountId }: FencePlace): StepError {
  return new StepError(
    'CONFLICT_RETRYABLE',
    `the fence of account ${accountId} was changed by somebody else meanwhile`,
  );
}
