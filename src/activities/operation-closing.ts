import { ApplicationFailure } from '@temporalio/common';
import type { Failure } from '../contracts/errors.ts';
import type { CloseAnswer, CloseInput } from '../contracts/messages.ts';
import {
  operationStateTransitions,
  type ClosedOperationState,
  isOpen,
  type OperationState,
} from '../contracts/operation-state.ts';
import { operationTable, removingStateOf } from '../contracts/operation-table.ts';
import { releaseAllocations } from '../db/allocations.ts';
import { isWhole } from '../db/applied.ts';
import type { Database, Queryable } from '../db/database.ts';
import { bringTenantBack, cancelCourse, isWaiting } from '../db/grace.ts';
import { listNotRemoved } from '../db/ledger.ts';
import { changeOperationState, lockOperation, type OperationRow } from '../db/operations.ts';
import { quarantineSlug, releaseSlug } from '../db/reservations.ts';
import { recordApplied } from '../db/steps.ts';
import { changeTenantStatus, lockTenant, type TenantRow } from '../db/tenants.ts';

/**
 * Closes an operation and settles its tenant: status, slug and places, in one transaction. One that is closed already
 * is left as it is.
 */
export function closeOperation(database: Database, { operationId, state, failure }: CloseInput): Promise<CloseAnswer> {
  return database.transaction(async (tx) => {
    const operation = await lockOperation(tx, operationId);
    if (!operation)
      throw ApplicationFailure.nonRetryable(`there is no operation ${operationId}`, 'OPERATION_NOT_FOUND');
    if (!isOpen(operation.state)) return { tenantStatus: (await lockTenant(tx, operation.tenantId)).status };
    const { succeedsBy, emptyLedgerAt } = operationTable[operation.type];
    // Its last step makes the tenant active in the same transaction.
    const byItsStep = state === 'succeeded' && succeedsBy === 'finalize';
    const course = byItsStep ? undefined : courseTo(operation, state);
    if (!course) {
      const message = `operation ${operationId} is ${operation.state}: it cannot close as ${state}`;
      throw ApplicationFailure.nonRetryable(message, 'INTERNAL');
    }
    const saysAllIsGone = emptyLedgerAt.includes(state);
    if (saysAllIsGone) await refuseLeftovers(tx, operation, state);
    const changes = {
      failure: state === 'succeeded' ? null : failure,
      leftovers: saysAllIsGone ? null : undefined,
    };
    for (const [from, to] of course) await changeOperationState(tx, operationId, [from], to, changes);
    return { tenantStatus: (await settleTenant(tx, operation, state, failure)).status };
  });
}

type Change = readonly [from: OperationState, to: OperationState];

/**
 * The changes that lead to an end; undefined when none do. A run that was taken for lost, because a worker was connected to
 * another Temporal, comes to its end all the same: then it leaves `stuck` as a retry would.
 */
function courseTo(operation: OperationRow, end: ClosedOperationState): readonly Change[] | undefined {
  const { state: now } = operation;
  if (end === 'cancelled' && isWaiting(operation)) {
    const course = cancelCourse(now);
    return course.length > 0 ? course : undefined;
  }
  if (end === 'cancelled' && now === 'running') return undefined;
  if (operationStateTransitions[now].includes(end)) return [[now, end]];
  const removesIn = removingStateOf(operation);
  if (now !== 'stuck' || !operationStateTransitions[removesIn].includes(end)) return undefined;
  return [
    [now, removesIn],
    [removesIn, end],
  ];
}

/** Wholly gone or visibly stuck: nothing that was taken back ends with something left. */
async function refuseLeftovers(
  tx: Queryable,
  { id, tenantId }: OperationRow,
  end: ClosedOperationState,
): Promise<void> {
  const left = await listNotRemoved(tx, tenantId);
  if (left.length === 0) return;
  const names = left.map((row) => `${row.type} ${row.name}`).join(', ');
  const message = `operation ${id} cannot end as ${end}, there are left: ${names}`;
  throw ApplicationFailure.nonRetryable(message, 'STILL_PRESENT');
}

/** Ends at which a tenant is wholly as before, or wholly as asked. */
const wholeEnds: readonly ClosedOperationState[] = ['succeeded', 'rolled-back', 'cancelled', 'withdrawn'];

/** What the end of an operation means for its tenant. */
export async function settleTenant(
  tx: Queryable,
  operation: OperationRow,
  state: ClosedOperationState,
  failure: Failure | undefined,
): Promise<TenantRow> {
  const tenant = await lockTenant(tx, operation.tenantId);
  if (state === 'cancelled' && isWaiting(operation)) return bringTenantBack(tx, operation);
  const change = { operationId: operation.id, failure: state === 'succeeded' ? null : failure };
  const { succeedsBy, emptyLedgerAt, target, tenantStatus } = operationTable[operation.type];
  if (state === 'succeeded' && succeedsBy === 'finalize') return tenant;
  const anythingLeft = (await listNotRemoved(tx, tenant.id)).length > 0;
  const isGone = !anythingLeft && emptyLedgerAt.includes(state);
  if (isGone) await freePlaces(tx, tenant);
  if (state === 'succeeded' && target !== 'nothing') await recordApplied(tx, tenant.id);
  // An operation before it may have been abandoned: what that left is no less left now.
  const isWholeEnd = emptyLedgerAt.length === 0 && wholeEnds.includes(state);
  const endsWhole = isGone || (isWholeEnd && (await isWhole(tx, tenant.id)));
  const to = state === 'succeeded' ? tenantStatus.succeeded : (tenantStatus.undone[tenant.status] ?? tenant.status);
  return changeTenantStatus(tx, tenant.id, to, { ...change, cleanupPending: !endsWhole });
}

/** Its slug is closed for a while when it was ever active (somebody may still hold links), and free at once otherwise. */
async function freePlaces(tx: Queryable, tenant: TenantRow): Promise<void> {
  await releaseAllocations(tx, tenant.id);
  const slug = { product: tenant.product, slug: tenant.slug, tenantId: tenant.id };
  await (tenant.activatedAt === null ? releaseSlug(tx, slug) : quarantineSlug(tx, slug));
}
