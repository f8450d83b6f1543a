import { cancelRefusal } from '../contracts/applicability.ts';
import type { Grace } from '../contracts/grace.ts';
import type { OperationState } from '../contracts/operation-state.ts';
import { isWhole } from './applied.ts';
import type { Queryable } from './database.ts';
import { changeOperationState, lockOperation, type OperationRow } from './operations.ts';
import { changeTenantStatus, lockTenant, type StatusChange, type TenantRow } from './tenants.ts';

/** Whether nothing was removed yet because of a grace period: it lasts, or its end has just come. */
export function isWaiting<T extends Pick<OperationRow, 'graceUntil' | 'committedAt'>>(
  operation: T,
): operation is T & { readonly graceUntil: Date } {
  return operation.graceUntil !== null && operation.committedAt === null;
}

/** The grace period of an operation that has one, for `cancelRefusal`. */
export function graceOf({ graceUntil }: Pick<OperationRow, 'graceUntil'>): Grace | undefined {
  return graceUntil === null ? undefined : { untilMs: graceUntil.getTime(), nowMs: Date.now() };
}

/** The changes of state by which an operation that {@link isWaiting} is cancelled: it has done nothing, so nothing is taken back. */
export function cancelCourse(now: OperationState): readonly (readonly [from: OperationState, to: OperationState])[] {
  if (now === 'running') return [['running', 'cancelled']];
  if (now !== 'stuck') return [];
  return [
    ['stuck', 'running'],
    ['running', 'cancelled'],
  ];
}

/**
 * Cancels an operation that a run has claimed and that waits for the end of its grace period, and brings its tenant back. The run
 * that waits cannot commit any more.
 * @returns whether it did; not once the grace period is over
 */
export async function cancelWaiting(
  tx: Queryable,
  operationId: string,
  caller: StatusChange['caller'],
): Promise<boolean> {
  const operation = await lockOperation(tx, operationId);
  if (!operation || !isWaiting(operation)) return false;
  const { type, state } = operation;
  const course = cancelCourse(state);
  if (course.length === 0 || cancelRefusal(type, state, graceOf(operation)) !== undefined) return false;
  for (const [from, to] of course)
    await changeOperationState(tx, operationId, [from], to, { caller, failure: null, leftovers: null });
  await bringTenantBack(tx, operation, caller);
  return true;
}

/**
 * Brings a tenant back to the status from which an operation was asked for that {@link isWaiting}. A creation that failed is
 * still that, for the reason that it had.
 */
export async function bringTenantBack(
  tx: Queryable,
  { id, tenantId, statusBefore }: OperationRow,
  caller?: StatusChange['caller'],
): Promise<TenantRow> {
  const to = statusBefore ?? (await lockTenant(tx, tenantId)).status;
  const cleanupPending = !(await isWhole(tx, tenantId));
  const change = to === 'failed' ? {} : { cleanupPending, ...(cleanupPending ? {} : { failure: null }) };
  return changeTenantStatus(tx, tenantId, to, { operationId: id, caller, ...change });
}
