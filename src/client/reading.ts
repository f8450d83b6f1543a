import { isOpen, type OperationState } from '../contracts/operation-state.ts';
import type { Database, Queryable } from '../db/database.ts';
import { listEvents, type EventRow } from '../db/events.ts';
import { findOperation, listOperationsOf, type OperationRow } from '../db/operations.ts';
import { listSteps, type StepRow } from '../db/steps.ts';
import { countBlueprintSteps } from '../db/summaries.ts';
import { InvalidCursorError, findTenant, listTenants, type TenantRow } from '../db/tenants.ts';
import { RequestError } from './request-error.ts';
import type { ListInput } from './requests.ts';
import type { EventView, OperationView, StatusView, TenantView } from './views.ts';

/** @throws RequestError TENANT_NOT_FOUND */
export async function existingTenant(db: Queryable, tenantId: string): Promise<TenantRow> {
  const tenant = await findTenant(db, tenantId);
  if (!tenant) throw new RequestError('TENANT_NOT_FOUND', `there is no tenant ${tenantId}`, { details: { tenantId } });
  return tenant;
}

export async function readTenant(db: Queryable, tenantId: string): Promise<TenantView> {
  return tenantView(await existingTenant(db, tenantId));
}

export async function readTenants(
  db: Queryable,
  input: ListInput,
): Promise<{ tenants: TenantView[]; nextCursor: string | null }> {
  try {
    const page = await listTenants(db, input);
    return { tenants: page.tenants.map(tenantView), nextCursor: page.nextCursor ?? null };
  } catch (cause) {
    if (!(cause instanceof InvalidCursorError)) throw cause;
    throw new RequestError('INVALID_INPUT', cause.message, {
      details: { fields: [{ field: 'querystring.cursor', problem: cause.message }] },
      cause,
    });
  }
}

export async function readEvents(
  db: Queryable,
  tenantId: string,
  page: { after: number; limit: number },
): Promise<EventView[]> {
  const events = await listEvents(db, tenantId, page.after, page.limit);
  if (events.length === 0) await existingTenant(db, tenantId);
  return events.map(eventView);
}

export async function readOperations(db: Queryable, tenantId: string): Promise<OperationView[]> {
  await existingTenant(db, tenantId);
  return (await listOperationsOf(db, tenantId)).map(operationView);
}

/** @throws RequestError OPERATION_NOT_FOUND, also for another tenant's */
export async function readOperation(db: Queryable, tenantId: string, operationId: string): Promise<OperationView> {
  await existingTenant(db, tenantId);
  const operation = await findOperation(db, operationId);
  if (operation?.tenantId !== tenantId) {
    throw new RequestError('OPERATION_NOT_FOUND', `tenant ${tenantId} has no operation ${operationId}`, {
      details: { operationId },
    });
  }
  return operationView(operation);
}

/** Tenant and operation change together, so they are read together. */
export function readStatus(db: Pick<Database, 'snapshot'>, tenantId: string): Promise<StatusView> {
  return db.snapshot((at) => statusAt(at, tenantId));
}

async function statusAt(db: Queryable, tenantId: string): Promise<StatusView> {
  const tenant = await existingTenant(db, tenantId);
  const [operation] = await listOperationsOf(db, tenantId);
  if (!operation) throw new Error(`tenant ${tenantId} has no operation`);
  const steps = await listSteps(db, tenantId);
  const currentSteps = isOpen(operation.state) ? idsIn(steps, underWay(operation)) : [];
  const failure = operation.failure ?? tenant.failure;
  return {
    tenantId,
    status: tenant.status,
    operation: { operationId: operation.id, type: operation.type, state: operation.state },
    currentStep: currentSteps[0] ?? null,
    currentSteps,
    stepsDone: idsIn(steps, [operation.type === 'provision' ? 'ready' : 'removed']),
    stepsTotal: await countBlueprintSteps(db, operation.id),
    startedAt: operation.acceptedAt.toISOString(),
    updatedAt: latest(operation.updatedAt, tenant.updatedAt).toISOString(),
    ...(failure === null ? {} : { error: failure }),
    ...(operation.leftovers === null ? {} : { leftovers: operation.leftovers }),
    cleanupPending: tenant.cleanupPending,
    tenantUrl: tenant.tenantUrl,
  };
}

const goingDown: readonly OperationState[] = ['rolling-back', 'stuck'];

/** Which states of a step mean that the operation is at it. */
function underWay(operation: OperationRow): readonly StepRow['state'][] {
  const down = operation.type === 'deprovision' || goingDown.includes(operation.state);
  return down ? ['removing'] : ['intended', 'present'];
}

function idsIn(steps: readonly StepRow[], states: readonly StepRow['state'][]): string[] {
  return steps.filter((step) => states.includes(step.state)).map((step) => step.stepId);
}

function latest(a: Date, b: Date): Date {
  return a > b ? a : b;
}

export function tenantView(row: TenantRow): TenantView {
  return {
    tenantId: row.id,
    product: row.product,
    tier: row.tier,
    slug: row.slug,
    displayName: row.displayName,
    contactEmail: row.contactEmail,
    cell: row.cell,
    status: row.status,
    cleanupPending: row.cleanupPending,
    tenantUrl: row.tenantUrl,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    activatedAt: row.activatedAt?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
  };
}

export function operationView(row: OperationRow): OperationView {
  return {
    operationId: row.id,
    tenantId: row.tenantId,
    type: row.type,
    state: row.state,
    onFailure: row.onFailure,
    workflowId: row.workflowId,
    runId: row.runId,
    generation: row.generation,
    ...(row.failure === null ? {} : { failure: row.failure }),
    ...(row.leftovers === null ? {} : { leftovers: row.leftovers }),
    acceptedAt: row.acceptedAt.toISOString(),
    claimedAt: row.claimedAt?.toISOString() ?? null,
    closedAt: row.closedAt?.toISOString() ?? null,
    updatedAt: row.updatedAt.toISOString(),
  };
}

function eventView(row: EventRow): EventView {
  return {
    id: row.id,
    at: row.at.toISOString(),
    type: row.type,
    tenantId: row.tenantId,
    operationId: row.operationId,
    stepId: row.stepId,
    data: row.data,
  };
}
