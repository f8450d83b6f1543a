import { z } from 'zod';
import { bigint, failure, optionalTime, residues, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

/** States of a step and of a resource in the ledger. */
export const ledgerStates = ['intended', 'present', 'ready', 'removing', 'removed'] as const;
export type LedgerState = (typeof ledgerStates)[number];

const ledgerRow = z.object({
  id: bigint,
  tenantId: uuid,
  stepId: z.string(),
  cell: z.string(),
  operationId: uuid,
  type: z.string(),
  name: z.string(),
  physicalId: z.string().nullable(),
  state: z.enum(ledgerStates),
  residues: residues.nullable(),
  failure: failure.nullable(),
  intendedAt: time,
  updatedAt: time,
  /** When what is there was made. Null: it never was for sure. */
  madeAt: optionalTime,
  /** When it was seen absent. Null: it is there, or may be. */
  absentAt: optionalTime,
});
export type LedgerRow = z.output<typeof ledgerRow>;

const columns = `id, tenant_id as "tenantId", step_id as "stepId", cell, operation_id as "operationId", type, name,
  physical_id as "physicalId", state, residues, failure, intended_at as "intendedAt", updated_at as "updatedAt",
  made_at as "madeAt", absent_at as "absentAt"`;

/** Every resource that we ever set out to make for a tenant, in that order. */
export async function listLedger(db: Queryable, tenantId: string): Promise<LedgerRow[]> {
  return rowsOf(
    ledgerRow,
    await db.query(`select ${columns} from ledger where tenant_id = $1 order by id`, [tenantId]),
  );
}

/** What is not removed of a tenant, with what kept the removal from it. */
export async function listNotRemoved(db: Queryable, tenantId: string): Promise<LedgerRow[]> {
  return rowsOf(
    ledgerRow,
    await db.query(`select ${columns} from ledger where tenant_id = $1 and state <> 'removed' order by id`, [tenantId]),
  );
}

const madeResource = z.object({
  type: z.string(),
  name: z.string(),
  physicalId: z.string().nullable(),
  /** Of what was made of this name before, or beside it. */
  earlierIds: z.array(z.string()),
  madeAt: time,
});
/** A resource that was known for sure to be made. */
export type MadeResource = z.output<typeof madeResource>;

/** What of a step was made for sure. */
export async function listMade(
  db: Queryable,
  { tenantId, stepId }: { readonly tenantId: string; readonly stepId: string },
): Promise<MadeResource[]> {
  const answer = await db.query(
    `select type, name, physical_id as "physicalId", earlier_ids as "earlierIds", made_at as "madeAt" from ledger
     where tenant_id = $1 and step_id = $2 and made_at is not null order by id`,
    [tenantId, stepId],
  );
  return rowsOf(madeResource, answer);
}

/** Whether a tenant had such a resource and holds it no more. */
export async function wasRemoved(
  db: Queryable,
  tenantId: string,
  { type, name }: { readonly type: string; readonly name: string },
): Promise<boolean> {
  const answer = await db.query<{ gone: boolean | null }>(
    `select bool_and(state = 'removed') as gone from ledger where tenant_id = $1 and type = $2 and name = $3`,
    [tenantId, type, name],
  );
  return answer.rows[0]?.gone === true;
}
