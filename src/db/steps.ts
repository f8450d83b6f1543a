import { z } from 'zod';
import {
  failure,
  finalDump,
  operationState,
  operationType,
  optionalTime,
  residues,
  tenantStatus,
  time,
  uuid,
} from './columns.ts';
import type { Queryable } from './database.ts';
import { ledgerStates } from './ledger.ts';
import { rowOf, rowsOf } from './rows.ts';

const outputs = z.record(z.string(), z.unknown());
const notes = z.record(z.string(), z.string());

/** What a step was when its operation succeeded last. */
const applied = z.object({
  outputs: outputs.nullable(),
  outputsHash: z.string().nullable(),
  inputsHash: z.string().nullable(),
});
export type AppliedStep = z.output<typeof applied>;

const stepRow = z.object({
  tenantId: uuid,
  stepId: z.string(),
  kind: z.string(),
  operationId: uuid,
  state: z.enum(ledgerStates),
  generation: z.number(),
  inputsHash: z.string().nullable(),
  outputs: outputs.nullable(),
  outputsHash: z.string().nullable(),
  applied: applied.nullable(),
  unclearUntil: optionalTime,
  startedAt: time,
  readyAt: optionalTime,
  removingAt: optionalTime,
  removedAt: optionalTime,
  /** What its removal noted. */
  removal: notes.nullable(),
  /** What its removal left for a while, where the ledger has no resource of it. */
  residues: residues.nullable(),
  detail: z.string().nullable(),
  failure: failure.nullable(),
});
/** What is known of one step of a tenant across attempts, retries and operations. */
export type StepRow = z.output<typeof stepRow>;

const columns = `tenant_id as "tenantId", step_id as "stepId", kind, operation_id as "operationId", state, generation,
  inputs_hash as "inputsHash", outputs, outputs_hash as "outputsHash", applied, unclear_until as "unclearUntil",
  started_at as "startedAt", ready_at as "readyAt", removing_at as "removingAt", removed_at as "removedAt", removal, residues, detail, failure`;

/** Whether it is otherwise than what was applied: an operation changed it that did not succeed. */
export function isAltered({ applied: before, inputsHash }: Pick<StepRow, 'applied' | 'inputsHash'>): boolean {
  return before !== null && before.inputsHash !== inputsHash;
}

/** Steps of a tenant, in the order in which they were begun. */
export async function listSteps(db: Queryable, tenantId: string): Promise<StepRow[]> {
  return rowsOf(
    stepRow,
    await db.query(`select ${columns} from steps where tenant_id = $1 order by started_at, step_id`, [tenantId]),
  );
}

const operationContext = z.object({
  operationState,
  operationType,
  /** Null: none is owed. */
  finalDump: finalDump.nullable(),
  refreshes: z.boolean(),
  acceptedAt: time,
  cell: z.string(),
  tenantId: uuid,
  product: z.string(),
  tier: z.string().nullable(),
  slug: z.string(),
  displayName: z.string(),
  hostName: z.string().nullable(),
  status: tenantStatus,
  activatedAt: optionalTime,
  places: z.array(z.object({ kind: z.string(), scope: z.string(), key: z.string(), stepId: z.string().nullable() })),
  steps: z.array(
    z.object({
      stepId: z.string(),
      state: z.enum(ledgerStates),
      generation: z.number(),
      operationId: uuid,
      inputsHash: z.string().nullable(),
      outputs: outputs.nullable(),
      outputsHash: z.string().nullable(),
      applied: applied.nullable(),
      removingAt: z.coerce.date().nullable(),
      unclearUntil: z.coerce.date().nullable(),
      /** An effect of a lost answer may land still, by the database's clock. */
      isUnclear: z.boolean(),
      removal: notes.nullable(),
    }),
  ),
});
/** All that a verb needs to know besides the blueprint: operation, tenant, and the tenant's steps. */
export type OperationContext = z.output<typeof operationContext>;

/** Reads it in one round trip; undefined when there is no such operation. */
export async function findOperationContext(db: Queryable, operationId: string): Promise<OperationContext | undefined> {
  return rowOf(
    operationContext,
    await db.query(
      `select o.state as "operationState", o.type as "operationType", o.refreshes, o.final_dump as "finalDump", o.accepted_at as "acceptedAt", o.cell, t.id as "tenantId", t.product, t.tier, t.slug,
         t.display_name as "displayName", t.host_name as "hostName", t.status, t.activated_at as "activatedAt",
         coalesce((select jsonb_agg(jsonb_build_object('kind', a.kind, 'scope', a.scope, 'key', a.key, 'stepId', a.step_id))
           from allocations a where a.tenant_id = t.id), '[]') as places,
         coalesce((select jsonb_agg(jsonb_build_object(
           'stepId', s.step_id, 'state', s.state, 'generation', s.generation, 'operationId', s.operation_id,
           'inputsHash', s.inputs_hash, 'outputs', s.outputs, 'outputsHash', s.outputs_hash,
           'applied', s.applied, 'removingAt', s.removing_at, 'unclearUntil', s.unclear_until, 'isUnclear', coalesce(s.unclear_until > now(), false), 'removal', s.removal)) from steps s where s.tenant_id = t.id), '[]') as steps
       from operations o join tenants t on t.id = o.tenant_id where o.id = $1`,
      [operationId],
    ),
  );
}

const attemptStates = z.object({
  operationState,
  operationType,
  stepState: z.enum(ledgerStates).nullable(),
  /** Of the operation's last attempt at the step; null: another operation's was the last. */
  generation: z.number().nullable(),
});

/** What decides whether an attempt may still change something. */
export async function findAttemptStates(
  db: Queryable,
  key: { operationId: string; stepId: string },
): Promise<z.output<typeof attemptStates> | undefined> {
  return rowOf(
    attemptStates,
    await db.query(
      `select o.state as "operationState", o.type as "operationType", s.state as "stepState",
         case when s.operation_id = o.id then s.generation end as generation
       from operations o left join steps s on s.tenant_id = o.tenant_id and s.step_id = $2 where o.id = $1`,
      [key.operationId, key.stepId],
    ),
  );
}

/** What stands now is what was asked for: an undo of a later operation walks back to it. */
export async function recordApplied(tx: Queryable, tenantId: string): Promise<void> {
  await tx.query(
    `update steps set applied = jsonb_build_object('outputs', outputs, 'outputsHash', outputs_hash, 'inputsHash', inputs_hash)
     where tenant_id = $1 and state = 'ready'`,
    [tenantId],
  );
}

/** A step of an operation, as every change of it is addressed. */
export interface StepKey {
  readonly tenantId: string;
  readonly cell: string;
  readonly operationId: string;
  readonly stepId: string;
  readonly kind: string;
  readonly generation: number;
  /** Brought back to what the applied blueprint says of it. */
  readonly goesBack?: true | undefined;
}
