import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { differenceClasses, driftRemedies, type DriftFinding, type UnseenStep } from '../contracts/drift.ts';
import { openOperationStates } from '../contracts/operation-state.ts';
import { isSameJson } from '../contracts/stable-json.ts';
import { json, optionalTime, tenantStatus, time, uuid } from './columns.ts';
import type { Database, Queryable } from './database.ts';
import { appendEvent } from './events.ts';
import { rowOf, rowsOf } from './rows.ts';
import { lockTenant } from './tenants.ts';
import { statusInServiceSql, waitsSql } from './waiting-sql.ts';

const findingRow = z.object({
  tenantId: uuid,
  stepId: z.string(),
  is: z.enum(differenceClasses),
  field: z.string(),
  wanted: z.unknown(),
  found: z.unknown(),
  remedy: z.enum(driftRemedies),
  source: z.enum(['look', 'sweep']),
  firstSeenAt: time,
  lastSeenAt: time,
});
export type DriftFindingRow = z.output<typeof findingRow>;

const findingColumns = `tenant_id as "tenantId", step_id as "stepId", "is", field, wanted, found, remedy, source,
  first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt"`;

/** Oldest first. */
export async function listDriftFindings(db: Queryable, tenantId: string): Promise<DriftFindingRow[]> {
  const answer = await db.query(
    `select ${findingColumns} from drift_findings where tenant_id = $1 order by first_seen_at, step_id, "is", field`,
    [tenantId],
  );
  return rowsOf(findingRow, answer);
}

const unseen: z.ZodType<UnseenStep[]> = z.array(
  z.object({ stepId: z.string(), code: z.string(), message: z.string() }),
);
const lookRow = z.object({
  tenantId: uuid,
  lookedAt: time,
  outcome: z.enum(['none', 'drift', 'unknown']),
  since: optionalTime,
  unseen,
  findings: z.int(),
  /** An operation was accepted since, other than one that has done nothing yet: what was seen may be otherwise. */
  isOutdated: z.boolean(),
});
export type DriftLookRow = z.output<typeof lookRow>;

/** The last look at each of these tenants; those that nobody looked at are left out. */
export async function listDriftLooks(db: Queryable, tenantIds: readonly string[]): Promise<DriftLookRow[]> {
  const answer = await db.query(
    `select l.tenant_id as "tenantId", l.looked_at as "lookedAt", l.outcome, l.since, l.unseen,
       (select count(*)::int from drift_findings f where f.tenant_id = l.tenant_id) as findings,
       exists (select from operations o where o.tenant_id = l.tenant_id and o.accepted_at > l.looked_at
         and not ${waitsSql('o')}) as "isOutdated"
     from drift_looks l where l.tenant_id = any ($1)`,
    [[...tenantIds]],
  );
  return rowsOf(lookRow, answer);
}

/** What a tenant is at a moment, to be compared with a later one. */
const momentRow = z.object({
  tenantId: uuid,
  product: z.string(),
  slug: z.string(),
  cell: z.string(),
  status: tenantStatus,
  /** Its newest operation. */
  operationId: uuid,
  isOpen: z.boolean(),
});
export type TenantMoment = z.output<typeof momentRow>;

export async function findMoment(db: Queryable, tenantId: string): Promise<TenantMoment | undefined> {
  const answer = await db.query(
    `select t.id as "tenantId", t.product, t.slug, t.cell, ${statusInServiceSql('t')} as status, o.id as "operationId",
       o.state = any ($2) and not ${waitsSql('o')} as "isOpen"
     from tenants t cross join lateral (
       select id, state, grace_until, committed_at from operations where tenant_id = t.id order by accepted_at desc, id limit 1) o
     where t.id = $1`,
    [tenantId, [...openOperationStates]],
  );
  return rowOf(momentRow, answer);
}

/** A page of the tenants of a cell that are looked at, by id. */
export async function listTenantsToLookAt(
  db: Queryable,
  page: {
    readonly cell: string;
    readonly product?: string | undefined;
    readonly after?: string | undefined;
    readonly limit: number;
  },
): Promise<string[]> {
  const answer = await db.query(
    `select id from tenants t where cell = $1 and ${statusInServiceSql('t')} in ('active', 'suspended') and ($2::uuid is null or id > $2)
       and ($4::text is null or product = $4)
     order by id limit $3`,
    [page.cell, page.after ?? null, page.limit, page.product ?? null],
  );
  return rowsOf(z.object({ id: uuid }), answer).map(({ id }) => id);
}

