import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { bigint, optionalTime, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { appendEvent } from './events.ts';
import { rowOf, rowsOf } from './rows.ts';

export const archiveStates = ['writing', 'kept', 'nothing', 'discarded', 'removed'] as const;

const archiveRow = z.object({
  id: uuid,
  operationId: uuid,
  tenantId: uuid,
  stepId: z.string(),
  kind: z.string(),
  cell: z.string(),
  state: z.enum(archiveStates),
  bucket: z.string(),
  /** Of all its files, with the slash at its end. */
  prefix: z.string(),
  /** It may be handed out. */
  exported: z.boolean(),
  manifestSha256: z.string().nullable(),
  files: z.number().nullable(),
  bytes: bigint.nullable(),
  tables: z.number().nullable(),
  rows: bigint.nullable(),
  /** Why there was nothing to dump. */
  reason: z.string().nullable(),
  startedAt: time,
  endedAt: optionalTime,
  /** When its files are removed. */
  expiresAt: optionalTime,
  removedAt: optionalTime,
});
/** An attempt at a dump of what a step holds. */
export type ArchiveRow = z.output<typeof archiveRow>;

const columns = `id, operation_id as "operationId", tenant_id as "tenantId", step_id as "stepId", kind, cell, state, bucket, prefix, exported,
  manifest_sha256 as "manifestSha256", files, bytes, tables, rows, reason, started_at as "startedAt", ended_at as "endedAt",
  expires_at as "expiresAt", removed_at as "removedAt"`;

export type NewArchive = Pick<
  ArchiveRow,
  'id' | 'operationId' | 'tenantId' | 'stepId' | 'kind' | 'cell' | 'bucket' | 'prefix' | 'exported'
>;

/** Records an attempt before its first file. */
export async function insertArchive(db: Queryable, a: NewArchive): Promise<void> {
  await db.query(
    `insert into archives (id, operation_id, tenant_id, step_id, kind, cell, state, bucket, prefix, exported)
     values ($1, $2, $3, $4, $5, $6, 'writing', $7, $8, $9)`,
    [a.id, a.operationId, a.tenantId, a.stepId, a.kind, a.cell, a.bucket, a.prefix, a.exported],
  );
}

/** Attempts at a step of an operation, oldest first. */
export async function listAttempts(
  db: Queryable,
  { operationId, stepId }: Pick<ArchiveRow, 'operationId' | 'stepId'>,
): Promise<ArchiveRow[]> {
  const answer = await db.query(
    `select ${columns} from archives where operation_id = $1 and step_id = $2 order by started_at, id`,
    [operationId, stepId],
  );
  return rowsOf(archiveRow, answer);
}

/** What was kept of a tenant, and of what there was nothing to keep, oldest first; also what has expired since. */
export async function listArchivesOf(db: Queryable, tenantId: string): Promise<ArchiveRow[]> {
  const answer = await db.query(
    `select ${columns} from archives where tenant_id = $1 and (state in ('kept', 'nothing') or (state = 'removed' and manifest_sha256 is not null))
     order by started_at, id`,
    [tenantId],
  );
  return rowsOf(archiveRow, answer);
}

/** All that are kept or were, newest first. @param tenantId of this tenant only */
export async function listArchives(db: Queryable, tenantId: string | null, limit: number): Promise<ArchiveRow[]> {
  const answer = await db.query(
    `select ${columns} from archives where ($1::uuid is null or tenant_id = $1) order by started_at desc, id limit $2`,
    [tenantId, limit],
  );
  return rowsOf(archiveRow, answer);
}

export async function findArchive(db: Queryable, id: string): Promise<ArchiveRow | undefined> {
  return rowOf(archiveRow, await db.query(`select ${columns} from archives where id = $1`, [id]));
}

export interface Kept {
  readonly manifestSha256: string;
  readonly files: number;
  readonly bytes: number;
  readonly tables: number;
  readonly rows: number;
  readonly retentionDays: number;
}

/** Records that a dump is whole, with its event. False, and nothing is written: another attempt took its place. */
export async function recordKept(tx: Queryable, id: string, kept: Kept): Promise<boolean> {
  const answer = await tx.query(
    `update archives a set state = 'kept', ended_at = now(), manifest_sha256 = $2, files = $3, bytes = $4, tables = $5, rows = $6,
       expires_at = now() + $7 * interval '1 day'
     where id = $1 and state = 'writing' and not exists (
       select from archives other where other.operation_id = a.operation_id and other.step_id = a.step_id and other.state in ('kept', 'nothing'))
     returning ${columns}`,
    [id, kept.manifestSha256, kept.files, kept.bytes, kept.tables, kept.rows, kept.retentionDays],
  );
  const row = rowOf(archiveRow, answer);
  // The answer of an earlier commit was lost.
  if (!row) return (await findArchive(tx, id))?.state === 'kept';
  const { stepId, bucket, exported, bytes, rows, tables, expiresAt } = row;
  const data = {
    stepId,
    bucket,
    manifest: manifestKey(row),
    bytes,
    rows,
    tables,
    exported,
    expiresAt: expiresAt?.toISOString(),
  };
  await appendEvent(tx, { ...eventOf(row), type: 'tenant.archived', data });
  return true;
}

/** Records that there was nothing to dump. False: another attempt took its place. */
export async function recordNothing(db: Queryable, id: string, reason: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update archives set state = 'nothing', ended_at = now(), reason = $2 where id = $1 and state = 'writing'`,
    [id, reason],
  );
  return rowCount === 1 || (await findArchive(db, id))?.state === 'nothing';
}

/** From then on the attempt cannot be kept. False: it is already, or was removed. */
export async function discardArchive(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update archives set state = 'discarded', ended_at = now() where id = $1 and state in ('writing', 'discarded')`,
    [id],
  );
  return rowCount === 1;
}

