import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { caller, callerJson, optionalTime, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

const freezeRow = z.object({
  id: uuid,
  /** Null: of any product. */
  product: z.string().nullable(),
  /** Null: in any cell. */
  cell: z.string().nullable(),
  reason: z.string(),
  caller,
  at: time,
  /** Null: in force. */
  liftedAt: optionalTime,
});
/** No operation of what it names is accepted while it is in force. */
export type FreezeRow = z.output<typeof freezeRow>;

const columns = `id, product, cell, reason, caller, at, lifted_at as "liftedAt"`;
/** Shared by transactions that accept an operation, held alone by one that freezes. */
const LOCK = `hashtextextended('tenantry freezes', 0)`;

/** An operation is not accepted: what it is of is frozen. */
export class FrozenError extends Error {
  override readonly name = 'FrozenError';
  readonly freeze: FreezeRow;
  constructor(freeze: FreezeRow) {
    super(`frozen: ${freeze.reason}`);
    this.freeze = freeze;
  }
}

export interface NewFreeze extends Pick<FreezeRow, 'id' | 'product' | 'cell' | 'reason'> {
  readonly caller: Caller;
}

/** Freezes. Once it is committed no operation is accepted any more; those that were being accepted are so before. */
export async function insertFreeze(
  tx: Queryable,
  { id, product, cell, reason, caller: by }: NewFreeze,
): Promise<FreezeRow> {
  await tx.query(`select pg_advisory_xact_lock(${LOCK})`);
  const answer = await tx.query(
    `insert into freezes (id, product, cell, reason, caller) values ($1, $2, $3, $4, $5) returning ${columns}`,
    [id, product, cell, reason, callerJson(by)],
  );
  return freezeRow.parse(answer.rows[0]);
}

/** Condition on a row of freezes, by its alias: it is in force for a product and a cell, each given as SQL. */
export function isFrozenBy(alias: string, product: string, cell: string): string {
  return `${alias}.lifted_at is null and (${alias}.cell is null or ${alias}.cell = ${cell})
    and (${alias}.product is null or ${alias}.product = ${product})`;
}

/** Keeps freezes out until the transaction ends. @throws FrozenError when one is in force for the tenant */
export async function refuseFrozen(
  tx: Queryable,
  { tenantId, cell }: { readonly tenantId: string; readonly cell: string },
): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock_shared(${LOCK})`);
  const found = rowOf(
    freezeRow,
    await tx.query(
      `select ${columns} from freezes f where ${isFrozenBy('f', '(select product from tenants where id = $1)', '$2')}
       order by at limit 1`,
      [tenantId, cell],
    ),
  );
  if (found) throw new FrozenError(found);
}

/** How many tenants that are not deleted, and how many open operations, a freeze is of. */
export async function countScope(
  db: Queryable,
  { product, cell }: Pick<FreezeRow, 'product' | 'cell'>,
): Promise<{ readonly tenants: number; readonly openOperations: number }> {
  const answer = await db.query(
    `select count(distinct t.id)::int as tenants,
       count(o.id)::int as "openOperations"
     from tenants t left join operations o on o.tenant_id = t.id and o.closed_at is null
     where t.status <> 'deleted' and ($1::text is null or t.product = $1) and ($2::text is null or t.cell = $2)`,
    [product, cell],
  );
  return z.object({ tenants: z.number(), openOperations: z.number() }).parse(answer.rows[0]);
}

/** Those in force, oldest first. */
export async function listFreezes(db: Queryable): Promise<FreezeRow[]> {
  return rowsOf(freezeRow, await db.query(`select ${columns} from freezes where lifted_at is null order by at, id`));
}

/** Undefined where there is none; one that is lifted already stays as it is. */
export async function liftFreeze(db: Queryable, id: string, by: Caller): Promise<FreezeRow | undefined> {
  const answer = await db.query(
    `update freezes set lifted_at = coalesce(lifted_at, now()), lifted_by = coalesce(lifted_by, $2)
     where id = $1 returning ${columns}`,
    [id, callerJson(by)],
  );
  return rowOf(freezeRow, answer);
}
