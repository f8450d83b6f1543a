import { ApplicationFailure } from '@temporalio/common';
import type { Blueprint, PlannedStep, Step } from '../contracts/blueprint.ts';
import type {
  BookkeepingActivities,
  Claim,
  ClaimInput,
  Leftover,
  OperationInput,
  StateChange,
  StateChangeAnswer,
} from '../contracts/messages.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import type { Database, Queryable } from '../db/database.ts';
import { listLeftovers } from '../db/leftovers.ts';
import { changeOperationState, findOperation, lockOperation, recordRun, type OperationRow } from '../db/operations.ts';
import { listSteps } from '../db/steps.ts';
import { changeTenantStatus, lockTenant } from '../db/tenants.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { loadBlueprint } from './blueprint-cache.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { alertStuck, changeState } from './operation-change.ts';
import { closeOperation, settleTenant } from './operation-closing.ts';
import { withoutSteps } from './remaining-steps.ts';
import { claimStuck, takeoverOf } from './run-loss.ts';
import { StepError } from '../contracts/step-error.ts';

/** What the executor writes about an operation: PostgreSQL only, a transaction each, safe to repeat. */
export function createBookkeeping({
  database,
  kinds,
  log,
}: Pick<ActivityDependencies, 'database' | 'kinds' | 'log'>): Omit<BookkeepingActivities, 'confirmReady'> {
  return {
    claimOperation: (input) => claimOperation({ database, kinds }, input),
    changeOperationState: async (change) => {
      const answer = await changeStateOnce(database, change);
      if (change.state === 'stuck' && answer.changed) await alertStuck({ database, log }, change);
      return answer;
    },
    closeOperation: (input) => closeOperation(database, input),
    listLeftovers: (input) => leftoversOf(database, input),
  };
}

type ClaimDeps = Pick<ActivityDependencies, 'database' | 'kinds'>;

async function claimOperation(deps: ClaimDeps, input: ClaimInput): Promise<Claim> {
  const invalid = await findInvalidity(deps, input.operationId);
  return deps.database.transaction(async (tx): Promise<Claim> => {
    const operation = await lockOperation(tx, input.operationId);
    if (!operation) return { claimed: false };
    if (operation.state === 'accepted') {
      await recordRun(tx, operation.id, input);
      await changeOperationState(tx, operation.id, ['accepted'], 'running');
      const { claimed } = operationTable[operation.type].tenantStatus;
      await changeTenantStatus(tx, operation.tenantId, claimed, { operationId: operation.id });
      if (invalid) return refuse(tx, operation, invalid);
    } else if (operation.runId !== input.runId || !isOpen(operation.state)) {
      if (invalid || !(await claimStuck(tx, operation, input))) return { claimed: false };
    }
    return planOf(tx, operation, deps.kinds);
  });
}

/** What is wrong with the stored blueprint; undefined when it may run. */
async function findInvalidity({ database, kinds }: ClaimDeps, operationId: string): Promise<StepError | undefined> {
  if (!(await findOperation(database, operationId))) return undefined;
  try {
    await loadBlueprint(database, operationId, kinds);
    return undefined;
  } catch (error) {
    if (error instanceof StepError) return error;
    throw error;
  }
}

/** An operation whose blueprint cannot run is closed before it made anything: no run could ever go on with it. */
async function refuse(tx: Queryable, operation: OperationRow, invalid: StepError): Promise<Claim> {
  const failure = { code: invalid.code, message: invalid.message, detail: invalid.detail };
  const canUndo = operationTable[operation.type].undo !== 'none';
  const [by, to] = canUndo ? (['rolling-back', 'rolled-back'] as const) : (['stuck', 'abandoned'] as const);
  await changeOperationState(tx, operation.id, ['running'], by, { failure });
  await changeOperationState(tx, operation.id, [by], to, { failure });
  await settleTenant(tx, operation, to, failure);
  return { claimed: false };
}

async function planOf(tx: Queryable, operation: OperationRow, kinds: KindRegistry): Promise<Claim> {
  const tenant = await lockTenant(tx, operation.tenantId);
  const blueprint = await loadBlueprint(tx, operation.id, kinds);
  return {
    claimed: true,
    operationId: operation.id,
    type: operation.type,
    tenantId: tenant.id,
    product: tenant.product,
    tier: tenant.tier,
    slug: tenant.slug,
    tenantStatus: tenant.status,
    onFailure: operation.onFailure,
    holdMs: operation.holdMs,
    steps: await stepsOf(tx, operation, blueprint, kinds),
    // Between a claim and the run's first change of state nothing else is stuck.
    ...(operation.state === 'stuck' ? { takeover: await takeoverOf(tx, operation) } : {}),
  };
}

/** The way down walks what was begun and is not removed; of a step that was never begun there is nothing. */
async function stepsOf(
  tx: Queryable,
  operation: OperationRow,
  blueprint: Blueprint,
  kinds: KindRegistry,
): Promise<PlannedStep[]> {
  const all = blueprint.steps.map((step) => planned(step, kinds));
  if (operationTable[operation.type].target === 'desired' && operation.state !== 'stuck') return all;
  const begun = new Set(
    (await listSteps(tx, operation.tenantId)).filter((s) => s.state !== 'removed').map((s) => s.stepId),
  );
  return withoutSteps(all, new Set(all.map((s) => s.id).filter((id) => !begun.has(id))));
}

/** The step as the workflow walks it: without its spec, with what its kind says of the walk. */
function planned({ spec: _spec, ...step }: Step, { kinds }: KindRegistry): PlannedStep {
  const limits = kinds.get(step.kind)?.limits;
  return limits ? { ...step, limits } : step;
}

async function changeStateOnce(database: Database, change: StateChange): Promise<StateChangeAnswer> {
  return database.transaction(async (tx) => {
    const operation = await lockOperation(tx, change.operationId);
    if (!operation) throw noSuchOperation(change.operationId);
    // The attempt before this one wrote it, and its answer was lost.
    if (operation.state === change.state && operation.generation === change.generation)
      return { changed: true, tenantStatus: (await lockTenant(tx, operation.tenantId)).status };
    if (isOutOfTime(operation, change))
      return { changed: false, tenantStatus: (await lockTenant(tx, operation.tenantId)).status };
    return changeState(tx, operation, change);
  });
}

/**
 * Whether the change was overtaken: an attempt that was slow or frozen must not take back what its run has written since. A
 * run goes on after a hold, or after being stuck, in its next generation only.
 */
function isOutOfTime({ state, generation }: OperationRow, change: StateChange): boolean {
  const isRetry = state === 'stuck' || (state === 'holding' && change.state === 'running');
  return isRetry ? change.generation <= generation : change.generation < generation;
}

async function leftoversOf(database: Database, { operationId }: OperationInput): Promise<Leftover[]> {
  const operation = await findOperation(database, operationId);
  if (!operation) throw noSuchOperation(operationId);
  return listLeftovers(database, operation.tenantId);
}

function noSuchOperation(operationId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`there is no operation ${operationId}`, 'OPERATION_NOT_FOUND');
}
