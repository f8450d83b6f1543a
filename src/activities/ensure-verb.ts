import type { Verb } from '../contracts/kinds.ts';
import type { EnsureAnswer } from '../contracts/messages.ts';
import { mayMake } from '../contracts/operation-table.ts';
import { verbOptions, latenessWindowMs } from '../contracts/verbs.ts';
import {
  recordFailedAttempt,
  recordIntent,
  recordMade,
  extendWindow,
  recordSkipped,
  settleWindow,
  type Made,
  type RecordedIntent,
} from '../db/step-making.ts';
import { lockOperation } from '../db/operations.ts';
import { findOperationContext } from '../db/steps.ts';
import { contentHash } from '../naming.ts';
import { endsStep, judge } from './failures.ts';
import type { Ensured, ResourceName } from '../kinds/framework/kind.ts';
import { REPORT_MARGIN_MS, retryWhileDatabaseDown } from './database-retry.ts';
import { refuseLostData } from './lost-data.ts';
import { refuseOutOfTime, revoked } from './revocation.ts';
import { StepError } from '../contracts/step-error.ts';
import { onBehalfOf, refuseOutside, type StepRun } from './step-run.ts';

/** Intent, call, result (design rule 2): what is about to be made is stored first, so that an undo needs no answer. */
export async function ensureStep(run: StepRun): Promise<EnsureAnswer> {
  const committed = isCommitted(run);
  const inputsHash = await recordingFailure(run, undefined, async () => {
    refuseUnlessStanding(run, committed);
    refuseOutside(run);
    return inputsOf(run);
  });
  const { stored } = run;
  if (!committed && (await isAlreadyThere(run, inputsHash))) {
    await retryWhileDatabaseDown(run.retryLimit, () => recordSkipped(run.deps.database, run.key));
    return { status: 'ready', outputsHash: stored?.outputsHash ?? contentHash(stored?.outputs) };
  }
  const resources = run.kind.resources(run.context);
  const intent = committed ? alreadyCommitted : await intend(run, resources);
  const progress: AttemptProgress = { intent, begun: false, landed: false };
  const ensured = await callKind(run, progress);
  refuseOutOfTime(run.key, run.retryLimit.untilMs + REPORT_MARGIN_MS);
  return recordResult(run, { progress, ensured, inputsHash, resources });
}

/** The commit is one transaction: when the attempt died after it, the operation is closed and only the answer is missing. */
function isCommitted(run: StepRun): boolean {
  return run.kind.commit !== undefined && run.operationContext.operationState === 'succeeded';
}

const alreadyCommitted: RecordedIntent = { unclearUntil: new Date(0), unclearBefore: null };

function refuseUnlessStanding(run: StepRun, committed: boolean): void {
  const { operationContext, stored, key } = run;
  const takenBack =
    stored?.operationId === key.operationId &&
    (stored.state === 'removing' || (stored.state === 'removed' && stored.generation >= key.generation));
  if (
    !committed &&
    (takenBack || !mayMake(operationContext.operationType, operationContext.operationState, key.goesBack))
  )
    throw revoked(key);
  if (run.unresolved.length > 0) {
    throw new StepError('BLUEPRINT_INVALID', `step "${key.stepId}" refers to what no ready step gives`, {
      detail: run.unresolved.join(', '),
    });
  }
}

async function hashInputs(run: StepRun): Promise<string> {
  const { kind, context } = run;
  const read = async () => kind.fingerprint?.(context);
  return contentHash({
    spec: context.spec,
    fingerprint: await onBehalfOf(run, read),
  });
}

/** Of what is brought back, what it reads outside the blueprint (a template) says nothing of what it was, and may be gone. */
async function inputsOf(run: StepRun): Promise<string> {
  const applied = run.key.goesBack ? run.stored?.applied?.inputsHash : null;
  return applied ?? (await hashInputs(run));
}

/**
 * What is brought back is so however it looks: what somebody changed by hand may look ready, and a change of what is read outside the
 * blueprint shows in no spec.
 */
async function isAlreadyThere(run: StepRun, inputsHash: string): Promise<boolean> {
  const { key, stored } = run;
  if (key.goesBack || stored?.state !== 'ready' || stored.inputsHash !== inputsHash) return false;
  return isStillReady(run);
}

/** What was seen ready may have been changed or deleted since, while the operation was held. */
async function isStillReady(run: StepRun): Promise<boolean> {
  const seen = await recordingFailure(run, undefined, () => onBehalfOf(run, () => run.kind.observe(run.context)));
  return seen.status === 'ready';
}

async function intend(run: StepRun, resources: readonly ResourceName[]): Promise<RecordedIntent> {
  const { key, kind, attempt, stored } = run;
  const latenessMs = latenessWindowMs(kind.limits, 'ensure');
  const isOfThis = stored?.operationId === key.operationId && stored.generation === key.generation;
  const sawMade = isOfThis && (stored.state === 'present' || stored.state === 'ready');
  const intent = await retryWhileDatabaseDown(run.retryLimit, () =>
    recordIntent(run.deps.database, { key, resources, latenessMs, attempt, sawMade }),
  );
  if (!intent) throw await refusedIntent(run);
  return intent;
}

/** An attempt before this one may have come to its result after this one began: the next one finds that and skips. */
async function refusedIntent({ deps, key, retryLimit }: StepRun): Promise<StepError> {
  const now = await retryWhileDatabaseDown(retryLimit, () => findOperationContext(deps.database, key.operationId));
  const step = now?.steps.find((s) => s.stepId === key.stepId);
  const isOfThis = step?.operationId === key.operationId && step.generation === key.generation;
  const isMade = isOfThis && (step.state === 'present' || step.state === 'ready');
  if (!now || !isMade || !mayMake(now.operationType, now.operationState, key.goesBack)) return revoked(key);
  return new StepError('UNCLEAR', `another attempt has made step "${key.stepId}" meanwhile`);
}

