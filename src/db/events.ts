import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { eventTypes, type EventType } from '../contracts/events.ts';
import { bigint, caller, callerJson, json, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

/** Channel on which PostgreSQL announces events; the payload is the tenant's id. */
export const EVENTS_CHANNEL = 'tenantry_events';

const eventRow = z.object({
  id: bigint,
  at: time,
  cell: z.string(),
  tenantId: uuid,
  operationId: uuid.nullable(),
  type: z.enum(eventTypes),
  stepId: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
  /** Null: not known. */
  caller: caller.nullable(),
});
export type EventRow = z.output<typeof eventRow>;

export interface NewEvent {
  readonly cell: string;
  readonly tenantId: string;
  readonly operationId?: string | undefined;
  readonly type: EventType;
  readonly stepId?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Who caused it. Absent: the caller of its operation, for whom the run works. `unknown`: nothing says who it was. */
  readonly caller?: Caller | 'unknown' | undefined;
}

/** Appends an event; to be called in the transaction of the change that it tells of, after that change. */
export async function appendEvent(tx: Queryable, event: NewEvent): Promise<void> {
  await tx.query(
    `insert into events (cell, tenant_id, operation_id, type, step_id, data, caller) values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      event.cell,
      event.tenantId,
      event.operationId ?? null,
      event.type,
      event.stepId ?? null,
      json(event.data ?? {}),
      event.caller === 'unknown' ? 'null' : callerJson(event.caller),
    ],
  );
}

/** Events of a tenant after an id, oldest first. Ids of one tenant rise in the order of commits, so none is missed. */
export async function listEvents(db: Queryable, tenantId: string, afterId = 0, limit = 200): Promise<EventRow[]> {
  return rowsOf(
    eventRow,
    await db.query(
      `select id, at, cell, tenant_id as "tenantId", operation_id as "operationId", type, step_id as "stepId", data,
         caller
       from events where tenant_id = $1 and id > $2 order by id limit $3`,
      [tenantId, afterId, limit],
    ),
  );
}

/** 0: the tenant has none. */
export async function findNewestEventId(db: Queryable, tenantId: string): Promise<number> {
  const answer = await db.query('select coalesce(max(id), 0) as id from events where tenant_id = $1', [tenantId]);
  return rowOf(z.object({ id: bigint }), answer)?.id ?? 0;
}

/** When an operation came into the state that it is in, as its events tell. */
export async function findStateTime(
  db: Queryable,
  operation: { readonly id: string; readonly tenantId: string },
): Promise<Date | undefined> {
  const row = rowOf(
    z.object({ at: time.nullable() }),
    await db.query(
      `select max(at) as at from events where tenant_id = $1 and operation_id = $2 and type = 'operation.state'`,
      [operation.tenantId, operation.id],
    ),
  );
  return row?.at ?? undefined;
}
