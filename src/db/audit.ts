import { z } from 'zod';
import type { AuditOutcome } from '../contracts/audit-outcome.ts';
import { roles } from '../contracts/caller.ts';
import { bigint, caller, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

export interface AuditFilter {
  readonly tenantId?: string | undefined;
  readonly principal?: string | undefined;
  /** Action of an entry, type of an event, or code of a refusal. */
  readonly type?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly requestId?: string | undefined;
  readonly address?: string | undefined;
  readonly from?: Date | undefined;
  /** Not any more. */
  readonly to?: Date | undefined;
}

/** Where a page begins: below these ids. */
export interface AuditPosition {
  readonly events: number;
  readonly refusals: number;
  readonly entries: number;
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

/** Conditions that all tables share; `$1` to `$7` are those of {@link valuesOf}. @param of SQL of what is in `caller` elsewhere */
function conditions(type: string, of: (field: 'principal' | 'requestId' | 'address') => string): string {
  return `($1::uuid is null or tenant_id = $1) and ($2::text is null or ${of('principal')} = $2)
    and ($3::timestamptz is null or at >= $3) and ($4::timestamptz is null or at < $4)
    and ($5::text is null or ${type} = $5) and ($6::text is null or ${of('requestId')} = $6)
    and ($7::text is null or ${of('address')} = $7) and id < $8`;
}

const inCaller = (field: string) => `caller ->> '${field}'`;
const refusalColumns = { principal: 'principal', requestId: 'request_id', address: 'address' } as const;

function valuesOf({ tenantId, principal, from, to, type, requestId, address }: AuditFilter): unknown[] {
  const given = [tenantId, principal, from, to, type, requestId, address];
  return given.map((value) => value ?? null);
}

function isAsked({ outcome }: AuditFilter, ...outcomes: readonly AuditOutcome[]): boolean {
  return outcome === undefined || outcomes.includes(outcome);
}

const entryRow = z.object({
  id: bigint,
  at: time,
  action: z.string(),
  outcome: z.enum(['done', 'withdrawn', 'asked']),
  tenantId: uuid.nullable(),
  operationId: uuid.nullable(),
  caller,
  before: z.record(z.string(), z.unknown()).nullable(),
  after: z.record(z.string(), z.unknown()).nullable(),
  data: z.record(z.string(), z.unknown()),
});
export type AuditEntryRow = z.output<typeof entryRow>;

interface Below {
  readonly belowId: number;
  readonly limit: number;
}

/** Entries stay as they were written: what became of their operation is looked up. */
const outcomeSql = `case when outcome = 'done' and exists (
  select from operations o where o.id = operation_id and o.state = 'withdrawn') then 'withdrawn' else outcome end`;

/** Newest first. */
export async function listAuditEntries(
  db: Queryable,
  filter: AuditFilter,
  { belowId, limit }: Below,
): Promise<AuditEntryRow[]> {
  if (!isAsked(filter, 'done', 'withdrawn', 'asked')) return [];
  return rowsOf(
    entryRow,
    await db.query(
      `select id, at, action, ${outcomeSql} as outcome, tenant_id as "tenantId", operation_id as "operationId", caller, before, after, data
       from audit_entries where ${conditions('action', inCaller)} and ($10::text is null or ${outcomeSql} = $10)
       order by id desc limit $9`,
      [...valuesOf(filter), belowId, limit, filter.outcome ?? null],
    ),
  );
}

/** Newest first. */
export async function listAuditEvents(
  db: Queryable,
  filter: AuditFilter,
  { belowId, limit }: Below,
): Promise<AuditEventRow[]> {
  if (!isAsked(filter, 'recorded')) return [];
  return rowsOf(
    eventRow,
    await db.query(
      `select id, at, type, tenant_id as "tenantId", operation_id as "operationId", step_id as "stepId", data, caller
       from events where ${conditions('type', inCaller)} order by id desc limit $9`,
      [...valuesOf(filter), belowId, limit],
    ),
  );
}

/** Newest first. */
export async function listRefusals(
  db: Queryable,
  filter: AuditFilter,
  { belowId, limit }: Below,
): Promise<AuditRefusalRow[]> {
  if (!isAsked(filter, 'refused')) return [];
  return rowsOf(
    refusalRow,
    await db.query(
      `select id, at, code, reason, principal, role, operation, method, tenant_id as "tenantId", address, request_id as "requestId",
         unrecorded
       from access_refusals where ${conditions('code', (field) => refusalColumns[field])} order by id desc limit $9`,
      [...valuesOf(filter), belowId, limit],
    ),
  );
}
