import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import type { Failure } from '../contracts/errors.ts';
import type { Leftover } from '../contracts/messages.ts';
import {
  closedOperationStates,
  isOpen,
  openOperationStates,
  type OperationState,
} from '../contracts/operation-state.ts';
import { isMadeTrue } from '../contracts/operation-table.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';
import {
  bigint,
  caller,
  callerJson,
  failure,
  finalDump,
  json,
  leftovers,
  operationState,
  operationType,
  optionalTime,
  tenantStatus,
  time,
  uuid,
} from './columns.ts';
import type { Queryable } from './database.ts';
import { appendEvent, type NewEvent } from './events.ts';
import { refuseFrozen } from './freezes.ts';
import { rowOf, rowsOf } from './rows.ts';
import { currentTraceparent } from '../telemetry/trace-context.ts';
import { restoreDesiredSettings } from './settings.ts';

const operationRow = z.object({
  id: uuid,
  tenantId: uuid,
  cell: z.string(),
  type: operationType,
  state: operationState,
  onFailure: z.enum(['hold', 'rollback']),
  holdMs: bigint,
  /** It also reads anew what its steps read outside the blueprint. */
  refreshes: z.boolean(),
  workflowId: z.string(),
  runId: z.string().nullable(),
  generation: z.number(),
  failure: failure.nullable(),
  leftovers: leftovers.nullable(),
  cancelRequestedAt: optionalTime,
  /** Who asked for it. Null: not known. */
  caller: caller.nullable(),
  acceptedAt: time,
  claimedAt: optionalTime,
  /** Before that nothing is removed, and a cancel brings the tenant back to `statusBefore`. Null: there is no grace period. */
  graceUntil: optionalTime,
  /** The tenant's, when it was accepted. Null: an earlier release did that. */
  statusBefore: tenantStatus.nullable(),
  /** Of a deletion: the dump that it owes. Null: none. */
  finalDump: finalDump.nullable(),
  /** W3C: of the span that accepted it. Null: that process recorded none. */
  traceparent: z.string().nullable(),
  /** From then on it is only finished. Null: not that far. */
  committedAt: optionalTime,
  closedAt: optionalTime,
  updatedAt: time,
});
/** An operation without its blueprint (see {@link findBlueprint}). */
export type OperationRow = z.output<typeof operationRow>;

const columns = `id, tenant_id as "tenantId", cell, type, state, on_failure as "onFailure", hold_ms as "holdMs", refreshes,
  workflow_id as "workflowId", run_id as "runId", generation, failure, leftovers,
  cancel_requested_at as "cancelRequestedAt", caller, accepted_at as "acceptedAt", claimed_at as "claimedAt", committed_at as "committedAt",
  grace_until as "graceUntil", final_dump as "finalDump", status_before as "statusBefore", traceparent,
  closed_at as "closedAt", updated_at as "updatedAt"`;
const openList = openOperationStates.map((state) => `'${state}'`).join(', ');

export type NewOperation = Pick<
  OperationRow,
  'id' | 'tenantId' | 'cell' | 'type' | 'onFailure' | 'holdMs' | 'workflowId'
> & {
  readonly refreshes?: boolean | undefined;
  /** Unknown: a deprovisioning carries the stored one on as it is. */
  readonly blueprint: unknown;
  readonly caller: Caller;
  /** Why, for the audit trail: in the event only. */
  readonly reason?: string | undefined;
  /** How long it waits before it removes anything, in ms. */
  readonly graceMs?: number | undefined;
  readonly finalDump?: OperationRow['finalDump'] | undefined;
  /** Default: the tenant's status now. */
  readonly statusBefore?: TenantStatus | undefined;
};

/**
 * Accepts an operation, with its event; undefined when the tenant has an open one (409 OPERATION_IN_PROGRESS).
 * @throws FrozenError
 */