/** Ids of tenants that may be looked at and have this id or slug; a tenant that an operation changes now too. */
export async function findLookedAtTenants(
  db: Queryable,
  { id, slug, product }: { readonly id: string; readonly slug: string; readonly product?: string | undefined },
): Promise<string[]> {
  const answer = await db.query(
    `select id from tenants where (id::text = lower($1) or slug = lower($2)) and ($3::text is null or product = $3)
       and status not in ('deleted', 'failed')`,
    [id, slug, product ?? null],
  );
  return rowsOf(z.object({ id: uuid }), answer).map((row) => row.id);
}

/** A look that is to be recorded. */
export interface SeenDrift {
  /** As the look began. */
  readonly moment: TenantMoment;
  readonly findings: readonly DriftFinding[];
  readonly unseen: readonly UnseenStep[];
  /** False: nobody knows what the sweep would find now, so what it found stays. */
  readonly isSwept: boolean;
}

export interface RecordedLook {
  readonly outcome: 'none' | 'drift' | 'unknown';
  readonly findings: readonly DriftFindingRow[];
  readonly appeared: readonly DriftFinding[];
}

/**
 * Stores what a look saw, with an event for each finding that appeared, changed or is gone. What could not be looked at stays as it
 * was. Undefined, and nothing is stored, when the tenant is not as it was when the look began.
 */
export function recordLook(db: Database, seen: SeenDrift, caller: Caller): Promise<RecordedLook | undefined> {
  const { moment, unseen } = seen;
  return db.transaction(async (tx) => {
    await lockTenant(tx, moment.tenantId);
    const now = await findMoment(tx, moment.tenantId);
    if (!now || now.isOpen || now.operationId !== moment.operationId || now.status !== moment.status) return undefined;
    const before = await listDriftFindings(tx, moment.tenantId);
    const appeared: DriftFinding[] = [];
    for (const finding of seen.findings) {
      const known = before.find((row) => isSameFinding(row, finding));
      if (!known) appeared.push(finding);
      await (known ? refresh(tx, moment, known, finding, caller) : insert(tx, moment, finding, caller));
    }
    for (const row of before) if (isGone(row, seen)) await remove(tx, moment, row, caller);
    const findings = await listDriftFindings(tx, moment.tenantId);
    const outcome = findings.length > 0 ? 'drift' : unseen.length > 0 ? 'unknown' : 'none';
    await tx.query(
      `insert into drift_looks (tenant_id, cell, outcome, since, unseen) values ($1, $2, $3, $4, $5)
       on conflict (tenant_id) do update set cell = excluded.cell, looked_at = now(), outcome = excluded.outcome,
         since = excluded.since, unseen = excluded.unseen`,
      [moment.tenantId, moment.cell, outcome, findings[0]?.firstSeenAt ?? null, json(unseen)],
    );
    return { outcome, findings, appeared };
  });
}

/** What a tenant that is not looked at any more had. */
export async function forgetGoneTenants(db: Queryable, cell: string): Promise<void> {
  await db.query(
    `with gone as (delete from drift_looks l using tenants t
       where t.id = l.tenant_id and l.cell = $1 and t.status in ('deleted', 'failed') returning l.tenant_id)
     delete from drift_findings f using gone where f.tenant_id = gone.tenant_id`,
    [cell],
  );
}

/** Several extras of one field are told apart by what was found. */
function isSameFinding(a: DriftFinding, b: DriftFinding): boolean {
  const isAlike = a.stepId === b.stepId && a.is === b.is && a.field === b.field;
  return isAlike && (a.is !== 'extra' || isSameJson(a.found ?? null, b.found ?? null));
}

function isGone(row: DriftFindingRow, { findings, isSwept, unseen }: SeenDrift): boolean {
  if (findings.some((finding) => isSameFinding(row, finding))) return false;
  return row.source === 'sweep' ? isSwept : !unseen.some(({ stepId }) => stepId === '' || stepId === row.stepId);
}

