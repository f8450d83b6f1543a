import type { Grace } from '../contracts/grace.ts';
import type { Queryable } from './database.ts';
import type { OperationRow } from './operations.ts';
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
  const whole = to === 'failed' ? {} : { cleanupPending: false, failure: null };
  return changeTenantStatus(tx, tenantId, to, { operationId: id, caller, ...whole });
}
