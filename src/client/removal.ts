import { randomUUID } from 'node:crypto';
import { isAcceptable } from '../contracts/applicability.ts';
import type { Caller } from '../contracts/caller.ts';
import type { FinalDumpOwed } from '../contracts/final-dump.ts';
import { statusesWithGrace } from '../contracts/grace.ts';
import { tenantWorkflowId } from '../contracts/ids.ts';
import { DEFAULT_HOLD_MS } from '../contracts/operation-state.ts';
import { operationTable, operationTypeAskedBy } from '../contracts/operation-table.ts';
import { releaseAllocations } from '../db/allocations.ts';
import type { Queryable } from '../db/database.ts';
import { isWaiting } from '../db/grace.ts';
import { listNotRemoved } from '../db/ledger.ts';
import {
  changeOperationState,
  findBlueprint,
  findLastOperation,
  findOpenOperation,
  type NewOperation,
  type OperationRow,
} from '../db/operations.ts';
import { releaseSlug } from '../db/reservations.ts';
import { changeTenantStatus, findTenant, lockTenant, type TenantRow } from '../db/tenants.ts';
import { knownProduct, nounOf } from '../products/known-product.ts';
import { acceptOperation } from './freezing.ts';
import { walkTo } from '../plan/walk.ts';
import type { StepPlan } from '../plan/plan.ts';
import { findOperationFacts } from '../db/walk-facts.ts';
import { blueprintSchema } from '../db/blueprint-column.ts';
import { finalDumpOf, owedOf } from './final-dump.ts';
import { refuseOtherTag, tenantTag, type Conditional } from './precondition.ts';
import { inVain, previewOf } from './preview.ts';
import { inProgress } from './in-progress.ts';
import type { Once } from './once.ts';
import { orUnknown } from './outcome-unknown.ts';
import { deletesAt, existingTenant, tenantView } from './reading.ts';
import { RequestError } from './request-error.ts';
import { reachOrchestrator, startAccepted, startOnceFree, startOrWithdraw } from './starting.ts';
import type { ClientDeps, DeleteTenantInput } from './requests.ts';
import { acceptance, acceptedView, type ChangeOutcome, type FinalDumpView, type PreviewView } from './views.ts';

/**
 * Accepts the deprovisioning of a tenant, which begins when its grace period is over; a stuck operation is superseded by it. One of
 * which nothing is left is deleted at once.
 */
export async function deleteTenant(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  { graceMs = deps.deletionGraceMs ?? 0, exports = false, ifMatch, ...confirmation }: DeleteTenantInput,
  once: Once<ChangeOutcome>,
): Promise<ChangeOutcome> {
  const existing = await existingTenant(deps.database, tenantId);
  const noun = nounOf(deps.catalog.products, existing);
  refuseUnconfirmed(deps, existing, confirmation);
  await reachOrchestratorIfStuck(deps, tenantId);
  const operationId = randomUUID();
  // One of which nothing is left is deleted without an operation.
  const attempted = { what: `the deletion of ${noun} ${tenantId} was accepted`, shownBy: 'status' } as const;
  const deletion = { caller, tenantId, operationId, graceMs, exports, ifMatch };
  const outcomeOf = (written: Written) => deletionOutcome(noun, written);
  const keptOf = (written: Written) => ({
    outcome: outcomeOf(written),
    operationId: written.operation?.id,
    audit: { tenantId, data: { graceMs, exports, superseded: written.superseded?.id } },
  });
  const written = await orUnknown({ ...attempted, tenantId, operationId }, () =>
    deps.database.transaction((tx) => once.write(tx, () => write(deps, tx, deletion), keptOf)),
  );
  const { tenant, operation, superseded } = written;
  if (operation && superseded) await replaceRun(deps, operation, superseded);
  else if (operation) await startOrWithdraw(deps, tenant, operation);
  return outcomeOf(written);
}

function deletionOutcome(noun: string, { tenant, operation, finalDump }: Written): ChangeOutcome {
  if (!operation) return { done: true, tenant: tenantView(tenant), changed: ['status'] };
  return {
    done: false,
    accepted: {
      ...acceptedView(tenant, operation, `${accepting(noun, operation)}; ${finalDump.detail}`),
      ...{ status: operationTable[operation.type].tenantStatus.claimed, deletesAt: deletesAt(operation), finalDump },
    },
  };
}

/**
 * Id and slug must both be named: an id that was mistaken has another slug, and a slug may have become another tenant's.
 * @throws RequestError CONFIRMATION_REQUIRED
 */
