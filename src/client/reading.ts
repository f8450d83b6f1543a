import { isOpen } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { unsettledOf } from '../contracts/unsettled.ts';
import { blueprintSchema } from '../db/blueprint-column.ts';
import { findAppliedBlueprint } from '../db/blueprints.ts';
import type { Database, Queryable } from '../db/database.ts';
import { findNewestEventId, findStateTime, listEvents, type EventRow } from '../db/events.ts';
import { listAwaited } from '../db/lost-readiness.ts';
import { isWaiting } from '../db/grace.ts';
import { listLeftovers } from '../db/leftovers.ts';
import {
  findBlueprint,
  findOperation,
  listNewestOperationsOf,
  listOperationsOf,
  type OperationRow,
} from '../db/operations.ts';
import { listFailingRemovals } from '../db/step-removal.ts';
import { listSteps, type StepRow } from '../db/steps.ts';
import { countBlueprintSteps } from '../db/summaries.ts';
import { findTenant, type TenantRow } from '../db/tenants.ts';
import { z } from 'zod';
import { adviceOnFailure, type Advice } from '../contracts/advice.ts';
import type { IsRemovedAgain } from '../plan/walk.ts';
import { attentionOf, currentFailure, needsAttention } from './attention.ts';
import { spanContextOf } from '../telemetry/trace-context.ts';
import { currentStepsOf, underWay } from './current-steps.ts';
import { driftDetails, driftOf } from './drift.ts';
import { healthView } from './health-view.ts';
import { isolationView } from './isolation-view.ts';
import { outcomeOf } from './outcome.ts';
import { stepCounts, type StepCounts } from './step-counts.ts';
import { RequestError } from './request-error.ts';
import type {
  EventView,
  OperationView,
  StatusView,
  TenantDriftView,
  TenantView,
  TenantWithOutcomeView,
} from './views.ts';
import { openOperationOf } from './views.ts';

/** @throws RequestError TENANT_NOT_FOUND */
export async function existingTenant(db: Queryable, tenantId: string): Promise<TenantRow> {
  const tenant = await findTenant(db, tenantId);
  if (!tenant) throw new RequestError('TENANT_NOT_FOUND', `there is no tenant ${tenantId}`, { details: { tenantId } });
  return tenant;
}

/** Tenant and operation change together, so they are read together. */
export function readTenant(db: Pick<Database, 'snapshot'>, tenantId: string): Promise<TenantWithOutcomeView> {
  return db.snapshot(async (at) => {
    const tenant = await existingTenant(at, tenantId);
    const drift = (await driftOf(at, [tenantId])).get(tenantId) ?? null;
    const operation = await newestOperation(at, tenantId);
    return { ...withOutcome(tenant, operation), drift };
  });
}

/** @param operation the newest one */
export function withOutcome(tenant: TenantRow, operation: OperationRow): Omit<TenantWithOutcomeView, 'drift'> {
  const outcome = outcomeOf(tenant, operation);
  const unsettled = unsettledOf(tenant, operation.leftovers);
  const error = currentFailure(tenant, operation);
  const openOperation = openOperationOf(operation);
  const view = { ...tenantView(tenant), outcome, unsettled, deletesAt: deletesAt(operation), openOperation };
  return error === null ? view : { ...view, error };
}

