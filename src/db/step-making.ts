import { z } from 'zod';
import type { Failure } from '../contracts/errors.ts';
import { makingStates, operationTypes } from '../contracts/operation-table.ts';
import { json, optionalTime, time } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf } from './rows.ts';
import type { StepKey } from './steps.ts';

/*
 * The changes of a step on its way up. Each is one statement (and so one transaction): step, ledger rows and event
 * together. The events come last in it, as the lock on a tenant's events is always the last one taken.
 */

export interface Intent {
  readonly key: StepKey;
  readonly resources: readonly { readonly type: string; readonly name: string }[];
  /** How long the effect of this attempt may still land after now, in ms. */
  readonly latenessMs: number;
  readonly attempt: number;
  /** The attempt saw, when it began, that this operation had made the step in this generation. */
  readonly sawMade: boolean;
}

/** Per type of operation the states in which its steps may be made, or brought back. */
function statesByType(goesBack: boolean | undefined) {
  return Object.fromEntries(operationTypes.map((type) => [type, makingStates(type, goesBack)]));
}

const recordedIntent = z.object({ unclearUntil: time, unclearBefore: optionalTime });
/** `unclearUntil` was set by this attempt, `unclearBefore` stood there. */
export type RecordedIntent = z.output<typeof recordedIntent>;

/**
 * What is about to be made, before the first call that makes it. A step that an earlier operation removed starts anew, as does
 * one that this operation took back in an earlier generation.
 *
 * @returns undefined, and nothing is written, when this operation makes nothing any more or takes the step back, or when
 * another attempt has made it meanwhile: a statement that a lost connection delivers late must not undo its result.
 */
export async function recordIntent(db: Queryable, intent: Intent): Promise<RecordedIntent | undefined> {
  const { key, resources } = intent;
  const answer = await db.query(
    // The share lock makes a change of the operation's state wait for us, and us for it: no intent slips behind an undo.
    // "before" is joined to what is inserted so that it is read, and the row locked, before the upsert changes it.
    `with operation as (
       select id, tenant_id, cell from operations
       where id = $1 and ($10::jsonb -> type) ? state
       for share
     ), before as (
       select s.* from steps s join operation o on o.tenant_id = s.tenant_id where s.step_id = $2 for no key update of s
     ), step as (
       insert into steps as s (tenant_id, step_id, cell, kind, operation_id, state, generation, unclear_until)
       select o.tenant_id, $2, o.cell, $3, o.id, 'intended', $4,
         date_trunc('milliseconds', clock_timestamp()) + $5 * interval '1 millisecond'
       from operation o left join before b on true
       on conflict (tenant_id, step_id) do update set
         kind = excluded.kind, operation_id = excluded.operation_id, generation = excluded.generation,
         state = case when s.state in ('present', 'ready') then 'present' else 'intended' end,
         started_at = case when s.generation = excluded.generation and s.operation_id = excluded.operation_id
           then s.started_at else now() end,
         unclear_until = greatest(s.unclear_until, excluded.unclear_until),
         outputs = case when s.state = 'removed' then null else s.outputs end,
         failure = null, ready_at = null, removing_at = null, removed_at = null, removal = null, residues = null
       where case when s.operation_id <> excluded.operation_id then true
         when s.state = 'removing' or s.generation > excluded.generation then false
         when s.state = 'removed' then s.generation < excluded.generation
         else $9::boolean or s.state = 'intended' or s.generation < excluded.generation end
       returning s.*
     ), rows as (
       insert into ledger as l (tenant_id, step_id, cell, operation_id, type, name, state)
       select s.tenant_id, s.step_id, s.cell, s.operation_id, r.type, r.name, 'intended'
       from step s cross join unnest($6::text[], $7::text[]) as r (type, name)
       on conflict (tenant_id, step_id, type, name) do update set
         operation_id = excluded.operation_id, updated_at = now(), failure = null,
         physical_id = case when l.state = 'removed' then null else l.physical_id end,
         earlier_ids = case when l.state = 'removed' then '{}' else l.earlier_ids end,
         residues = case when l.state = 'removed' then null else l.residues end,
         made_at = case when l.state = 'removed' then null else l.made_at end, absent_at = null,
         earlier_made_at = case when l.state = 'removed' then '{}' else l.earlier_made_at end,
         state = case when l.state in ('present', 'ready') then 'present' else 'intended' end
     ), event as (
       insert into events (cell, tenant_id, operation_id, type, step_id, data)
       select s.cell, s.tenant_id, s.operation_id, 'step.started', s.step_id,
         jsonb_build_object('kind', $3::text, 'generation', $4::int, 'attempt', $8::int)
       from step s left join before b on true
       where b.step_id is null or b.generation <> s.generation or b.operation_id <> s.operation_id
     )
     select s.unclear_until as "unclearUntil", b.unclear_until as "unclearBefore" from step s left join before b on true`,
    [
      key.operationId,
      key.stepId,
      key.kind,
      key.generation,
      intent.latenessMs,
      resources.map((r) => r.type),
      resources.map((r) => r.name),
      intent.attempt,
      intent.sawMade,
      json(statesByType(key.goesBack)),
    ],
  );
  return rowOf(recordedIntent, answer);
}

