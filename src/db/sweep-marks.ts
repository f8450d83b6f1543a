import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import type { MarkVerdict } from '../contracts/sweep.ts';
import { bigint, callerJson, json } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf } from './rows.ts';

/** An event as the mark names it. */
export interface MarkedEvent {
  readonly eventId: number;
  /** ISO 8601, UTC, to the microsecond. */
  readonly at: string;
  /** SHA-256 of the whole row: a restored ledger gives an id again, never with the same row. */
  readonly digest: string;
}

const eventText = z.object({ id: bigint, at: z.string(), content: z.string() });

/**
 * A row as text that no setting of a session changes: all of it but its caller, which a worker of the release before does not
 * know of; both must come to the same digest.
 */
const columns = `id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
  jsonb_build_array(cell, tenant_id, operation_id, type, step_id, data)::text as content`;

/** The newest event of the whole ledger, whichever cell it is of; undefined when there is none. */
export async function findNewestEvent(db: Queryable): Promise<MarkedEvent | undefined> {
  return toMarked(rowOf(eventText, await db.query(`select ${columns} from events order by id desc limit 1`)));
}

export async function findMarkedEvent(db: Queryable, id: number): Promise<MarkedEvent | undefined> {
  return toMarked(rowOf(eventText, await db.query(`select ${columns} from events where id = $1`, [id])));
}

function toMarked(row: z.output<typeof eventText> | undefined): MarkedEvent | undefined {
  if (!row) return undefined;
  const digest = createHash('sha256')
    .update(JSON.stringify([row.id, row.at, row.content]))
    .digest('hex');
  return { eventId: row.id, at: row.at, digest };
}

/** Whether this ledger remembers that the cell was marked. */
export async function wasMarked(db: Queryable, cell: string): Promise<boolean> {
  return (await db.query('select from ledger_marks where cell = $1', [cell])).rowCount > 0;
}

export async function rememberMarked(db: Queryable, cell: string): Promise<void> {
  await db.query('insert into ledger_marks (cell) values ($1) on conflict do nothing', [cell]);
}

export interface Adoption {
  readonly cell: string;
  readonly by: string;
  readonly caller: Caller;
  readonly reason: string;
  readonly verdict: MarkVerdict;
  readonly before: string | undefined;
  readonly after: string;
}

export async function recordAdoption(db: Queryable, adoption: Adoption): Promise<void> {
  const a = adoption;
  await db.query(
    `insert into ledger_adoptions (cell, adopted_by, reason, verdict, mark_before, mark_after, caller)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [a.cell, a.by, a.reason, json(a.verdict), a.before ?? null, a.after, callerJson(a.caller)],
  );
}
