import { z } from 'zod';
import { roles } from '../contracts/caller.ts';
import { bigint, caller, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

export interface AuditFilter {
  readonly tenantId?: string | undefined;
  readonly principal?: string | undefined;
  /** Type of an event, or code of a refusal. */
  readonly type?: string | undefined;
  readonly from?: Date | undefined;
  /** Not any more. */
  readonly to?: Date | undefined;
}

/** Where a page begins: below these ids. */
export interface AuditPosition {
  readonly events: number;
  readonly refusals: number;
}

const eventRow = z.object({
  id: bigint,
  at: time,
  type: z.string(),
  tenantId: uuid,
  operationId: uuid.nullable(),
  stepId: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
  caller: caller.nullable(),
});
export type AuditEventRow = z.output<typeof eventRow>;

const refusalRow = z.object({
  id: bigint,
  at: time,
  code: z.string(),
  reason: z.string().nullable(),
  principal: z.string().nullable(),
  role: z.enum(roles).nullable(),
  operation: z.string().nullable(),
  method: z.string(),
  tenantId: uuid.nullable(),
  address: z.string(),
  requestId: z.string(),
  unrecorded: z.number(),
});
export type AuditRefusalRow = z.output<typeof refusalRow>;

/** Conditions that both tables share; `$1` to `$4` are those of {@link valuesOf}. */
const inTime = `($1::uuid is null or tenant_id = $1) and ($2::text is null or %principal = $2)
  and ($3::timestamptz is null or at >= $3) and ($4::timestamptz is null or at < $4)`;

function valuesOf({ tenantId, principal, from, to }: AuditFilter): unknown[] {
  return [tenantId ?? null, principal ?? null, from ?? null, to ?? null];
}

/** Newest first. */
export async function listAuditEvents(
  db: Queryable,
  filter: AuditFilter,
  { belowId, limit }: { readonly belowId: number; readonly limit: number },
): Promise<AuditEventRow[]> {
  return rowsOf(
    eventRow,
    await db.query(
      `select id, at, type, tenant_id as "tenantId", operation_id as "operationId", step_id as "stepId", data, caller
       from events where ${inTime.replace('%principal', `caller ->> 'principal'`)} and ($5::text is null or type = $5) and id < $6
       order by id desc limit $7`,
      [...valuesOf(filter), filter.type ?? null, belowId, limit],
    ),
  );
}

/** Newest first. */
export async function listRefusals(
  db: Queryable,
  filter: AuditFilter,
  { belowId, limit }: { readonly belowId: number; readonly limit: number },
): Promise<AuditRefusalRow[]> {
  return rowsOf(
    refusalRow,
    await db.query(
      `select id, at, code, reason, principal, role, operation, method, tenant_id as "tenantId", address, request_id as "requestId",
         unrecorded
       from access_refusals where ${inTime.replace('%principal', 'principal')} and ($5::text is null or code = $5) and id < $6
       order by id desc limit $7`,
      [...valuesOf(filter), filter.type ?? null, belowId, limit],
    ),
  );
}
