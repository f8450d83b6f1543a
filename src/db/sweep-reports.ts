import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import {
  findingClasses,
  removalOutcomes,
  type MarkVerdict,
  type SweepFinding,
  type SweepRemoval,
  type SweepReport,
} from '../contracts/sweep.ts';
import { caller, callerJson, json, optionalTime, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

const owner = z.object({
  installationId: z.string().optional(),
  tenantId: z.string().optional(),
  product: z.string().optional(),
  operationId: z.string().optional(),
  stepId: z.string().optional(),
});

const finding: z.ZodType<SweepFinding> = z.object({
  id: z.string(),
  class: z.enum(findingClasses),
  type: z.string(),
  physicalId: z.string(),
  name: z.string(),
  owner,
  why: z.string(),
  remedy: z.string(),
  firstSeenAt: z.string(),
  fingerprint: z.string(),
  removable: z.boolean(),
});

const mark: z.ZodType<MarkVerdict> = z.object({
  state: z.enum(['intact', 'broken', 'missing', 'unreachable']),
  detail: z.string(),
  wasMade: z.boolean().optional(),
});

const row = z.object({
  id: uuid,
  cell: z.string(),
  at: time,
  requestedBy: z.string(),
  caller: caller.nullable(),
  mark,
  findings: z.array(finding),
  tooYoung: z.array(z.object({ type: z.string(), physicalId: z.string(), why: z.string() })),
  counts: z.object({
    held: z.number(),
    otherCells: z.number(),
    otherInstallations: z.number(),
    foreign: z.number(),
    passing: z.number(),
  }),
  problems: z.array(z.object({ what: z.string(), message: z.string() })),
  approvedAt: optionalTime,
  approvedBy: z.string().nullable(),
  approvedCaller: caller.nullable(),
  approved: z.array(z.object({ id: z.string(), fingerprint: z.string() })).nullable(),
});

const columns = `id, cell, at, requested_by as "requestedBy", requested_caller as caller, mark, findings, too_young as "tooYoung", counts, problems,
  approved_at as "approvedAt", approved_by as "approvedBy", approved_caller as "approvedCaller", approved`;

function toReport(stored: z.output<typeof row>): SweepReport {
  const { requestedBy, approvedAt, approvedBy, approvedCaller, approved, ...rest } = stored;
  const isApproved = approvedAt !== null && approvedBy !== null && approved !== null;
  return {
    ...rest,
    at: stored.at.toISOString(),
    by: requestedBy,
    approval: isApproved
      ? { at: approvedAt.toISOString(), by: approvedBy, caller: approvedCaller, findings: approved }
      : null,
  };
}

/** Since when each finding of a cell is seen; those that are not seen any more are forgotten. */
export async function recordSightings(
  tx: Queryable,
  cell: string,
  ids: readonly string[],
  keep: (id: string) => boolean,
): Promise<ReadonlyMap<string, Date>> {
  const known = rowsOf(
    z.object({ id: z.string() }),
    await tx.query(`select finding_id as id from sweep_sightings where cell = $1`, [cell]),
  );
  const gone = known.map(({ id }) => id).filter((id) => !ids.includes(id) && !keep(id));
  await tx.query(`delete from sweep_sightings where cell = $1 and finding_id = any ($2)`, [cell, gone]);
  await tx.query(
    `insert into sweep_sightings (cell, finding_id, first_seen_at)
     select $1, id, clock_timestamp() from unnest($2::text[]) as id on conflict do nothing`,
    [cell, ids],
  );
  const rows = rowsOf(
    z.object({ id: z.string(), at: time }),
    await tx.query(`select finding_id as id, first_seen_at as at from sweep_sightings where cell = $1`, [cell]),
  );
  return new Map(rows.map(({ id, at }) => [id, at]));
}

/** Which of these findings nobody was alerted of yet. */
export async function findUnalerted(db: Queryable, cell: string, ids: readonly string[]): Promise<string[]> {
  const answer = await db.query(
    'select finding_id as id from sweep_sightings where cell = $1 and finding_id = any ($2) and alerted_at is null',
    [cell, ids],
  );
  return rowsOf(z.object({ id: z.string() }), answer).map(({ id }) => id);
}

/** Once the alert has been raised: one that was marked before it would be lost with the process, one after it comes twice. */
export async function markAlerted(db: Queryable, cell: string, ids: readonly string[]): Promise<void> {
  await db.query('update sweep_sightings set alerted_at = now() where cell = $1 and finding_id = any ($2)', [
    cell,
    ids,
  ]);
}

export type NewReport = Omit<SweepReport, 'approval' | 'at'>;

/** Of a cell; undefined: it was never swept. */
export async function findNewestReport(db: Queryable, cell: string): Promise<SweepReport | undefined> {
  const answer = await db.query(`select ${columns} from sweep_reports where cell = $1 order by at desc limit 1`, [
    cell,
  ]);
  const newest = rowOf(row, answer);
  return newest && toReport(newest);
}

export async function insertReport(tx: Queryable, report: NewReport): Promise<SweepReport> {
  const r = report;
  const answer = await tx.query(
    `insert into sweep_reports (id, cell, requested_by, mark, findings, too_young, counts, problems, requested_caller)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${columns}`,
    [
      r.id,
      r.cell,
      r.by,
      json(r.mark),
      json(r.findings),
      json(r.tooYoung),
      json(r.counts),
      json(r.problems),
      callerJson(r.caller),
    ],
  );
  return toReport(row.parse(answer.rows[0]));
}

/** Undefined also for an id that is none. */
export async function findReport(db: Queryable, id: string): Promise<SweepReport | undefined> {
  const found = rowOf(row, await db.query(`select ${columns} from sweep_reports where id::text = $1`, [id]));
  return found && toReport(found);
}

/** The newest reports. */
export async function listReports(db: Queryable, limit: number): Promise<SweepReport[]> {
  const answer = await db.query(`select ${columns} from sweep_reports order by at desc, id limit $1`, [limit]);
  return rowsOf(row, answer).map(toReport);
}

/** Approves a report, once; undefined when it is approved already. */
export async function approveReport(
  db: Queryable,
  id: string,
  approval: {
    readonly by: string;
    readonly caller: Caller;
    readonly findings: readonly { readonly id: string; readonly fingerprint: string }[];
  },
): Promise<SweepReport | undefined> {
  const found = rowOf(
    row,
    await db.query(
      `update sweep_reports set approved_at = clock_timestamp(), approved_by = $2, approved = $3, approved_caller = $4
       where id = $1 and approved_at is null returning ${columns}`,
      [id, approval.by, json(approval.findings), callerJson(approval.caller)],
    ),
  );
  return found && toReport(found);
}

/** Forgets reports that are older and were never approved. */
export async function pruneReports(db: Queryable, olderThanDays: number): Promise<void> {
  await db.query(`delete from sweep_reports where approved_at is null and at < now() - $1 * interval '1 day'`, [
    olderThanDays,
  ]);
}

const removal = z.object({
  findingId: z.string(),
  class: z.enum(findingClasses),
  type: z.string(),
  physicalId: z.string(),
  outcome: z.enum(removalOutcomes),
  detail: z.string(),
  at: time,
  approvedBy: z.string(),
  removedBy: z.string(),
  /** Of who removed it. Null: not known. */
  caller: caller.nullable(),
});
export type RemovalRow = z.output<typeof removal>;

/** What was done of a report, in order. */
export async function listRemovals(db: Queryable, reportId: string): Promise<RemovalRow[]> {
  return rowsOf(
    removal,
    await db.query(
      `select finding_id as "findingId", class, type, physical_id as "physicalId", outcome, detail, at,
         approved_by as "approvedBy", removed_by as "removedBy", caller
       from sweep_removals where report_id = $1 order by id`,
      [reportId],
    ),
  );
}

export interface RemovalEntry extends SweepRemoval {
  readonly reportId: string;
  readonly cell: string;
  readonly tenantId: string | undefined;
  readonly approvedBy: string;
  readonly removedBy: string;
  readonly caller: Caller;
}

export async function recordRemoval(db: Queryable, entry: RemovalEntry): Promise<void> {
  const e = entry;
  await db.query(
    `insert into sweep_removals
       (report_id, cell, finding_id, class, type, physical_id, tenant_id, approved_by, removed_by, outcome, detail, caller)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      e.reportId,
      e.cell,
      e.findingId,
      e.class,
      e.type,
      e.physicalId,
      e.tenantId ?? null,
      e.approvedBy,
      e.removedBy,
      e.outcome,
      e.detail,
      callerJson(e.caller),
    ],
  );
}
