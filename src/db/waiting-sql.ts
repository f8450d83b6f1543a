import { openOperationStates } from '../contracts/operation-state.ts';

/* What a deletion that waits for the end of its grace period means for its tenant, as parts of statements. */

const openList = openOperationStates.map((state) => `'${state}'`).join(', ');

/** Whether an operation has removed nothing yet because of its grace period: `isWaiting` of a row. */
export const waitsSql = (o: string) => `(${o}.grace_until is not null and ${o}.committed_at is null)`;

/** The open operation of a tenant that waits, from where its id is `tenantId`. */
const openAndWaiting = (tenantId: string) =>
  `from operations o where o.tenant_id = ${tenantId} and o.state in (${openList}) and ${waitsSql('o')}`;

/** Null: none of the tenant's operations waits. */
export const statusBeforeSql = (tenantId: string) => `(select o.status_before ${openAndWaiting(tenantId)})`;

/** A tenant's status; while a deletion of it waits, that from which it was asked for: the tenant goes on as before. */
export const statusInServiceSql = (t: string) => `coalesce(${statusBeforeSql(`${t}.id`)}, ${t}.status)`;

/** Nobody is at work on it: no run has claimed it, or it waits for a person. */
const restingSql = (o: string) => `${o}.state in ('accepted', 'holding', 'stuck')`;

/** Since when the open operation of a tenant is at work on it; null: none is. */
export const disturbedSinceSql = (tenantId: string) =>
  `(select o.updated_at from operations o where o.tenant_id = ${tenantId} and o.state in (${openList}) and not ${restingSql('o')}
     and not ${waitsSql('o')})`;

/** Until when an operation was at work on a tenant, the last time; null: none ever was, or one is. */
export const disturbedUntilSql = (tenantId: string) =>
  `(select max(coalesce(o.closed_at, o.updated_at)) from operations o where o.tenant_id = ${tenantId}
     and o.claimed_at is not null and not ${waitsSql('o')})`;