function refuseUnconfirmed(
  { catalog }: ClientDeps,
  tenant: TenantRow,
  { confirm, isNamedBySlug = false }: Pick<DeleteTenantInput, 'confirm' | 'isNamedBySlug'>,
): void {
  const { id, product, slug } = tenant;
  const isById = isNamedBySlug || knownProduct(catalog.products, product)?.slugs === 'tenant-id';
  // One that was made by an earlier release may have another slug.
  if ((!isNamedBySlug && confirm === slug) || (isById && confirm?.toLowerCase() === id)) return;
  const of = `the ${isById ? 'id' : 'slug'} of ${nounOf(catalog.products, tenant)} ${id}`;
  const problem =
    confirm === undefined
      ? `a deletion is confirmed with ${of}, typed back: nothing was deleted`
      : `"${confirm}" is not ${of}: nothing was deleted`;
  throw new RequestError('CONFIRMATION_REQUIRED', problem, {
    details: { parameter: 'confirm', given: confirm ?? null, expected: isById ? id : slug },
  });
}

/** What {@link deleteTenant} would do; nothing has to be confirmed for that. */
export async function previewDeletion(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  { exports = false, graceMs = deps.deletionGraceMs ?? 0, ifMatch }: Omit<DeleteTenantInput, 'confirm'> = {},
): Promise<PreviewView> {
  await existingTenant(deps.database, tenantId);
  const deletion = { caller, tenantId, operationId: randomUUID(), graceMs, exports, ifMatch };
  const { tenant, operation, plan, finalDump } = await inVain(deps.database, async (tx) => {
    const written = await write(deps, tx, deletion);
    return { ...written, plan: written.operation ? await planOfRemoval(deps, tx, written.operation) : [] };
  });
  const { activatedAt, cell, settings } = tenant;
  const type = operation?.type ?? null;
  const view = await previewOf(deps, { tenantId, activatedAt, cell, operation: type, plan, settings, finalDump });
  return { ...view, graceSeconds: operation ? (operation.graceUntil === null ? 0 : graceMs / 1_000) : null };
}

async function planOfRemoval({ catalog }: ClientDeps, tx: Queryable, operation: OperationRow): Promise<StepPlan[]> {
  const own = blueprintSchema.parse(await findBlueprint(tx, operation.id)).steps;
  const facts = await findOperationFacts(tx, operation, own, 'forward', catalog.kinds.isRemovedAgain);
  return walkTo([], facts, (kind) => catalog.kinds.kinds.get(kind)?.limits);
}

function accepting(noun: string, operation: OperationRow): string {
  const at = deletesAt(operation);
  if (at === null) return acceptance('the deletion');
  return `the deletion is accepted; nothing is removed before ${at}, and until then \`cancel\` brings the ${noun} back`;
}

/** What is superseded cannot be taken back, so Temporal must be there beforehand. */
async function reachOrchestratorIfStuck(deps: ClientDeps, tenantId: string): Promise<void> {
  if ((await findOpenOperation(deps.database, tenantId))?.state === 'stuck') await reachOrchestrator(deps);
}

interface Deletion extends Conditional {
  readonly caller: Caller;
  readonly tenantId: string;
  readonly operationId: string;
  readonly graceMs: number;
  readonly exports: boolean;
}

interface Written {
  readonly tenant: TenantRow;
  /** Undefined: the tenant is deleted, there was nothing to do. */
  readonly operation: OperationRow | undefined;
  readonly superseded: OperationRow | undefined;
  readonly finalDump: FinalDumpView;
}

/**
 * Locks operation before tenant, as the worker's bookkeeping does. The tenant is read after the open operation: a
 * close settles both in one transaction, so its status is current when no operation is open.
 */
async function write(deps: ClientDeps, tx: Queryable, deletion: Deletion): Promise<Written> {
  const { tenantId } = deletion;
  refuseChanged(deps, deletion, await existingTenant(tx, tenantId));
  const written = await writeRemoval(deps, tx, deletion);
  // What takes effect at once needs no operation: only the tenant's lock keeps it out.
  if (deletion.ifMatch !== undefined) refuseChanged(deps, deletion, await lockTenant(tx, tenantId));
  return written;
}

/** @throws RequestError PRECONDITION_FAILED */
function refuseChanged({ catalog }: ClientDeps, { ifMatch }: Conditional, tenant: TenantRow): void {
  refuseOtherTag(ifMatch, tenantTag(tenant), `${nounOf(catalog.products, tenant)} ${tenant.id}`);
}

