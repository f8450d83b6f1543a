import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { planned, type Blueprint, type PlannedStep } from '../contracts/blueprint.ts';
import type {
  BookkeepingActivities,
  Claim,
  ClaimInput,
  Leftover,
  OperationInput,
  StateChange,
  StateChangeAnswer,
} from '../contracts/messages.ts';
import { isOpen, operationStateTransitions, type OperationState } from '../contracts/operation-state.ts';
import type { Database, Queryable } from '../db/database.ts';
import { listNotRemoved } from '../db/ledger.ts';
import { changeOperationState, findOperation, lockOperation, recordRun, type OperationRow } from '../db/operations.ts';
import { listSteps } from '../db/steps.ts';
import { changeTenantStatus, lockTenant, type TenantRow } from '../db/tenants.ts';
import { loadBlueprint } from './blueprint-cache.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { closeOperation, settleTenant } from './operation-closing.ts';
import { withoutSteps } from './remaining-steps.ts';
import { StepError } from '../contracts/step-error.ts';

/** What the executor writes about an operation: PostgreSQL only, a transaction each, safe to repeat. */
export function createBookkeeping({
  database,
  log,
}: Pick<ActivityDependencies, 'database' | 'log'>): BookkeepingActivities {
  return {
    claimOperation: (input) => claimOperation(database, input),
    changeOperationState: async (change) => {
      const answer = await database.transaction((tx) => changeState(tx, change));
      if (change.state === 'stuck' && answer.changed) alertStuck(log, change);
      return answer;
    },
    closeOperation: (input) => closeOperation(database, input),
    listLeftovers: (input) => listLeftovers(database, input),
  };
}

/** The alert of design rule 7: a line of level error, beside the metric and the event that say the same. */
function alertStuck(log: Logger, { operationId, leftovers = [], failure }: StateChange): void {
  const left = leftovers.map(({ type, name, reason }) => `${type} ${name}: ${reason}`);
  log.error(
    { alert: 'operation-stuck', operationId, left, failure },
    'an operation is stuck: it waits for an operator',
  );
}

async function claimOperation(database: Database, input: ClaimInput): Promise<Claim> {
  const invalid = await findInvalidity(database, input.operationId);
  return database.transaction(async (tx): Promise<Claim> => {
    const operation = await lockOperation(tx, input.operationId);
    if (!operation) return { claimed: false };
    if (operation.state === 'accepted') {
      await recordRun(tx, operation.id, input);
      await changeOperationState(tx, operation.id, ['accepted'], 'running');
      const to = operation.type === 'provision' ? 'validating' : 'deleting';
      await changeTenantStatus(tx, operation.tenantId, to, { operationId: operation.id });
      if (invalid) return refuse(tx, operation, invalid);
    } else if (operation.runId !== input.runId || !isOpen(operation.state)) {
      return { claimed: false };
    }
    return planOf(tx, operation);
  });
}

/** What is wrong with the stored blueprint; undefined when it may run. */
async function findInvalidity(database: Database, operationId: string): Promise<StepError | undefined> {
  if (!(await findOperation(database, operationId))) return undefined;
  try {
    await loadBlueprint(database, operationId);
    return undefined;
  } catch (error) {
    if (error instanceof StepError) return error;
    throw error;
  }
}

/** An operation whose blueprint cannot run is closed before it made anything: no run could ever go on with it. */
async function refuse(tx: Queryable, operation: OperationRow, invalid: StepError): Promise<Claim> {
  const failure = { code: invalid.code, message: invalid.message, detail: invalid.detail };
  const [by, to] =
    operation.type === 'provision' ? (['rolling-back', 'rolled-back'] as const) : (['stuck', 'abandoned'] as const);
  await changeOperationState(tx, operation.id, ['running'], by, { failure });
  await changeOperationState(tx, operation.id, [by], to, { failure });
  await settleTenant(tx, operation, to, failure);
  return { claimed: false };
}

async function planOf(tx: Queryable, operation: OperationRow): Promise<Claim> {
  const tenant = await lockTenant(tx, operation.tenantId);
  const blueprint = await loadBlueprint(tx, operation.id);
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
    steps: await stepsOf(tx, operation, blueprint),
  };
}

/** A deprovisioning walks what was begun and is not removed; of a step that was never begun there is nothing. */
async function stepsOf(tx: Queryable, operation: OperationRow, blueprint: Blueprint): Promise<PlannedStep[]> {
  const all = blueprint.steps.map(planned);
  if (operation.type === 'provision') return all;
  const begun = new Set(
    (await listSteps(tx, operation.tenantId)).filter((s) => s.state !== 'removed').map((s) => s.stepId),
  );
  return withoutSteps(all, new Set(all.map((s) => s.id).filter((id) => !begun.has(id))));
}

async function changeState(tx: Queryable, change: StateChange): Promise<StateChangeAnswer> {
  const operation = await lockOperation(tx, change.operationId);
  if (!operation) throw noSuchOperation(change.operationId);
  const tenant = await lockTenant(tx, operation.tenantId);
  // The attempt before this one wrote it, and its answer was lost.
  if (operation.state === change.state && operation.generation === change.generation)
    return { changed: true, tenantStatus: tenant.status };
  const changed = await changeOperationState(tx, change.operationId, statesBefore(change.state), change.state, {
    generation: change.generation,
    failure: change.failure ?? (change.state === 'running' ? null : undefined),
    leftovers: change.leftovers ?? (change.state === 'stuck' ? undefined : null),
  });
  if (!changed) return { changed: false, tenantStatus: tenant.status };
  return { changed: true, tenantStatus: (await followState(tx, operation, change, tenant)).status };
}

function statesBefore(state: OperationState): OperationState[] {
  return Object.entries(operationStateTransitions).flatMap(([from, to]) =>
    isState(from) && to.includes(state) ? [from] : [],
  );
}

function isState(text: string): text is OperationState {
  return text in operationStateTransitions;
}

/** What a change of the operation's state means for its tenant. */
async function followState(
  tx: Queryable,
  operation: OperationRow,
  change: StateChange,
  tenant: TenantRow,
): Promise<TenantRow> {
  const operationId = operation.id;
  if (change.state === 'stuck') {
    // A deprovisioning that is stuck leaves its tenant in `deleting`: there is no way back.
    const to = operation.type === 'provision' ? 'failed' : tenant.status;
    return changeTenantStatus(tx, tenant.id, to, { operationId, cleanupPending: true, failure: change.failure });
  }
  const retried = operation.state === 'stuck';
  if (retried && operation.type === 'provision' && tenant.status === 'failed')
    return changeTenantStatus(tx, tenant.id, 'creating', { operationId });
  return tenant;
}

async function listLeftovers(database: Database, { operationId }: OperationInput): Promise<Leftover[]> {
  const operation = await findOperation(database, operationId);
  if (!operation) throw noSuchOperation(operationId);
  const rows = await listNotRemoved(database, operation.tenantId);
  return rows.map((row) => ({
    stepId: row.stepId,
    type: row.type,
    name: row.name,
    physicalId: row.physicalId ?? undefined,
    reason: row.failure ? reasonOf(row.failure) : 'still present',
  }));
}

function reasonOf({ code, message, detail }: { code: string; message: string; detail?: string | undefined }): string {
  return `${code}: ${message}${detail === undefined ? '' : ` (${detail})`}`;
}

function noSuchOperation(operationId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`there is no operation ${operationId}`, 'OPERATION_NOT_FOUND');
}
