import { setTimeout as sleep } from 'node:timers/promises';
import type { Verb } from '../contracts/kinds.ts';
import type { RemoveAnswer } from '../contracts/messages.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { latenessWindowMs, OBSERVE_EVERY_MS, verbOptions } from '../contracts/verbs.ts';
import { findAppliedBlueprint, holdsNothingOfUse } from '../db/blueprints.ts';
import {
  markRemoving,
  openRemovalWindow,
  recordRemovalFailure,
  recordRemoved,
  recordResidues,
  settleRemovalWindow,
  type RemovalWindow,
} from '../db/step-removal.ts';
import { endsStep, judge, turnAfterMs } from './failures.ts';
import type { Removed } from '../kinds/framework/kind.ts';
import { keepFinalDump } from './final-dump.ts';
import { retryWhileDatabaseDown } from './database-retry.ts';
import { revoked } from './revocation.ts';
import { StepError } from '../contracts/step-error.ts';
import { onBehalfOf, refuseOutside, type StepRun } from './step-run.ts';

/** Mark, call, result: the mark comes first, so that an attempt of `ensure` that still runs stops itself (design rule 7). */
export async function removeStep(run: StepRun): Promise<RemoveAnswer> {
  const { deps, key, retryLimit, stored } = run;
  if (!isOpen(run.operationContext.operationState)) throw revoked(key);
  try {
    if (stored && stored.state !== 'removed') {
      refuseOutside(run);
      await refuseProtected(run);
    }
    const marked = await retryWhileDatabaseDown(retryLimit, () => markRemoving(deps.database, key));
    if (!marked || marked.state === 'removed') return { status: 'removed' };
    const kept = await keepFinalDump(run);
    const removed = await takeAway(run, marked.removingAt ?? undefined);
    const residues = [...(removed.residues ?? []), ...kept];
    return await recordResult(run, { ...removed, residues }, marked.unclearUntil);
  } catch (error) {
    await recordRemovalFailed(run, error, 'remove').catch((cause: unknown) => {
      run.context.log.error({ err: cause }, 'a failed removal could not be recorded');
    });
    throw error;
  }
}

/**
 * An undo walks back to the applied blueprint, so it never drops what that holds; nor the data of a tenant that was ever active
 * (design rule 8), but for what an abandoned change of tier left behind.
 */
async function refuseProtected({ deps, key, kind, context, operationContext, retryLimit }: StepRun): Promise<void> {
  const { dropsData, undo } = operationTable[operationContext.operationType];
  const isTenantsData = kind.holdsData === true && context.tenant.everActive;
  const isGivenUp = () => retryWhileDatabaseDown(retryLimit, () => holdsNothingOfUse(deps.database, key));
  if (isTenantsData && !dropsData && !(await isGivenUp()))
    throw new StepError('PROTECTED', `step "${key.stepId}" holds the data of a tenant that was active`);
  if (undo === 'none' || operationContext.operationState === 'committing') return;
  const applied = await retryWhileDatabaseDown(retryLimit, () => findAppliedBlueprint(deps.database, key.tenantId));
  if (applied?.steps.some(({ id }) => id === key.stepId))
    throw new StepError('PROTECTED', `step "${key.stepId}" is part of what was applied before: an undo keeps it`);
}

/** How long a removal goes on looking for what the ledger knows to have been made and no look shows, in ms. */
const MISSING_FOR_MS = 6_000;

/**
 * Right after a change a look may be older than it (design rule 4 believes a slice of looks, not one). What is not to be seen
 * though the ledger knows of it is looked for a while longer; of a step that made nothing for sure, because no attempt was without a clear answer, the first look counts.
 */
async function takeAway(run: StepRun, removingAt: Date | undefined): Promise<Removed> {
  const { state, unclearUntil } = run.stored ?? {};
  const madeNothing = state === 'intended' && !unclearUntil;
  const untilMs = madeNothing ? 0 : Date.now() + MISSING_FOR_MS;
  for (;;) {
    const removed = await callKind(run, removingAt);
    if (removed.missing !== true || Date.now() + OBSERVE_EVERY_MS > untilMs) return removed;
    await sleep(OBSERVE_EVERY_MS, undefined, { signal: run.signal });
  }
}

async function callKind(run: StepRun, removingAt: Date | undefined): Promise<Removed> {
  const { kind, context } = run;
  const remove = () => kind.remove({ ...context, removingAt });
  return kind.deletesByName ? deletingByName(run, remove) : onBehalfOf(run, remove);
}

/** A deletion whose answer is lost, or whose worker dies, leaves its window open. */
async function deletingByName(run: StepRun, remove: () => Promise<Removed>): Promise<Removed> {
  const { context, deps, key, kind, retryLimit } = run;
  let window: RemovalWindow | undefined;
  const before = async () => {
    await context.guard();
    const latenessMs = latenessWindowMs(kind.limits, 'remove');
    const opened = await retryWhileDatabaseDown(retryLimit, () => openRemovalWindow(deps.database, key, latenessMs));
    if (!opened) throw revoked(key);
    window = window ? { ...opened, unclearBefore: window.unclearBefore } : opened;
  };
  const settle = async () => {
    const mine = window;
    if (mine) await retryWhileDatabaseDown(retryLimit, () => settleRemovalWindow(deps.database, key, mine));
  };
  try {
    const removed = await onBehalfOf(run, remove, { before });
    await settle();
    return removed;
  } catch (error) {
    if (judge(error, { id: run.step.id }).definite && !run.signal.aborted) await settle();
    throw error;
  }
}

async function recordResult(run: StepRun, removed: Removed, unclearUntil: Date | null): Promise<RemoveAnswer> {
  const { deps, key, retryLimit } = run;
  await retryWhileDatabaseDown(retryLimit, () => recordResidues(deps.database, key, removed.residues ?? []));
  if (removed.status === 'pending') {
    const ahead = unclearUntil !== null && unclearUntil.getTime() > Date.now();
    return { status: 'pending', recheckAtMs: ahead ? unclearUntil.getTime() : undefined };
  }
  const recheckAt = await retryWhileDatabaseDown(retryLimit, () => recordRemoved(deps.database, key));
  return { status: 'removed', recheckAtMs: recheckAt?.getTime() };
}

/** Notes a failed attempt at taking a step away or at seeing it gone: why it is still there, should it stay. */
export async function recordRemovalFailed(run: StepRun, error: unknown, verb: Verb): Promise<void> {
  const judged = judge(error, { id: run.step.id });
  const { failure, code } = judged;
  // What only waits for its turn has not failed.
  if (code === 'STEP_REVOKED' || run.signal.aborted || turnAfterMs(error) !== undefined) return;
  const final = endsStep(judged, run.attempt, verbOptions(run.kind.limits, verb).maximumAttempts);
  await retryWhileDatabaseDown(run.retryLimit, () => recordRemovalFailure(run.deps.database, run.key, failure, final));
}