async function newestOperation(db: Queryable, tenantId: string): Promise<OperationRow> {
  const [operation] = await listNewestOperationsOf(db, [tenantId]);
  if (!operation) throw new Error(`tenant ${tenantId} has no operation`);
  return operation;
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

/** 0: there is none. @throws RequestError TENANT_NOT_FOUND */
export async function readNewestEvent(db: Queryable, tenantId: string): Promise<number> {
  await existingTenant(db, tenantId);
  return findNewestEventId(db, tenantId);
}

export async function readDrift(db: Queryable, tenantId: string): Promise<TenantDriftView> {
  await existingTenant(db, tenantId);
  return driftDetails(db, tenantId);
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
export function readStatus({ catalog, database }: StatusDeps, tenantId: string): Promise<StatusView> {
  return database.snapshot((at) => statusAt(at, tenantId, catalog.kinds.isRemovedAgain));
}

/** What a status is read with. */
export interface StatusDeps {
  readonly database: Pick<Database, 'snapshot'>;
  readonly catalog: { readonly kinds: { readonly isRemovedAgain: IsRemovedAgain } };
}

async function statusAt(db: Queryable, tenantId: string, isRemovedAgain: IsRemovedAgain): Promise<StatusView> {
  const tenant = await existingTenant(db, tenantId);
  const operation = await newestOperation(db, tenantId);
  const steps = await listSteps(db, tenantId);
  // Those that were ready, and are looked at again before the commit, are none of the ledger's states.
  const awaited = operation.state === 'running' ? await listAwaited(db, operation) : [];
  const currentSteps = [...new Set([...currentStepsOf(operation, steps), ...awaited.map(({ stepId }) => stepId)])];
  const failure = currentFailure(tenant, operation);
  const removes = underWay(operation).includes('removing');
  const retrying = removes ? await listFailingRemovals(db, tenantId) : [];
  const attention = needsAttention(tenant, operation) ? await attentionAt(db, tenant, operation) : undefined;
  return {
    tenantId,
    status: tenant.status,
    health: healthView(tenant),
    isolation: isolationView(tenant),
    operation: {
      operationId: operation.id,
      type: operation.type,
      state: operation.state,
      caller: operation.caller,
    },
    currentStep: currentSteps[0] ?? null,
    currentSteps,
    outcome: outcomeOf(tenant, operation),
    ...withoutAwaited(await progressAt(db, operation, steps, isRemovedAgain), currentSteps),
    ...(retrying.length > 0 ? { retrying } : {}),
    ...(awaited.length > 0 ? { awaited: awaited.map((one) => ({ ...one, since: one.since.toISOString() })) } : {}),
    deletesAt: deletesAt(operation),
    startedAt: operation.acceptedAt.toISOString(),
    updatedAt: latest(operation.updatedAt, tenant.updatedAt).toISOString(),
    ...(failure === null ? {} : { error: failure }),
    ...attention,
    cleanupPending: tenant.cleanupPending,
    unsettled: unsettledOf(tenant, attention?.leftovers ?? operation.leftovers),
    tenantUrl: tenant.tenantUrl,
    drift: (await driftOf(db, [tenantId])).get(tenantId) ?? null,
  };
}

/** What is left is read anew: since the operation got stuck or was closed, somebody may have taken something away. */
async function attentionAt(
  db: Queryable,
  tenant: TenantRow,
  operation: OperationRow,
): Promise<Pick<StatusView, 'leftovers' | 'attention'>> {
  // A hold has made things that nothing is wrong with.
  const leftovers = operation.state === 'holding' ? [] : await listLeftovers(db, tenant.id);
  const since = (await findStateTime(db, operation)) ?? operation.updatedAt;
  return {
    ...(leftovers.length > 0 ? { leftovers } : {}),
    attention: attentionOf(tenant, operation, leftovers, since),
  };
}

async function progressAt(
  db: Queryable,
  operation: OperationRow,
  steps: readonly StepRow[],
  isRemovedAgain: IsRemovedAgain,
): Promise<StepCounts> {
  const { state, type } = operation;
  const { createsTenant, target } = operationTable[type];
  if (target === 'nothing') return stepCounts(operation, steps, { own: [], applied: [] }, isRemovedAgain);
  const own = blueprintSchema.safeParse(await findBlueprint(db, operation.id)).data?.steps;
  // One that cannot be read is no reason to say nothing of the rest.
  if (!own) return { stepsDone: [], stepsTotal: await countBlueprintSteps(db, operation.id) };
  const hasBefore = isOpen(state) && !createsTenant;
  const applied = hasBefore ? ((await findAppliedBlueprint(db, operation.tenantId))?.steps ?? []) : [];
  return stepCounts(operation, steps, { own, applied }, isRemovedAgain);
}

function withoutAwaited({ stepsDone, stepsTotal }: StepCounts, currentSteps: readonly string[]): StepCounts {
  return { stepsDone: stepsDone.filter((stepId) => !currentSteps.includes(stepId)), stepsTotal };
}

function latest(a: Date, b: Date): Date {
  return a > b ? a : b;
}

/** When an open operation ends its wait, and begins to remove; null where it does not wait. */
export function deletesAt(operation: OperationRow): string | null {
  return isOpen(operation.state) && isWaiting(operation) ? operation.graceUntil.toISOString() : null;
}

export function tenantView(row: TenantRow): TenantView {
  return {
    tenantId: row.id,
    product: row.product,
    tier: row.tier,
    cameFromTier: row.cameFromTier,
    slug: row.slug,
    displayName: row.displayName,
    contactEmail: row.contactEmail,
    cell: row.cell,
    status: row.status,
    cleanupPending: row.cleanupPending,
    tenantUrl: row.tenantUrl,
    health: healthView(row),
    isolation: isolationView(row),
    settings: row.settings,
    settingsVersion: row.settingsVersion,
    credentials: row.credentials,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    activatedAt: row.activatedAt?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
  };
}

export function operationView(row: OperationRow): OperationView {
  const failure = currentFailure({ failure: null }, row);
  return {
    operationId: row.id,
    tenantId: row.tenantId,
    type: row.type,
    state: row.state,
    onFailure: row.onFailure,
    workflowId: row.workflowId,
    runId: row.runId,
    generation: row.generation,
    ...(failure === null ? {} : { failure }),
    ...(row.leftovers === null ? {} : { leftovers: row.leftovers }),
    cancelRequestedAt: row.cancelRequestedAt?.toISOString() ?? null,
    caller: row.caller,
    deletesAt: deletesAt(row),
    traceId: spanContextOf(row.traceparent ?? undefined)?.traceId ?? null,
    acceptedAt: row.acceptedAt.toISOString(),
    claimedAt: row.claimedAt?.toISOString() ?? null,
    closedAt: row.closedAt?.toISOString() ?? null,
    updatedAt: row.updatedAt.toISOString(),
  };
}

function eventView(row: EventRow): EventView {
  const advice = adviceFor(row);
  return {
    id: row.id,
    at: row.at.toISOString(),
    type: row.type,
    tenantId: row.tenantId,
    operationId: row.operationId,
    stepId: row.stepId,
    data: row.data,
    caller: row.caller,
    ...(advice && { advice }),
  };
}

const failureShape = z.object({ code: z.string(), detail: z.string().optional() });

/** On what failed for good, and on an operation that waits for a person because of it. */
function adviceFor({ type, data }: EventRow): Advice | undefined {
  const failed =
    type === 'operation.state' ? data.failure : type === 'step.failed' || type === 'step.remove-failed' ? data : null;
  const failure = failureShape.safeParse(failed).data;
  return failure && adviceOnFailure(failure);
}