/**
 * Archives whose files are to go: those that have expired, unless their deletion still goes on, which would dump what is left of the
 * schema; and of attempts that came to nothing, once they can write no more: of a closed operation, or beside one that counts.
 * @param quietMs how long an attempt is left alone after it was begun or given up
 */
export async function listDueArchives(db: Queryable, quietMs: number, limit: number): Promise<ArchiveRow[]> {
  const answer = await db.query(
    `select ${columns} from archives a
     where (state = 'kept' and expires_at < now() and exists (select from operations o where o.id = a.operation_id and o.closed_at is not null))
        or (state in ('writing', 'discarded') and coalesce(ended_at, started_at) < now() - $1 * interval '1 millisecond'
            and (exists (select from operations o where o.id = a.operation_id and o.closed_at < now() - $1 * interval '1 millisecond')
              or exists (select from archives other where other.operation_id = a.operation_id and other.step_id = a.step_id
                and other.state in ('kept', 'nothing', 'removed') and other.ended_at < now() - $1 * interval '1 millisecond')))
     order by coalesce(expires_at, started_at) limit $2`,
    [quietMs, limit],
  );
  return rowsOf(archiveRow, answer);
}

/** Records that none of its files is left; of one that was kept, with its event. */
export async function recordRemovedFiles(tx: Queryable, { id }: Pick<ArchiveRow, 'id'>, caller: Caller): Promise<void> {
  const answer = await tx.query(
    `update archives set state = 'removed', removed_at = now() where id = $1 and state in ('writing', 'discarded', 'kept') returning ${columns}`,
    [id],
  );
  const row = rowOf(archiveRow, answer);
  if (!row || row.manifestSha256 === null) return;
  const data = { stepId: row.stepId, bucket: row.bucket, manifest: manifestKey(row) };
  await appendEvent(tx, { ...eventOf(row), type: 'tenant.archive-removed', data, caller });
}

/** The object that makes its files a dump: without it they are none. */
export function manifestKey({ prefix }: Pick<ArchiveRow, 'prefix'>): string {
  return `${prefix}manifest.json`;
}

function eventOf({ cell, tenantId, operationId }: ArchiveRow) {
  return { cell, tenantId, operationId };
}
