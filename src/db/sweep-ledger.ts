import { z } from 'zod';
import { lostRunCodes } from '../contracts/errors.ts';
import { bigint, failure, operationState, operationType, optionalTime, tenantStatus, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { ledgerStates } from './ledger.ts';
import { rowOf, rowsOf } from './rows.ts';

/* What the sweep holds the inventory against: rows of all cells, because two cells may share an account. */

const ledgerEntry = z.object({
  id: bigint,
  tenantId: uuid,
  cell: z.string(),
  stepId: z.string(),
  operationId: uuid,
  type: z.string(),
  name: z.string(),
  physicalId: z.string().nullable(),
  /** What the name had before, and may still have: goes with it. */
  earlierIds: z.array(z.string()),
  state: z.enum(ledgerStates),
  updatedAt: time,
  /** When it was last known for sure to be made. */
  madeAt: optionalTime,
  failure: failure.nullable(),
});
export type LedgerEntry = z.output<typeof ledgerEntry>;

const entryColumns = `id, tenant_id as "tenantId", cell, step_id as "stepId", operation_id as "operationId", type, name,
  physical_id as "physicalId", earlier_ids as "earlierIds", state, updated_at as "updatedAt", made_at as "madeAt", failure`;

/** Every row of every cell that is not removed. */
export async function listHeldEntries(db: Queryable): Promise<LedgerEntry[]> {
  return rowsOf(ledgerEntry, await db.query(`select ${entryColumns} from ledger where state <> 'removed' order by id`));
}

/** Names of the outputs of these tenants' steps that are not removed: of what they will remove, and the ledger has no row of. */
export async function listStepNames(db: Queryable, tenantIds: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await db.query(
    `select distinct outputs ->> 'name' as name from steps
     where tenant_id::text = any ($1) and state <> 'removed' and outputs ->> 'name' is not null`,
    [tenantIds],
  );
  return new Set(rowsOf(z.object({ name: z.string() }), found).map(({ name }) => name));
}

/** Rows that say that a thing of one of these physical ids is gone. */
export async function listRemovedEntries(db: Queryable, physicalIds: readonly string[]): Promise<LedgerEntry[]> {
  const where = `where state = 'removed' and physical_id = any ($1) order by id`;
  return rowsOf(ledgerEntry, await db.query(`select ${entryColumns} from ledger ${where}`, [physicalIds]));
}

/** All rows, removed ones too, that a resource of this type could be: by its name or its physical id. */
export async function findEntries(
  db: Queryable,
  resource: { types: readonly string[]; names: readonly string[]; physicalId: string },
): Promise<LedgerEntry[]> {
  return rowsOf(
    ledgerEntry,
    await db.query(
      `select ${entryColumns} from ledger where (type = any ($1) and name = any ($2)) or physical_id = $3 order by id`,
      [resource.types, resource.names, resource.physicalId],
    ),
  );
}

const sweptTenant = z.object({
  id: uuid,
  cell: z.string(),
  product: z.string(),
  slug: z.string(),
  status: tenantStatus,
  activatedAt: optionalTime,
  cleanupPending: z.boolean(),
  openOperationId: uuid.nullable(),
  openOperationState: operationState.nullable(),
  /** Of the operation that came last. */
  lastOperationState: operationState.nullable(),
  lastFailureCode: z.string().nullable(),
  /** Until then something of it may still change: the last thing that happened, or a late effect that may come. */
  lastEventAt: optionalTime,
  unclearUntil: optionalTime,
});
export type SweptTenant = z.output<typeof sweptTenant>;

const tenantQuery = `select t.id, t.cell, t.product, t.slug, t.status, t.activated_at as "activatedAt",
    t.cleanup_pending as "cleanupPending", o.id as "openOperationId", o.state as "openOperationState",
    last.state as "lastOperationState", last.failure ->> 'code' as "lastFailureCode",
    (select max(e.at) from events e where e.tenant_id = t.id) as "lastEventAt",
    greatest((select max(s.unclear_until) from steps s where s.tenant_id = t.id),
      (select i.unclear_until from tenant_isolations i where i.tenant_id = t.id)) as "unclearUntil"
  from tenants t left join operations o on o.tenant_id = t.id
      and o.state in ('accepted', 'running', 'holding', 'committing', 'rolling-back', 'stuck')
    left join lateral (select state, failure from operations l where l.tenant_id = t.id
      order by accepted_at desc, id limit 1) last on true`;

/** Tenants by id; those that the ledger does not know are left out. */
export async function findSweptTenants(db: Queryable, ids: readonly string[]): Promise<SweptTenant[]> {
  // Marks hold whatever somebody wrote: compared as text, a word that is no UUID is simply unknown.
  return rowsOf(sweptTenant, await db.query(`${tenantQuery} where t.id::text = any ($1)`, [ids]));
}

/**
 * Locks a tenant until the transaction ends, against everything that could give it something: new operations, steps and ledger
 * rows refer to its row. False when the ledger does not know it.
 */
export async function lockTenantForSweep(tx: Queryable, id: string): Promise<boolean> {
  // AWS is called under the lock. What is written in the end is written under it too, so it cannot come too late.
  await tx.query(`set local idle_in_transaction_session_timeout = '60s'`);
  const { rowCount } = await tx.query(`select id from tenants where id::text = $1 for update`, [id]);
  return rowCount === 1;
}

const allocation = z.object({
  id: bigint,
  cell: z.string(),
  kind: z.string(),
  scope: z.string(),
  key: z.string(),
  tenantId: uuid.nullable(),
  tenantStatus: tenantStatus.nullable(),
  tenantHasRows: z.boolean(),
  createdAt: time,
});
export type SweptAllocation = z.output<typeof allocation>;

const allocationQuery = `select a.id, a.cell, a.kind, a.scope, a.key, a.tenant_id as "tenantId", t.status as "tenantStatus",
    exists (select from ledger l where l.tenant_id = a.tenant_id and l.state <> 'removed') as "tenantHasRows",
    a.created_at as "createdAt"
  from allocations a left join tenants t on t.id = a.tenant_id`;

/** Places of a cell that a foreign holder was seen at, or that a deleted tenant still has. */
export async function listDoubtfulAllocations(db: Queryable, cell: string): Promise<SweptAllocation[]> {
  const where = `where a.cell = $1 and (a.tenant_id is null or t.status = 'deleted') order by a.id`;
  return rowsOf(allocation, await db.query(`${allocationQuery} ${where}`, [cell]));
}

export async function findAllocation(db: Queryable, id: number): Promise<SweptAllocation | undefined> {
  return rowOf(allocation, await db.query(`${allocationQuery} where a.id = $1`, [id]));
}

/** Frees one place, if it is still held as it was; false when it is not. */
export async function freeAllocation(tx: Queryable, held: SweptAllocation): Promise<boolean> {
  const { rowCount } = await tx.query(
    `delete from allocations where id = $1 and kind = $2 and scope = $3 and key = $4 and tenant_id is not distinct from $5`,
    [held.id, held.kind, held.scope, held.key, held.tenantId],
  );
  return rowCount === 1;
}

const lostOperation = z.object({
  operationId: uuid,
  cell: z.string(),
  tenantId: uuid,
  product: z.string(),
  type: operationType,
  workflowId: z.string(),
  runId: z.string().nullable(),
  failure: failure.nullable(),
});
export type LostOperationRow = z.output<typeof lostOperation>;

/** Operations with their tenants' products: those of these ids, and all that are stuck because their run was lost. */
export async function listLostOperations(db: Queryable, ids: readonly string[]): Promise<LostOperationRow[]> {
  return rowsOf(
    lostOperation,
    await db.query(
      `select o.id as "operationId", o.cell, o.tenant_id as "tenantId", t.product, o.type, o.workflow_id as "workflowId",
         o.run_id as "runId", o.failure
       from operations o join tenants t on t.id = o.tenant_id
       where o.id = any ($1::uuid[]) or (o.state = 'stuck' and o.failure ->> 'code' = any ($2::text[])) order by o.accepted_at`,
      [ids, lostRunCodes],
    ),
  );
}