/** Takes an attempt's own window back after a definite outcome; one that stood before, or came since, stays. */
const settledWindow = `case when unclear_until is not distinct from $5::timestamptz
  then case when $6::timestamptz > now() then $6::timestamptz end else unclear_until end`;

/**
 * Takes the window of an attempt back that sent nothing. (One that failed says so by {@link recordFailedAttempt}; this is for
 * those that were stopped.)
 */
export async function settleWindow(db: Queryable, key: StepKey, intent: RecordedIntent): Promise<void> {
  await db.query(
    `update steps set unclear_until = ${settledWindow}
     where tenant_id = $1 and step_id = $2 and operation_id = $3 and generation = $4`,
    [key.tenantId, key.stepId, key.operationId, key.generation, intent.unclearUntil, intent.unclearBefore],
  );
}

/**
 * The window of an attempt that goes on, counted from now; undefined, and nothing is written, when the step is being taken
 * back.
 */
export async function extendWindow(
  db: Queryable,
  key: StepKey,
  intent: RecordedIntent,
  latenessMs: number,
): Promise<RecordedIntent | undefined> {
  const answer = await db.query(
    `update steps set unclear_until = greatest(unclear_until,
       date_trunc('milliseconds', clock_timestamp()) + $5 * interval '1 millisecond')
     where tenant_id = $1 and step_id = $2 and operation_id = $3 and generation = $4
       and state in ('intended', 'present', 'ready')
     returning unclear_until as "unclearUntil"`,
    [key.tenantId, key.stepId, key.operationId, key.generation, latenessMs],
  );
  const row = rowOf(recordedIntent.pick({ unclearUntil: true }), answer);
  return row && { ...intent, ...row };
}

export interface Made {
  readonly key: StepKey;
  readonly intent: RecordedIntent;
  readonly state: 'present' | 'ready';
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly outputsHash: string;
  readonly inputsHash: string;
  readonly resources: readonly { readonly type: string; readonly name: string }[];
  /** Physical id per resource name. */
  readonly physicalIds: Readonly<Record<string, string>>;
  /** Physical ids per resource name of what was made beside it, or before it. */
  readonly earlierIds: Readonly<Record<string, readonly string[]>>;
  /** What was not there and was made by this attempt. What has another id than before is so anyway. */
  readonly anew: readonly { readonly type: string; readonly name: string }[];
  readonly detail?: string | undefined;
}

/** The result of an `ensure`, with `step.ready` or `step.pending`; false when the step was taken back meanwhile. */
export async function recordMade(db: Queryable, made: Made): Promise<boolean> {
  const { key } = made;
  const { rowCount } = await db.query(
    `with step as (
       update steps set state = $7, outputs = $8, outputs_hash = $9, inputs_hash = $10, detail = $11, failure = null,
         ready_at = case when $7 = 'ready' then now() end, unclear_until = ${settledWindow}
       where tenant_id = $1 and step_id = $2 and operation_id = $3 and generation = $4
         and state in ('intended', 'present', 'ready')
       returning *
     ), rows as (
       update ledger l set state = case when l.state in ('removing', 'removed') then l.state else $7 end,
         physical_id = coalesce($12::jsonb ->> l.name, l.physical_id), updated_at = now(),
         made_at = case
           when l.made_at is null or l.type || ' ' || l.name = any ($15::text[]) then now()
           when l.physical_id <> $12::jsonb ->> l.name
             then coalesce((l.earlier_made_at ->> ($12::jsonb ->> l.name))::timestamptz, now())
           else l.made_at end,
         earlier_made_at = case when l.physical_id <> $12::jsonb ->> l.name and l.made_at is not null
           then l.earlier_made_at || jsonb_build_object(l.physical_id, l.made_at) else l.earlier_made_at end,
         earlier_ids = array(
           select unnest(l.earlier_ids || l.physical_id)
           union select jsonb_array_elements_text($14::jsonb -> l.name)
           except select coalesce($12::jsonb ->> l.name, l.physical_id)
           except select null
         )
       where l.tenant_id = $1 and l.step_id = $2 and l.name = any ($13::text[])
     ), event as (
       insert into events (cell, tenant_id, operation_id, type, step_id, data)
       select cell, tenant_id, operation_id, case when $7 = 'ready' then 'step.ready' else 'step.pending' end, step_id,
         case when $7 = 'ready' then jsonb_build_object('durationMs', round(extract(epoch from now() - started_at) * 1000))
           else jsonb_strip_nulls(jsonb_build_object('detail', $11::text)) end
       from step
     )
     select from step`,
    [
      key.tenantId,
      key.stepId,
      key.operationId,
      key.generation,
      made.intent.unclearUntil,
      made.intent.unclearBefore,
      made.state,
      json(made.outputs),
      made.outputsHash,
      made.inputsHash,
      made.detail ?? null,
      json(made.physicalIds),
      made.resources.map((r) => r.name),
      json(made.earlierIds),
      made.anew.map((r) => `${r.type} ${r.name}`),
    ],
  );
  return rowCount === 1;
}