export async function insertOperation(tx: Queryable, operation: NewOperation): Promise<OperationRow | undefined> {
  const o = operation;
  await refuseFrozen(tx, o);
  const answer = await tx.query(
    `insert into operations
       (id, tenant_id, cell, type, on_failure, hold_ms, workflow_id, blueprint, caller, settings_version,
        status_before, grace_until, refreshes, final_dump, traceparent)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9, t.settings_version, coalesce($10, t.status),
       now() + nullif($11::bigint, 0) * interval '1 millisecond', $12, $13, $14
     from tenants t where t.id = $2
     on conflict (tenant_id) where state in (${openList}) do nothing returning ${columns}`,
    [
      ...[
        o.id,
        o.tenantId,
        o.cell,
        o.type,
        o.onFailure,
        o.holdMs,
        o.workflowId,
        json(o.blueprint),
        callerJson(o.caller),
      ],
      ...[
        o.statusBefore ?? null,
        o.graceMs ?? null,
        o.refreshes ?? false,
        o.finalDump ?? null,
        currentTraceparent() ?? null,
      ],
    ],
  );
  const accepted = rowOf(operationRow, answer);
  if (!accepted) return undefined;
  const { type, onFailure, reason, refreshes, finalDump: owed } = o;
  const graceUntil = accepted.graceUntil?.toISOString();
  await lockTenantBeforeEvents(tx, o.tenantId);
  await appendEvent(tx, {
    ...{ cell: o.cell, tenantId: o.tenantId, operationId: o.id, type: 'operation.accepted', caller: o.caller },
    data: {
      type,
      onFailure,
      ...(reason !== undefined && { reason }),
      ...(refreshes && { refreshes }),
      ...(graceUntil && { graceUntil }),
      ...(owed && { finalDump: owed }),
    },
  });
  return accepted;
}

/** Operation, tenant, events, in this order, as whoever records a look at a tenant locks the last two. */
async function lockTenantBeforeEvents(tx: Queryable, tenantId: string): Promise<void> {
  await tx.query('select from tenants where id = $1 for no key update', [tenantId]);
}

export async function findOperation(db: Queryable, id: string): Promise<OperationRow | undefined> {
  return rowOf(operationRow, await db.query(`select ${columns} from operations where id = $1`, [id]));
}

/** The operation, locked until the transaction ends. */
export async function lockOperation(tx: Queryable, id: string): Promise<OperationRow | undefined> {
  return rowOf(operationRow, await tx.query(`select ${columns} from operations where id = $1 for no key update`, [id]));
}

/** Operations of a tenant, newest first. */
export async function listOperationsOf(db: Queryable, tenantId: string): Promise<OperationRow[]> {
  return newestOperations(db, tenantId, null);
}

/** The operation of a tenant that was accepted last, a withdrawn one too. */
export async function findLastOperation(db: Queryable, tenantId: string): Promise<OperationRow | undefined> {
  return (await newestOperations(db, tenantId, 1))[0];
}

async function newestOperations(db: Queryable, tenantId: string, limit: number | null): Promise<OperationRow[]> {
  return rowsOf(
    operationRow,
    await db.query(`select ${columns} from operations where tenant_id = $1 order by accepted_at desc, id limit $2`, [
      tenantId,
      limit,
    ]),
  );
}

/** The blueprint of an operation as it is stored; `blueprintSchema` (blueprint-column.ts) checks its shape. */
export async function findBlueprint(db: Queryable, operationId: string): Promise<unknown> {
  return (await db.query<{ blueprint: unknown }>('select blueprint from operations where id = $1', [operationId]))
    .rows[0]?.blueprint;
}

/** What may change along with an operation's state; what is left out stays. */
export interface OperationChange {
  readonly generation?: number | undefined;
  /** Null: forget the last one. */
  readonly failure?: Failure | null | undefined;
  readonly leftovers?: readonly Leftover[] | null | undefined;
  /** For the audit trail: in the event only. */
  readonly audit?: Audit | undefined;
  /** Of the event, as {@link NewEvent.caller}. */
  readonly caller?: NewEvent['caller'];
}

/** Why somebody did what no rule asks for, and who it was. */
export interface Audit {
  readonly reason: string;
  /** Who, in the caller's own words: a person behind a shared account, for example. */
  readonly by?: string | undefined;
  /** Of the request, as the API's log has it. */
  readonly requestId?: string | undefined;
}

/**
 * Compare-and-swap of an operation's state, with its event `operation.state`. Every end without success goes through here, so what
 * the operation was to carry out is no longer desired then, unless it was made true all the same.
 *
 * @returns the operation after the change; undefined, and nothing is changed, when its state is none of `from`.
 */