/** What an attempt has set going: its window, whether any change was let through, and whether one took effect for sure. */
interface AttemptProgress {
  intent: RecordedIntent;
  begun: boolean;
  landed: boolean;
}

function callKind(run: StepRun, progress: AttemptProgress): Promise<Ensured> {
  const { kind, context } = run;
  const watch = {
    before: () => letThrough(run, progress),
    after: () => {
      progress.landed = true;
    },
  };
  // What a kind guards itself (DDL) tells nobody when it is done.
  const guard = async () => {
    await watch.before();
    watch.after();
  };
  return recordingFailure(run, progress, async () => {
    await refuseLostData(run);
    return onBehalfOf(run, () => kind.ensure({ ...context, guard }), watch);
  });
}

/** Before each change. An attempt that shows by heartbeats that it lives may last: its window is counted from its last change. */
async function letThrough({ context, deps, key, kind, retryLimit }: StepRun, progress: AttemptProgress): Promise<void> {
  await context.guard();
  if (verbOptions(kind.limits, 'ensure').heartbeatMs !== undefined) {
    const latenessMs = latenessWindowMs(kind.limits, 'ensure');
    const extended = await retryWhileDatabaseDown(retryLimit, () =>
      extendWindow(deps.database, key, progress.intent, latenessMs),
    );
    if (!extended) throw revoked(key);
    progress.intent = extended;
  }
  progress.begun = true;
}

async function recordingFailure<T>(
  run: StepRun,
  progress: AttemptProgress | undefined,
  fn: () => Promise<T>,
): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    await recordFailure(run, error, 'ensure', progress).catch((cause: unknown) => {
      // The window stays open then, and Temporal carries the failure: what is lost is a line for people.
      run.context.log.error({ err: cause }, 'a failed attempt could not be recorded');
    });
    throw error;
  }
}

/** Notes a failed attempt at making a step or at seeing it ready; STEP_REVOKED is none, nor is a cancellation. */
export async function recordFailure(
  run: StepRun,
  error: unknown,
  verb: Verb,
  progress?: AttemptProgress,
): Promise<void> {
  const { deps, key, kind, retryLimit } = run;
  const judged = judge(error, run.step);
  const { failure, code, definite } = judged;
  const sentNothing = progress?.begun === false;
  if (code === 'STEP_REVOKED' || run.signal.aborted) {
    if (sentNothing) await retryWhileDatabaseDown(retryLimit, () => settleWindow(deps.database, key, progress.intent));
    return;
  }
  const { maximumAttempts } = verbOptions(kind.limits, verb);
  const attempt = {
    intent: progress?.intent,
    failure,
    final: endsStep(judged, run.attempt, maximumAttempts),
    // An answer that never came to a look leaves nothing behind either.
    definite: definite || sentNothing,
    landed: progress?.landed === true,
  };
  await retryWhileDatabaseDown(retryLimit, () => recordFailedAttempt(deps.database, { key, ...attempt }));
}

interface Result {
  readonly progress: AttemptProgress;
  readonly ensured: Ensured;
  readonly inputsHash: string;
  readonly resources: readonly ResourceName[];
}

async function recordResult(run: StepRun, result: Result): Promise<EnsureAnswer> {
  const { progress, ensured, inputsHash, resources } = result;
  const { status, detail, tenantStatus } = ensured;
  const outputs: Readonly<Record<string, unknown>> = { ...ensured.outputs };
  const outputsHash = contentHash(outputs);
  const made: Made = {
    key: run.key,
    intent: progress.intent,
    state: status === 'ready' ? 'ready' : 'present',
    outputs,
    outputsHash,
    inputsHash,
    resources,
    physicalIds: ensured.physicalIds ?? {},
    earlierIds: ensured.earlierIds ?? {},
    anew: ensured.anew ?? [],
    detail,
  };
  const recorded = await (run.kind.commit
    ? recordingFailure(run, progress, () => commitMade(run, made))
    : retryWhileDatabaseDown(run.retryLimit, () => recordMade(run.deps.database, made)));
  if (!recorded) throw revoked(run.key);
  return { status, outputsHash, tenantStatus, detail, ...recheckOf(run.key, progress.intent.unclearBefore) };
}

/**
 * An attempt before this one had no clear answer, and its effect may land until that time: what is brought back is not so for sure
 * before.
 */
export function recheckOf({ goesBack }: StepRun['key'], unclearUntil: Date | null): { readonly recheckAtMs?: number } {
  const isAhead = goesBack === true && unclearUntil !== null && unclearUntil.getTime() > Date.now();
  return isAhead ? { recheckAtMs: unclearUntil.getTime() } : {};
}

/** Record and effect together. The operation is locked first, as everything that changes its state does. */
function commitMade({ deps, kind, context, key, retryLimit }: StepRun, made: Made) {
  const { operationId } = key;
  return retryWhileDatabaseDown(retryLimit, () =>
    deps.database.transaction(async (tx) => {
      // An attempt before this one committed, and its answer was lost.
      if ((await lockOperation(tx, operationId))?.state === 'succeeded') return true;
      if (!(await recordMade(tx, made))) return false;
      await kind.commit?.(tx, context);
      return true;
    }),
  );
}