/** Some of a step's resources are made for sure, whatever becomes of the others; one that was so before keeps its time. */
export async function recordPartsMade(
  db: Queryable,
  { tenantId, stepId }: Pick<StepKey, 'tenantId' | 'stepId'>,
  resources: readonly { readonly type: string; readonly name: string }[],
): Promise<void> {
  await db.query(
    `update ledger l set made_at = coalesce(l.made_at, now()) from unnest($3::text[], $4::text[]) as r (type, name)
     where l.tenant_id = $1 and l.step_id = $2 and l.type = r.type and l.name = r.name`,
    [tenantId, stepId, resources.map((r) => r.type), resources.map((r) => r.name)],
  );
}

/** A ready step with unchanged inputs is not made again: it belongs to this operation and generation, with `step.skipped`. */
export async function recordSkipped(db: Queryable, key: StepKey): Promise<void> {
  await db.query(
    `with step as (
       update steps set operation_id = $3, generation = $4
       where tenant_id = $1 and step_id = $2 and state = 'ready' and (operation_id <> $3 or generation <> $4)
       returning *
     )
     insert into events (cell, tenant_id, operation_id, type, step_id)
     select cell, tenant_id, operation_id, 'step.skipped', step_id from step`,
    [key.tenantId, key.stepId, key.operationId, key.generation],
  );
}

export interface FailedAttempt {
  readonly key: StepKey;
  readonly intent: RecordedIntent | undefined;
  readonly failure: Failure;
  /** The step fails for good with it: `step.failed`. Else only the detail is kept, for people. */
  readonly final: boolean;
  /** Nothing of this attempt can land any more. */
  readonly definite: boolean;
  /** Something of it took effect before it failed: the undo must find it. */
  readonly landed: boolean;
}

/** An attempt that failed. */
export async function recordFailedAttempt(db: Queryable, failed: FailedAttempt): Promise<void> {
  const { key, failure } = failed;
  await db.query(
    `with step as (
       update steps set detail = $7, failure = case when $9::boolean then $8::jsonb else failure end,
         state = case when $12::boolean and state = 'intended' then 'present' else state end,
         unclear_until = case when $11::boolean then ${settledWindow} else unclear_until end
       where tenant_id = $1 and step_id = $2 and operation_id = $3 and generation = $4
         and state in ('intended', 'present', 'ready')
     ), made as (
       -- Of a step that makes several things it is not known which one it was: its kind says so (recordPartsMade).
       update ledger l set made_at = coalesce(l.made_at, now()) where $12::boolean and l.tenant_id = $1 and l.step_id = $2
         and (select count(*) from ledger o where o.tenant_id = $1 and o.step_id = $2) = 1
     )
     insert into events (cell, tenant_id, operation_id, type, step_id, data)
     select $10, $1, $3, 'step.failed', $2, $8::jsonb - 'stepId' where $9::boolean`,
    [
      key.tenantId,
      key.stepId,
      key.operationId,
      key.generation,
      failed.intent?.unclearUntil ?? null,
      failed.intent?.unclearBefore ?? null,
      failure.detail ?? `${failure.code}: ${failure.message}`,
      json(failure),
      failed.final,
      key.cell,
      failed.definite && failed.intent !== undefined,
      failed.landed,
    ],
  );
}

/** How a step was seen ready. */
export interface SeenReady {
  readonly detail: string;
  /** In the place of what was stored when it was made. */
  readonly known?: { readonly outputs: Readonly<Record<string, unknown>>; readonly outputsHash: string } | undefined;
}

/** A step that was made is ready now, with its event; a step that was so already stays without one. */
export async function recordReady(db: Queryable, key: StepKey, { detail, known }: SeenReady): Promise<void> {
  await db.query(
    `with step as (
       update steps set state = 'ready', ready_at = now(), detail = $5, failure = null,
         outputs = coalesce($6::jsonb, outputs), outputs_hash = coalesce($7, outputs_hash)
       where tenant_id = $1 and step_id = $2 and operation_id = $3 and generation = $4 and state = 'present'
       returning *
     ), rows as (
       update ledger l set state = 'ready', updated_at = now() from step s
       where l.tenant_id = s.tenant_id and l.step_id = s.step_id and l.state = 'present'
     )
     insert into events (cell, tenant_id, operation_id, type, step_id, data)
     select cell, tenant_id, operation_id, 'step.ready', step_id,
       jsonb_build_object('durationMs', round(extract(epoch from now() - started_at) * 1000)) from step`,
    [
      ...[key.tenantId, key.stepId, key.operationId, key.generation, detail],
      ...[known ? JSON.stringify(known.outputs) : null, known?.outputsHash ?? null],
    ],
  );
}