export async function changeOperationState(
  tx: Queryable,
  id: string,
  from: readonly OperationState[],
  to: OperationState,
  change: OperationChange = {},
): Promise<OperationRow | undefined> {
  const before = await lockOperation(tx, id);
  if (!before || !from.includes(before.state)) return undefined;
  await lockTenantBeforeEvents(tx, before.tenantId);
  const after = operationRow.parse(
    (
      await tx.query(
        `update operations set state = $2, generation = coalesce($3, generation),
           failure = case when $4::boolean then $5::jsonb else failure end,
           leftovers = case when $6::boolean then $7::jsonb else leftovers end,
           closed_at = case when $8::boolean then now() end, updated_at = now(),
           committed_at = case when $2 = 'committing' then coalesce(committed_at, now()) else committed_at end
         where id = $1 returning ${columns}`,
        [
          id,
          to,
          change.generation ?? null,
          change.failure !== undefined,
          json(change.failure),
          change.leftovers !== undefined,
          json(change.leftovers),
          !isOpen(to),
        ],
      )
    ).rows[0],
  );
  if (!isOpen(to) && !isMadeTrue(after)) await restoreDesiredSettings(tx, after);
  await appendEvent(tx, {
    cell: after.cell,
    tenantId: after.tenantId,
    operationId: id,
    type: 'operation.state',
    caller: change.caller,
    data: {
      from: before.state,
      to,
      failure: change.failure ?? undefined,
      leftovers: change.leftovers ?? undefined,
      ...change.audit,
      // For whoever follows: when the hold ends by itself.
      until: to === 'holding' ? new Date(after.updatedAt.getTime() + after.holdMs).toISOString() : undefined,
    },
  });
  return after;
}

/** Gives an operation to a run; its state stays for {@link changeOperationState} to change. */
export async function recordRun(tx: Queryable, id: string, run: { workflowId: string; runId: string }): Promise<void> {
  await tx.query(
    `update operations set run_id = $2, workflow_id = $3, claimed_at = coalesce(claimed_at, now()),
       updated_at = now() where id = $1`,
    [id, run.runId, run.workflowId],
  );
}

/** Records why no worker could claim an accepted operation yet; a claim forgets it. That is no sign of life: `updated_at` stays. */
export async function recordWaiting(db: Queryable, id: string, why: Failure): Promise<void> {
  await db.query(`update operations set failure = $2 where id = $1 and state = 'accepted'`, [id, json(why)]);
}

/**
 * Records that a cancel was asked for, the first time it was. That is no sign of life of its run: `updated_at` stays.
 * @returns when, for {@link forgetCancelRequest}; undefined when nothing was recorded
 */
export async function recordCancelRequest(tx: Queryable, id: string): Promise<string | undefined> {
  const answer = await tx.query(
    `update operations set cancel_requested_at = clock_timestamp()
     where id = $1 and cancel_requested_at is null and state in (${openList}) returning cancel_requested_at::text as at`,
    [id],
  );
  return rowOf(z.object({ at: z.string() }), answer)?.at;
}

/**
 * Records that a cancel was taken, or may have been, whatever is recorded: a refused one that was recorded before no longer
 * finds its own time, and leaves the record.
 */
export async function recordTakenCancel(db: Queryable, id: string): Promise<void> {
  await db.query('update operations set cancel_requested_at = clock_timestamp() where id = $1', [id]);
}

/** Removes the record of a cancel that was refused, unless it is another's. */
export async function forgetCancelRequest(db: Queryable, id: string, at: string): Promise<void> {
  await db.query(
    'update operations set cancel_requested_at = null where id = $1 and cancel_requested_at = $2::timestamptz',
    [id, at],
  );
}

/** Accepted operations that no run has claimed for this long: the process died between writing and starting. */
export async function listAcceptedWithoutRun(db: Queryable, olderThanMs: number): Promise<OperationRow[]> {
  return rowsOf(
    operationRow,
    await db.query(
      `select ${columns} from operations
       where state = 'accepted' and accepted_at < now() - $1 * interval '1 millisecond' order by accepted_at limit 100`,
      [olderThanMs],
    ),
  );
}

/** The newest operation of each of some tenants: the open one, where one is open. A withdrawn one changed nothing, so it comes last. */
export async function listNewestOperationsOf(db: Queryable, tenantIds: readonly string[]): Promise<OperationRow[]> {
  if (tenantIds.length === 0) return [];
  return rowsOf(
    operationRow,
    await db.query(
      `select distinct on (tenant_id) ${columns} from operations where tenant_id = any ($1::uuid[])
       order by tenant_id, state = 'withdrawn', closed_at is null desc, accepted_at desc, id`,
      [[...tenantIds]],
    ),
  );
}

/** The open operation of a tenant, if it has one. */
export async function findOpenOperation(db: Queryable, tenantId: string): Promise<OperationRow | undefined> {
  const closed = [...closedOperationStates];
  return rowOf(
    operationRow,
    await db.query(`select ${columns} from operations where tenant_id = $1 and state <> all ($2)`, [tenantId, closed]),
  );
}
