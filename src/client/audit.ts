import { z } from 'zod';
import type { StoredCaller } from '../contracts/caller.ts';
import {
  listAuditEvents,
  listRefusals,
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

/** One thing that somebody did, or was refused. */
export interface AuditEntry {
  /** Unique among all; `e` of an event, `r` of a refusal. */
  readonly id: string;
  readonly at: string;
  readonly outcome: 'recorded' | 'refused';
  /** Type of the event, or code of the refusal. */
  readonly type: string;
  readonly tenantId: string | null;
  readonly operationId: string | null;
  /** Null: not known. Of a refusal without a credential that was taken, only `requestId` and `address` are. */
  readonly caller: Partial<StoredCaller> | null;
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
      const merged = newestFirst(events, refusals);
      const page = merged.slice(0, limit);
      const nextCursor = merged.length > limit ? cursorAfter(list, endOf(page, below)) : null;
      return { entries: page.map((one) => ('code' in one ? refusalEntry(one) : eventEntry(one))), nextCursor };
    }),
  );
}

const newest: AuditPosition = { events: Number.MAX_SAFE_INTEGER, refusals: Number.MAX_SAFE_INTEGER };

/** Each list keeps its order, which is that of its ids. */
function newestFirst(
  events: readonly AuditEventRow[],
  refusals: readonly AuditRefusalRow[],
): (AuditEventRow | AuditRefusalRow)[] {
  const merged: (AuditEventRow | AuditRefusalRow)[] = [];
  let [e, r] = [0, 0];
  for (;;) {
    const [event, refusal] = [events[e], refusals[r]];
    if (event && (!refusal || event.at >= refusal.at)) {
      merged.push(event);
      e += 1;
    } else if (refusal) {
      merged.push(refusal);
      r += 1;
    } else return merged;
  }
}

function eventEntry({ id, at, data, stepId, ...event }: AuditEventRow): AuditEntry {
  const masked = maskedFields(stepId === null ? data : { stepId, ...data });
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

/** Nothing secret is written into events; a product's own field may be named as if it were, and is not shown. */
function maskedFields(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const pairs = Object.entries(data).map(([key, value]) => [key, isSecretName(key) ? '[masked]' : masked(value)]);
  return z.record(z.string(), z.unknown()).parse(Object.fromEntries(pairs));
}

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  const fields = z.record(z.string(), z.unknown()).safeParse(value).data;
  return fields ? maskedFields(fields) : value;
}

function isSecretName(key: string): boolean {
  return /password|passwd|secret|token|api_?key|private_?key/i.test(key) && !/arn$/i.test(key);
}

/** Where a page ends in each of the two. */
function endOf(page: readonly (AuditEventRow | AuditRefusalRow)[], below: AuditPosition): [number, number] {
  const last = page.reduce<AuditPosition>(
    (so, one) => ('code' in one ? { ...so, refusals: one.id } : { ...so, events: one.id }),
    below,
  );
  return [last.events, last.refusals];
}

const positionShape = z.tuple([z.int().min(0), z.int().min(0)]);

function positionOf([events, refusals]: z.output<typeof positionShape>): AuditPosition {
  return { events, refusals };
}
