import type { PlannedStep, Step } from '../contracts/blueprint.ts';
import type { Claim, ClaimInput, OperationPlan } from '../contracts/messages.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { StepError } from '../contracts/step-error.ts';
import { findAppliedBlueprint, listStepDefinitions } from '../db/blueprints.ts';
import type { Queryable } from '../db/database.ts';
import { changeOperationState, findOperation, lockOperation, recordRun, type OperationRow } from '../db/operations.ts';
import { listSteps } from '../db/steps.ts';
import { changeTenantStatus, lockTenant } from '../db/tenants.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { planTo } from '../plan/plan.ts';
import { loadBlueprint } from './blueprint-cache.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { settleTenant } from './operation-closing.ts';
import { claimStuck, takeoverOf } from './run-loss.ts';

type ClaimDeps = Pick<ActivityDependencies, 'database' | 'kinds'>;

/** Gives an operation to a run, by compare-and-swap, with the plan of what becomes of each step. */
export async function claimOperation(deps: ClaimDeps, input: ClaimInput): Promise<Claim> {
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
    ...(await walkOf(tx, operation, kinds)),
    // Between a claim and the run's first change of state nothing else is stuck.
    ...(operation.state === 'stuck' ? { takeover: await takeoverOf(tx, operation) } : {}),
  };
}

/** What becomes of each step; of what is taken over, on the way back where there is one. */
async function walkOf(
  tx: Queryable,
  operation: OperationRow,
  kinds: KindRegistry,
): Promise<Pick<OperationPlan, 'steps' | 'applied'>> {
  const { target, undo } = operationTable[operation.type];
  const own = (await loadBlueprint(tx, operation.id, kinds)).steps;
  const applied = undo === 'none' ? [] : ((await findAppliedBlueprint(tx, operation.tenantId))?.steps ?? []);
  const goesBack = operation.state === 'stuck' && undo !== 'none';
  const goal = goesBack ? applied : target === 'desired' ? own : [];
  const begun = (await listSteps(tx, operation.tenantId)).filter(({ state }) => state !== 'removed');
  const named = new Set([...own, ...applied].map(({ id }) => id));
  const unnamed = begun.map(({ stepId }) => stepId).filter((id) => !named.has(id));
  const known = [...(await listStepDefinitions(tx, operation.tenantId, unnamed)), ...applied, ...own];
  const steps = planTo({
    target: goal.map((step) => planned(step, kinds)),
    known: known.map((step) => planned(step, kinds)),
    held: new Map(begun.map(({ stepId, kind, state }) => [stepId, { kind, isReady: state === 'ready' }])),
  });
  return { steps, ...(applied.length > 0 && { applied: applied.map(({ id }) => id) }) };
}

/** The step as the workflow walks it: without its spec, with what its kind says of the walk. */
function planned({ spec: _spec, ...step }: Step, { kinds }: KindRegistry): PlannedStep {
  const limits = kinds.get(step.kind)?.limits;
  return limits ? { ...step, limits } : step;
}
