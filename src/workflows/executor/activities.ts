import {
  ApplicationFailure,
  patched,
  proxyActivities,
  sleep,
  TemporalFailure,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { VerbActivities, VerbCalls } from '../../contracts/activities.ts';
import type { PlannedStep } from '../../contracts/blueprint.ts';
import { transientCodes, type Failure } from '../../contracts/errors.ts';
import { taskQueues } from '../../contracts/ids.ts';
import type { Verb } from '../../contracts/kinds.ts';
import type { BookkeepingActivities } from '../../contracts/messages.ts';
import { verbOptions, type KindLimits } from '../../contracts/verbs.ts';
import { failureOf, turnAfterMs } from './failures.ts';

export interface CallOptions {
  /** What is done, where the verb alone does not say it. */
  readonly summary?: string;
  /** Nothing is gained by the call any more. */
  readonly isPointless?: () => boolean;
}

/**
 * Calls a verb of a step's kind. The attempts of the table are for what may be wrong with the step: when they were used up by
 * an outage of our own database or of the worker's credentials or by throttling, they are given anew, for as long as it takes (a cancel ends it) or until
 * that is pointless.
 */
export async function callVerb<V extends Verb>(
  step: PlannedStep,
  verb: V,
  call: Parameters<VerbCalls[V]>[0],
  { summary = verb, isPointless = () => false }: CallOptions = {},
): Promise<Awaited<ReturnType<VerbCalls[V]>>> {
  const proxies = proxyActivities<VerbActivities>({ ...limitsOf(step, verb), summary: `${step.id}: ${summary}` });
  // The one cast: the verb in the name says which of the three calls it is.
  const activity = proxies[`${step.kind}.${verb}`] as unknown as (c: typeof call) => ReturnType<VerbCalls[V]>;
  for (;;) {
    try {
      return await activity(call);
    } catch (error) {
      const code = error instanceof TemporalFailure ? failureOf(error).code : undefined;
      if (code === undefined || !passes(code) || givesUp(isPointless)) throw error;
      await sleep(...nextCall(step, code, error as TemporalFailure));
      if (givesUp(isPointless)) throw error;
    }
  }
}

const VERB_AGAIN_MS = 30_000;

/** How long to wait, and why: until its turn, of one that only waits for that. */
function nextCall(step: PlannedStep, code: string, error: TemporalFailure): Parameters<typeof sleep> {
  const turnMs = turnAfterMs(error);
  if (turnMs === undefined) return [VERB_AGAIN_MS, { summary: `${step.id}: ${code}; once more after 30 s` }];
  return [turnMs, { summary: `${step.id}: AWS's rate limit; its turn comes in about ${Math.ceil(turnMs / 1000)} s` }];
}

/** Missing credentials ended a step before this code; runs in which they did replay that. */
function passes(code: string): boolean {
  return transientCodes.includes(code) && (code !== 'CREDENTIALS_MISSING' || patched('credentials-pass'));
}

/** Runs that asked anew all the same before this code replay that, and give up from then on. */
function givesUp(isPointless: () => boolean): boolean {
  return isPointless() && patched('given-up-when-pointless');
}

/**
 * The activities that keep the record in PostgreSQL: retried without limit, because a run that cannot record must not act.
 * Should one fail for good all the same (a defect), it is asked again after a while: failing the workflow would skip the
 * undo. Only a claim may end a run, since nothing was made before it.
 *
 * @param passOn failures that are an answer, and thrown
 */
export async function record<N extends Exclude<keyof BookkeepingActivities, 'claimOperation'>>(
  name: N,
  input: Parameters<BookkeepingActivities[N]>[0],
  summary: string,
  passOn: (failure: Failure) => boolean = () => false,
): Promise<Awaited<ReturnType<BookkeepingActivities[N]>>> {
  const activity = bookkeeping(summary)[name] as (i: typeof input) => ReturnType<BookkeepingActivities[N]>;
  for (;;) {
    try {
      return await activity(input);
    } catch (error) {
      if (!(error instanceof TemporalFailure) || passOn(failureOf(error))) throw error;
      await sleep(RECORD_AGAIN_MS, { summary: `${name} was refused; once more after 60 s` });
    }
  }
}

export function bookkeeping(summary: string): BookkeepingActivities {
  return proxyActivities<BookkeepingActivities>({
    startToCloseTimeout: 10_000,
    retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 10_000 },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    ...queueOf('bookkeeping'),
    summary,
  });
}

const RECORD_AGAIN_MS = 60_000;

function limitsOf(step: PlannedStep, verb: Verb): ActivityOptions {
  const limits = verbOptions(limitsIn(step), verb);
  return {
    startToCloseTimeout: limits.startToCloseMs,
    ...(limits.heartbeatMs === undefined ? {} : { heartbeatTimeout: limits.heartbeatMs }),
    retry: {
      initialInterval: limits.initialIntervalMs,
      backoffCoefficient: limits.backoff,
      maximumInterval: limits.maximumIntervalMs,
      maximumAttempts: limits.maximumAttempts,
    },
    // The undo must find nothing in flight: the default moves on while the effect may still land (design rule 7).
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    ...queueOf(verb),
  };
}

/** Plans of 0.1.0 did not carry them; then one kind differed from the table. */
function limitsIn({ kind, limits }: PlannedStep): KindLimits | undefined {
  return limits ?? (kind === 'postgres-schema' ? longLimits : undefined);
}

const longVerb = { startToCloseMs: 15 * 60_000, heartbeatMs: 10_000 };
const longLimits: KindLimits = { ensure: longVerb, remove: longVerb };

/** A run stays on its own queue as long as the table does not separate the roles. */
function queueOf(duty: keyof typeof taskQueues): { taskQueue?: string } {
  const table: Readonly<Record<string, string>> = taskQueues;
  const taskQueue = table[duty];
  return taskQueue === undefined || taskQueue === table.workflow ? {} : { taskQueue };
}

/** The failure of a wait that the activity should have ended but did not. */
export function deadlineExceeded(
  step: PlannedStep,
  want: 'ready' | 'gone',
  detail: string | undefined,
): TemporalFailure {
  const [type, message] =
    want === 'ready'
      ? ['DEADLINE_EXCEEDED', `step ${step.id} was not ready in time`]
      : ['STILL_PRESENT', `step ${step.id} was removed and is still there`];
  return ApplicationFailure.create({ message, type, nonRetryable: true, details: [{ detail }] });
}
