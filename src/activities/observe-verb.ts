import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { ObserveAnswer, ObserveCall } from '../contracts/messages.ts';
import { mayMake } from '../contracts/operation-table.ts';
import { OBSERVE_EVERY_MS, OBSERVE_SLICE_MS } from '../contracts/verbs.ts';
import { recordReady } from '../db/step-making.ts';
import { recordRemoved } from '../db/step-removal.ts';
import { recheckOf, recordFailure } from './ensure-verb.ts';
import { judge, turnAfterMs } from './failures.ts';
import { contentHash } from '../naming.ts';
import type { Observation } from '../kinds/framework/kind.ts';
import { retryWhileDatabaseDown } from './database-retry.ts';
import { recordRemovalFailed } from './remove-verb.ts';
import { revoked } from './revocation.ts';
import { StepError } from '../contracts/step-error.ts';
import { onBehalfOf, refuseOutside, type StepRun } from './step-run.ts';

/** Looks in one slice that must all see the same before that is believed: one alone may have taken the slice up. */
const ALIKE_LOOKS = 3;

/** Looks about once a second, for one slice at most, for what is wanted to come (design rule 4). */
export async function observeStep(run: StepRun, call: ObserveCall): Promise<ObserveAnswer> {
  try {
    if (call.want === 'ready') refuseUnlessStanding(run);
    refuseOutside(run);
    return await watch(run, call);
  } catch (error) {
    await (
      call.want === 'ready' ? recordFailure(run, error, 'observe') : recordRemovalFailed(run, error, 'observe')
    ).catch((cause: unknown) => {
      run.context.log.error({ err: cause }, 'a failed observation could not be recorded');
    });
    throw error;
  }
}

function refuseUnlessStanding({ operationContext, stored, key }: StepRun): void {
  const making = mayMake(operationContext.operationType, operationContext.operationState, key.goesBack);
  if (!making || stored?.state === 'removing' || stored?.state === 'removed') throw revoked(key);
}

/**
 * The time as Temporal's server has it, in epoch ms: deadlines are the workflow's, and this machine's clock may be wrong. Behind by as
 * long as the attempt waited for its start, so that no deadline comes early.
 */
function serverClock(): () => number {
  const { currentAttemptScheduledTimestampMs: scheduledMs } = Context.current().info;
  const startedMs = performance.now();
  return () => scheduledMs + (performance.now() - startedMs);
}

async function watch(run: StepRun, call: ObserveCall): Promise<ObserveAnswer> {
  const nowMs = serverClock();
  const sliceEndMs = Date.now() + OBSERVE_SLICE_MS;
  for (let looks = 1, absent = 0, standing = 0; ; looks += 1) {
    const seen = await look(run, call, nowMs);
    if (seen.status === 'absent') absent += 1;
    if (seen.status === 'ready') standing += 1;
    const answer =
      call.want === 'ready'
        ? await readyAnswer(run, seen)
        : await goneAnswer(run, seen, Math.min(sliceEndMs, Date.now() + call.deadlineAtMs - nowMs()));
    if (answer) return answer;
    if (nowMs() >= call.deadlineAtMs) throw deadlineExceeded(run, call, seen.detail);
    if (Date.now() + OBSERVE_EVERY_MS > sliceEndMs) {
      // Right after a change one look may be older than it; a whole slice of them is not.
      const isAlways = (count: number) => count === looks && looks >= ALIKE_LOOKS;
      if (call.want === 'ready' && isAlways(absent)) throw missing(run, seen.detail);
      const stands = call.want === 'gone' && isAlways(standing);
      return { status: 'pending', detail: seen.detail, ...(stands && { stands }) };
    }
    await sleep(OBSERVE_EVERY_MS, undefined, { signal: run.signal });
  }
}

/** One look; when even that fails past the deadline, the wait ends with what went wrong. */
async function look(run: StepRun, call: ObserveCall, nowMs: () => number): Promise<Observation> {
  const { kind, context } = run;
  try {
    return await onBehalfOf(run, () => kind.observe(context));
  } catch (error) {
    const { retryable, failure } = judge(error, { id: call.stepId });
    // Past the deadline it is the workflow that waits for the turn: without a look nothing can be said.
    if (turnAfterMs(error) !== undefined) {
      if (nowMs() >= call.deadlineAtMs) throw error;
      return { status: 'pending', detail: failure.detail ?? failure.message };
    }
    if (!retryable || nowMs() < call.deadlineAtMs) throw error;
    throw deadlineExceeded(run, call, `${failure.code}: ${failure.message}`, error);
  }
}

async function readyAnswer(run: StepRun, seen: Observation): Promise<ObserveAnswer | undefined> {
  if (seen.status === 'failed')
    throw new StepError('SERVICE_FAILED', `step "${run.key.stepId}" failed`, { detail: seen.detail });
  if (seen.status !== 'ready') return undefined;
  const { detail, outputs } = seen;
  const known = outputs && { outputs, outputsHash: contentHash(outputs) };
  await retryWhileDatabaseDown(run.retryLimit, () => recordReady(run.deps.database, run.key, { detail, known }));
  const recheck = recheckOf(run.key, run.stored?.unclearUntil ?? null);
  return { status: 'done', detail, ...(known && { outputsHash: known.outputsHash }), ...recheck };
}

/** Where the time of a late effect comes within this slice, it is waited for here: clocks differ by some seconds. */
async function goneAnswer(run: StepRun, seen: Observation, lookUntilMs: number): Promise<ObserveAnswer | undefined> {
  if (seen.status !== 'absent') return undefined;
  const recheckAt = await retryWhileDatabaseDown(run.retryLimit, () => recordRemoved(run.deps.database, run.key));
  if (recheckAt && Math.max(recheckAt.getTime(), Date.now()) + OBSERVE_EVERY_MS <= lookUntilMs) return undefined;
  return { status: 'done', detail: seen.detail, recheckAtMs: recheckAt?.getTime() };
}

function missing({ key }: StepRun, detail: string): StepError {
  return new StepError('SERVICE_FAILED', `what step "${key.stepId}" made is missing`, { detail });
}

function deadlineExceeded(run: StepRun, call: ObserveCall, detail: string, cause?: unknown): StepError {
  const deadline = new Date(call.deadlineAtMs).toISOString();
  return call.want === 'ready'
    ? new StepError('DEADLINE_EXCEEDED', `step "${run.key.stepId}" was not ready by ${deadline}`, { detail, cause })
    : new StepError('STILL_PRESENT', `step "${run.key.stepId}" was not gone by ${deadline}`, { detail, cause });
}
