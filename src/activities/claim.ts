import { ApplicationFailure } from '@temporalio/common';
import type { Step } from '../contracts/blueprint.ts';
import type { Claim, ClaimInput, OperationPlan, StateChange } from '../contracts/messages.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { StepError } from '../contracts/step-error.ts';
import type { Queryable } from '../db/database.ts';
import { isWaiting } from '../db/grace.ts';
import { listLeftovers } from '../db/leftovers.ts';
import {
  changeOperationState,
  findOperation,
  lockOperation,
  recordRun,
  recordWaiting,
  type OperationRow,
} from '../db/operations.ts';
import { changeTenantStatus, lockTenant } from '../db/tenants.ts';
import { findOperationFacts } from '../db/walk-facts.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import type { StepPlan } from '../plan/plan.ts';
import { directionOf, walkOf } from '../plan/operation-walk.ts';
import { loadBlueprint } from './blueprint-cache.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { alertLacking, lackedForMaking, lackedForRemoval, workerLacks } from './lacking-kinds.ts';
import { alertStuck, changeState } from './operation-change.ts';
import { settleTenant } from './operation-closing.ts';
import { claimStuck, takeoverOf } from './run-loss.ts';

type ClaimDeps = Pick<ActivityDependencies, 'database' | 'kinds' | 'log'>;

/**
 * Gives an operation to a run, by compare-and-swap, with the plan of what becomes of each step. A worker that does not know the
 * operation's kinds leaves it as it is: the claim fails so that it is tried again, perhaps by another worker.
 */
export async function claimOperation(deps: ClaimDeps, input: ClaimInput): Promise<Claim> {
  try {
    const invalid = await findInvalidity(deps, input.operationId);
    return await deps.database.transaction((tx) => claim(deps, tx, input, invalid));
  } catch (error) {
    if (!(error instanceof StepError) || error.code !== 'WORKER_LACKS_KIND') throw error;
    await recordLacking(deps, input.operationId, error);
    const { code, message, detail } = error;
    throw ApplicationFailure.retryable(message, code, { code, detail });
  }
}

async function claim(
  deps: ClaimDeps,
  tx: Queryable,
  input: ClaimInput,
  invalid: StepError | undefined,
): Promise<Claim> {
  const operation = await lockOperation(tx, input.operationId);
  if (!operation) return { claimed: false };
  if (operation.state === 'accepted') {
    await recordRun(tx, operation.id, input);
    await changeOperationState(tx, operation.id, ['accepted'], 'running', { failure: null });
    const { claimed } = operationTable[operation.type].tenantStatus;
    await changeTenantStatus(tx, operation.tenantId, claimed, { operationId: operation.id });
    if (invalid) return refuse(deps, tx, { ...operation, state: 'running' }, invalid);
  } else if (operation.runId !== input.runId || !isOpen(operation.state)) {
    if (invalid || !(await claimStuck(tx, operation, input))) return { claimed: false };
  }
  return planOf(tx, operation, deps.kinds);
}

/** What is wrong with the stored blueprint, whoever reads it; undefined when it may run. */
async function findInvalidity({ database, kinds }: ClaimDeps, operationId: string): Promise<StepError | undefined> {
  if (!(await findOperation(database, operationId))) return undefined;
  try {
    await loadBlueprint(database, operationId, kinds);
    return undefined;
  } catch (error) {
    if (error instanceof StepError && error.code === 'BLUEPRINT_INVALID') return error;
    throw error;
  }
}

/**
 * An operation whose blueprint cannot run has made nothing. One that can be undone is closed; any other is stuck, with all that is
 * left: it is not its end that a tenant stays.
 */
async function refuse({ log }: ClaimDeps, tx: Queryable, operation: OperationRow, invalid: StepError): Promise<Claim> {
  const failure = { code: invalid.code, message: invalid.message, detail: invalid.detail };
  const { id: operationId, generation } = operation;
  if (operationTable[operation.type].undo === 'none') {
    const leftovers = await listLeftovers(tx, operation.tenantId);
    const change: StateChange = { operationId, state: 'stuck', generation, failure, leftovers };
    await changeState(tx, operation, change);
    // A death before the commit means that it is told again, not never.
    await alertStuck({ database: tx, log }, change);
    return { claimed: false };
  }
  await changeOperationState(tx, operationId, ['running'], 'rolling-back', { failure });
  await changeOperationState(tx, operationId, ['rolling-back'], 'rolled-back', { failure });
  await settleTenant(tx, operation, 'rolled-back', failure);
  return { claimed: false };
}

/** The status of an operation that waits for a worker says so. */
async function recordLacking({ database, log }: ClaimDeps, operationId: string, error: StepError): Promise<void> {
  const { code, message, detail } = error;
  try {
    await recordWaiting(database, operationId, { code, message, detail });
    await alertLacking({ database, log }, operationId, error);
  } catch (cause) {
    log.error({ err: cause, operationId }, 'that an operation waits for another worker could not be recorded');
  }
}

async function planOf(tx: Queryable, operation: OperationRow, kinds: KindRegistry): Promise<Claim> {
  const tenant = await lockTenant(tx, operation.tenantId);
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
    ...(await planOfWalk(tx, operation, kinds)),
    ...(isWaiting(operation) && { graceUntil: operation.graceUntil.toISOString() }),
    // Between a claim and the run's first change of state nothing else is stuck.
    ...(operation.state === 'stuck' ? { takeover: await takeoverOf(tx, operation) } : {}),
  };
}

/** What becomes of each step; of what is taken over, on the way back where there is one. */
async function planOfWalk(
  tx: Queryable,
  operation: OperationRow,
  kinds: KindRegistry,
): Promise<Pick<OperationPlan, 'steps' | 'applied' | 'restore'>> {
  const { id } = operation;
  const direction = directionOf(operation);
  const own = (await loadBlueprint(tx, id, kinds)).steps;
  const facts = await findOperationFacts(tx, operation, own, direction, kinds.isRemovedAgain);
  const { steps, restore } = walkOf(operation, direction, facts, (kind) => kinds.kinds.get(kind)?.limits);
  const goal = direction === 'back' ? facts.applied : operationTable[operation.type].target === 'nothing' ? [] : own;
  refuseLacking(id, steps, goal, kinds);
  if (facts.applied.length === 0) return { steps };
  return { steps, applied: facts.applied.map((step) => step.id), ...(restore.length > 0 && { restore }) };
}

/** What is made needs a spec that its kind reads, anything else only its kind. @throws StepError WORKER_LACKS_KIND */
function refuseLacking(id: string, steps: readonly StepPlan[], goal: readonly Step[], kinds: KindRegistry): void {
  const made = new Set(steps.filter(({ becomes }) => becomes !== 'keep' && becomes !== 'drop').map((step) => step.id));
  const lacked = [
    ...lackedForMaking(
      goal.filter((step) => made.has(step.id)),
      kinds,
    ),
    ...lackedForRemoval(
      steps.filter((step) => !made.has(step.id)),
      kinds,
    ),
  ];
  if (lacked.length > 0) throw workerLacks(id, lacked);
}