async function insert(tx: Queryable, moment: TenantMoment, finding: DriftFinding, caller: Caller): Promise<void> {
  const { stepId, is, field, wanted, found, remedy, source } = finding;
  await tx.query(
    `insert into drift_findings (tenant_id, step_id, "is", field, wanted, found, remedy, source)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [moment.tenantId, stepId, is, field, json(wanted), json(found), remedy, source],
  );
  await tell(tx, moment, 'appeared', finding, caller);
}

async function refresh(
  tx: Queryable,
  moment: TenantMoment,
  known: DriftFindingRow,
  finding: DriftFinding,
  caller: Caller,
): Promise<void> {
  const { stepId, is, field, wanted, found, remedy } = finding;
  await tx.query(
    `update drift_findings set last_seen_at = now(), wanted = $5, found = $6, remedy = $7
     where tenant_id = $1 and step_id = $2 and "is" = $3 and field = $4 and ($3 <> 'extra' or found is not distinct from $6::jsonb)`,
    [moment.tenantId, stepId, is, field, json(wanted), json(found), remedy],
  );
  const isSame = isSameJson([known.wanted, known.found], [wanted ?? null, found ?? null]);
  if (!isSame) await tell(tx, moment, 'changed', finding, caller);
}

async function remove(tx: Queryable, moment: TenantMoment, row: DriftFindingRow, caller: Caller): Promise<void> {
  const { stepId, is, field, found } = row;
  await tx.query(
    `delete from drift_findings
     where tenant_id = $1 and step_id = $2 and "is" = $3 and field = $4 and ($3 <> 'extra' or found is not distinct from $5::jsonb)`,
    [moment.tenantId, stepId, is, field, json(found)],
  );
  await tell(tx, moment, 'gone', row, caller);
}

async function tell(
  tx: Queryable,
  { cell, tenantId }: TenantMoment,
  change: 'appeared' | 'changed' | 'gone',
  { stepId, is, field, wanted, found, remedy }: DriftFinding,
  caller: Caller,
): Promise<void> {
  const data = { change, is, field, wanted, found, remedy };
  await appendEvent(tx, { cell, tenantId, type: 'tenant.drift', stepId, data, caller });
}

const counted = z.object({ name: z.string(), count: z.int() });

export interface DriftFigures {
  /** Findings by class; a class without any is left out. */
  readonly findings: Readonly<Record<string, number>>;
  /** Tenants by what their last look came to; those that nobody looked at are left out. */
  readonly tenants: Readonly<Record<string, number>>;
  /** Cells in which automatic repair is stopped. */
  readonly stoppedCells: readonly string[];
}

export async function measureDrift(db: Queryable): Promise<DriftFigures> {
  const count = async (sql: string) =>
    Object.fromEntries(rowsOf(counted, await db.query(sql)).map((row) => [row.name, row.count]));
  const [findings, tenants] = await Promise.all([
    count('select "is" as name, count(*)::int as count from drift_findings group by "is"'),
    count('select outcome as name, count(*)::int as count from drift_looks group by outcome'),
  ]);
  const stopped = await db.query('select cell from drift_breakers where stopped_at is not null order by cell');
  return { findings, tenants, stoppedCells: rowsOf(z.object({ cell: z.string() }), stopped).map(({ cell }) => cell) };
}

/** Of these findings those that nobody was alerted of yet. */
export async function listUnalerted(db: Queryable, tenantIds: readonly string[]): Promise<DriftFindingRow[]> {
  const answer = await db.query(
    `select ${findingColumns} from drift_findings where tenant_id = any ($1) and alerted_at is null
     order by tenant_id, first_seen_at, step_id, field`,
    [[...tenantIds]],
  );
  return rowsOf(findingRow, answer);
}

/** Once the alert has been raised: findings that were marked before it would be lost with the process. */
export async function markDriftAlerted(db: Queryable, findings: readonly DriftFindingRow[]): Promise<void> {
  const tenantIds = [...new Set(findings.map(({ tenantId }) => tenantId))];
  const newest = findings.reduce((latest, { firstSeenAt }) => Math.max(latest, firstSeenAt.getTime()), 0);
  await db.query(
    `update drift_findings set alerted_at = now()
     where tenant_id = any ($1) and alerted_at is null and date_trunc('milliseconds', first_seen_at) <= $2`,
    [tenantIds, new Date(newest)],
  );
}