async function writeRemoval(deps: ClientDeps, tx: Queryable, deletion: Deletion): Promise<Written> {
  const { caller, tenantId } = deletion;
  const superseded = await supersedeStuck(deps, tx, caller, tenantId);
  const tenant = await findTenant(tx, tenantId);
  if (!tenant) throw new Error(`tenant ${tenantId} disappeared`);
  const finalDump = await finalDumpOf(deps, tx, tenant, deletion.exports);
  if (!superseded) {
    refuseUndeletable(deps, tenant);
    if (await isNothingLeft(tx, tenant))
      return { tenant: await settle(tx, caller, tenant), operation: undefined, superseded, finalDump };
  }
  const owed = owedOf(finalDump, deletion.exports);
  return {
    tenant,
    operation: await insertDeprovisioning(deps, tx, deletion, { tenant, superseded, owed }),
    superseded,
    finalDump,
  };
}

async function supersedeStuck(
  { catalog }: ClientDeps,
  tx: Queryable,
  caller: Caller,
  tenantId: string,
): Promise<OperationRow | undefined> {
  const open = await findOpenOperation(tx, tenantId);
  if (!open) return undefined;
  const superseded = await changeOperationState(tx, open.id, ['stuck'], 'superseded', { caller });
  if (!superseded) throw inProgress(open, nounOf(catalog.products, await existingTenant(tx, tenantId)));
  return superseded;
}

function refuseUndeletable({ catalog }: ClientDeps, tenant: TenantRow): void {
  if (isAcceptable(operationTypeAskedBy('delete'), { status: tenant.status, open: undefined })) return;
  const { id, status } = tenant;
  const noun = nounOf(catalog.products, tenant);
  const message =
    status === 'deleted'
      ? `${noun} ${id} is deleted already`
      : `the status of ${noun} ${id} is ${status}, and it cannot be deleted from there`;
  throw new RequestError('TENANT_NOT_DELETABLE', message, { details: { status } });
}

async function isNothingLeft(tx: Queryable, tenant: TenantRow): Promise<boolean> {
  if (tenant.status !== 'failed' || tenant.cleanupPending) return false;
  return (await listNotRemoved(tx, tenant.id)).length === 0;
}

async function settle(tx: Queryable, caller: Caller, tenant: TenantRow): Promise<TenantRow> {
  const deleted = await changeTenantStatus(tx, tenant.id, 'deleted', { caller });
  await releaseSlug(tx, { product: tenant.product, slug: tenant.slug, tenantId: tenant.id });
  await releaseAllocations(tx, tenant.id);
  return deleted;
}

async function insertDeprovisioning(
  { catalog }: ClientDeps,
  tx: Queryable,
  { caller, operationId, graceMs }: Deletion,
  { tenant, superseded, owed }: Pick<Written, 'tenant' | 'superseded'> & { readonly owed: FinalDumpOwed | undefined },
): Promise<OperationRow> {
  const last = await findLastOperation(tx, tenant.id);
  if (!last) throw new Error(`tenant ${tenant.id} has no operation whose blueprint could be taken down`);
  const operation = await acceptOperation(tx, {
    id: operationId,
    tenantId: tenant.id,
    cell: tenant.cell,
    type: operationTypeAskedBy('delete'),
    onFailure: 'hold',
    holdMs: DEFAULT_HOLD_MS,
    workflowId: tenantWorkflowId(tenant),
    blueprint: await findBlueprint(tx, last.id),
    caller,
    finalDump: owed,
    ...graceFor(tenant, superseded, graceMs),
  });
  if (operation) return operation;
  const open = await findOpenOperation(tx, tenant.id);
  const noun = nounOf(catalog.products, tenant);
  throw open ? inProgress(open, noun) : new RequestError('OPERATION_IN_PROGRESS', `the ${noun} has an open operation`);
}

/**
 * Only for a tenant that a cancel can bring back as it was: what is superseded has left something broken, unless it waited for
 * the end of its own grace period.
 */
function graceFor(
  { status }: TenantRow,
  superseded: OperationRow | undefined,
  graceMs: number,
): Pick<NewOperation, 'graceMs' | 'statusBefore'> {
  const statusBefore = superseded === undefined ? status : isWaiting(superseded) ? superseded.statusBefore : null;
  if (statusBefore === null || !statusesWithGrace.includes(statusBefore)) return {};
  return { graceMs, statusBefore };
}

/** Tells the old run to close and starts the new one; what does not work out here a worker does within its next rounds. */
async function replaceRun(deps: ClientDeps, operation: OperationRow, superseded: OperationRow): Promise<void> {
  const { id, workflowId, runId } = superseded;
  try {
    await deps.orchestrator.close({ operationId: id, workflowId, runId }, 'superseded');
    if ((await startOnceFree(() => startAccepted(deps, operation))) === 'started') return;
    deps.log.info(
      { operationId: operation.id, workflowId },
      'the superseded run is still open: a worker starts the new one',
    );
  } catch (error) {
    deps.log.warn(
      { err: error, operationId: operation.id },
      'the superseding operation has no run yet: a worker starts it',
    );
  }
}
