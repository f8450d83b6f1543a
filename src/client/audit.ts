import { z } from 'zod';
import type { AuditOutcome } from '../contracts/audit-outcome.ts';
import type { StoredCaller } from '../contracts/caller.ts';
import { fieldsWithoutSecrets } from '../contracts/secret-fields.ts';
import {
  listAuditEntries,
  listAuditEvents,
  listRefusals,
  type AuditEntryRow,
  type AuditEventRow,
  type AuditFilter,
  type AuditPosition,
  type AuditRefusalRow,
} from '../db/audit.ts';
import type { Database } from '../db/database.ts';
import { cursorAfter, positionIn } from '../db/page-cursor.ts';
import { refusingCursors } from './paging.ts';

export interface AuditInput extends AuditFilter {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

type AuditRow = AuditEntryRow | AuditEventRow | AuditRefusalRow;

/** One thing that somebody did, or was refused. */
export interface AuditEntry {
  /** Unique among all; `c` of a change that somebody asked for, `e` of an event, `r` of a refusal. */
  readonly id: string;
  readonly at: string;
  readonly outcome: AuditOutcome;
  /** What was asked for, type of the event, or code of the refusal. */
  readonly type: string;
  readonly tenantId: string | null;
  readonly operationId: string | null;
  /** Null: not known. Of a refusal without a credential that was taken, only `requestId` and `address` are. */
  readonly caller: Partial<StoredCaller> | null;
  /** What callers choose, before and after a change; secrets are masked. Absent: nothing of that, or not known. */
  readonly before?: Readonly<Record<string, unknown>> | undefined;
  readonly after?: Readonly<Record<string, unknown>> | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A page of the audit trail, newest first. @throws RequestError INVALID_INPUT for a cursor that no page ended with */
export async function readAudit(
  db: Pick<Database, 'snapshot'>,
  { limit, cursor, ...filter }: AuditInput,
): Promise<{ entries: AuditEntry[]; nextCursor: string | null }> {
  const list = { of: 'the audit trail', given: { ...filter } };
  return refusingCursors(() =>
    db.snapshot(async (at) => {
      const below = cursor === undefined ? newest : positionOf(positionIn(list, cursor, positionShape));
      const events = await listAuditEvents(at, filter, { belowId: below.events, limit: limit + 1 });
      const refusals = await listRefusals(at, filter, { belowId: below.refusals, limit: limit + 1 });
      const entries = await listAuditEntries(at, filter, { belowId: below.entries, limit: limit + 1 });
      const merged = newestFirst(newestFirst<AuditRow>(events, refusals), entries);
      const page = merged.slice(0, limit);
      const nextCursor = merged.length > limit ? cursorAfter(list, endOf(page, below)) : null;
      return { entries: page.map(entryOf), nextCursor };
    }),
  );
}

const unread = Number.MAX_SAFE_INTEGER;
const newest: AuditPosition = { events: unread, refusals: unread, entries: unread };

/** Each list keeps its order, which is that of its ids. */
function newestFirst<T extends { readonly at: Date }>(first: readonly T[], second: readonly T[]): T[] {
  const merged: T[] = [];
  let [a, b] = [0, 0];
  for (;;) {
    const [one, other] = [first[a], second[b]];
    if (one && (!other || one.at >= other.at)) {
      merged.push(one);
      a += 1;
    } else if (other) {
      merged.push(other);
      b += 1;
    } else return merged;
  }
}

function entryOf(row: AuditRow): AuditEntry {
  if ('code' in row) return refusalEntry(row);
  return 'action' in row ? changeEntry(row) : eventEntry(row);
}

function changeEntry({ id, at, action, before, after, data, ...entry }: AuditEntryRow): AuditEntry {
  return {
    ...{ id: `c${id}`, at: at.toISOString(), type: action, ...entry },
    ...(before && { before: fieldsWithoutSecrets(before) }),
    ...(after && { after: fieldsWithoutSecrets(after) }),
    data: fieldsWithoutSecrets(data),
  };
}

function eventEntry({ id, at, data, stepId, ...event }: AuditEventRow): AuditEntry {
  // Nothing secret is written into events; a product's own field may be named as if it were, and is not shown.
  const masked = fieldsWithoutSecrets(stepId === null ? data : { stepId, ...data });
  return { id: `e${id}`, at: at.toISOString(), outcome: 'recorded', ...event, data: masked };
}

function refusalEntry(row: AuditRefusalRow): AuditEntry {
  const { address, at, code, id, method, operation, principal, reason, requestId, role, tenantId, unrecorded } = row;
  const known = principal !== null && role !== null ? { principal, role } : {};
  return {
    ...{ id: `r${id}`, at: at.toISOString(), outcome: 'refused', type: code, tenantId, operationId: null },
    caller: { ...known, requestId, address },
    data: { operation, method, ...(reason !== null && { reason }), unrecorded },
  };
}

/** Where a page ends in each of the three. */
function endOf(page: readonly AuditRow[], below: AuditPosition): [number, number, number] {
  const last = page.reduce<AuditPosition>((so, one) => {
    if ('code' in one) return { ...so, refusals: one.id };
    return 'action' in one ? { ...so, entries: one.id } : { ...so, events: one.id };
  }, below);
  return [last.events, last.refusals, last.entries];
}

const positionShape = z.tuple([z.int().min(0), z.int().min(0), z.int().min(0)]);

function positionOf([events, refusals, entries]: z.output<typeof positionShape>): AuditPosition {
  return { events, refusals, entries };
}
