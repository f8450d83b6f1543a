import { z } from 'zod';
import type { Failure } from '../contracts/errors.ts';
import { ISOLATION_STEP } from '../contracts/isolation.ts';
import type { Leftover, LeftoverCondition, NotRestored } from '../contracts/messages.ts';
import { operationTable, removingStateOf } from '../contracts/operation-table.ts';
import type { Queryable } from './database.ts';
import { listNotRemoved } from './ledger.ts';
import { findAppliedBlueprint } from './blueprints.ts';
import { findBlueprint, findLastOperation, type OperationRow } from './operations.ts';
import { isAltered, listSteps, type StepRow } from './steps.ts';

/**
 * Exactly what of a tenant is not as it is to be, each thing with why. What is left is what is still there: its resources by the ledger, and the steps that
 * have no resource of their own and could not be taken back (`validate` holds a slug, and makes nothing). What an operation of
 * an active tenant leaves in place is not left over: it is listed where it is not as it was applied, or was not looked at.
 * @param toRestore steps that a run is still to bring back, whatever the ledger says of them
 */
export async function listLeftovers(
  db: Queryable,
  tenantId: string,
  toRestore: readonly NotRestored[] = [],
): Promise<Leftover[]> {
  const newest = await findLastOperation(db, tenantId);
  const staying = newest ? await stayingSteps(db, newest) : new Set<string>();
  const rows = (await listNotRemoved(db, tenantId)).filter(({ stepId }) => !staying.has(stepId));
  const all = (await listSteps(db, tenantId)).filter((step) => step.state !== 'removed');
  const steps = all.filter(({ stepId }) => !staying.has(stepId));
  const isBehind = newest !== undefined && removingStateOf(newest) === 'rolling-back';
  const changed = all.filter(
    (step) => staying.has(step.stepId) && (step.state !== 'ready' || (isBehind && isAltered(step))),
  );
  const order = newest ? orderOf(await findBlueprint(db, newest.id)) : [];
  const byId = new Map(steps.map((step) => [step.stepId, step]));
  const why = (stepId: string, failure: Failure | null) => reasonFor(byId, order, stepId, failure);
  const resources = rows.map((row) => ({
    stepId: row.stepId,
    type: row.type,
    name: row.name,
    physicalId: row.physicalId ?? undefined,
    condition: 'left' as const,
    ...why(row.stepId, row.failure),
  }));
  const listed = new Set(rows.map((row) => row.stepId));
  const bare = steps.filter((step) => step.state === 'removing' && !listed.has(step.stepId));
  return [
    ...resources,
    ...bare.map((step) => ({
      stepId: step.stepId,
      type: step.kind,
      name: step.stepId,
      condition: 'left' as const,
      ...why(step.stepId, step.failure),
    })),
    ...changed.map(({ stepId, kind, failure }) => ({
      stepId,
      type: kind,
      name: stepId,
      ...(failure ? { code: failure.code } : {}),
      condition: conditionOf(failure),
      reason: `it is not as it was before${failure ? `: ${reasonOf(failure)}` : ''}`,
    })),
    ...notRestored({ newest, toRestore, all, staying, order }, new Set(changed.map(({ stepId }) => stepId))),
  ];
}

interface RestoreFacts {
  readonly newest: OperationRow | undefined;
  readonly toRestore: readonly NotRestored[];
  readonly all: readonly StepRow[];
  readonly staying: ReadonlySet<string>;
  readonly order: Order;
}

/** By the run that is stuck with them: the ledger does not show an attempt that was refused before it changed anything. */
function notRestored(
  { newest, toRestore, all, staying, order }: RestoreFacts,
  listed: ReadonlySet<string>,
): Leftover[] {
  const kinds = new Map(all.map(({ stepId, kind }) => [stepId, kind]));
  const waiting = new Set(toRestore.map(({ stepId }) => stepId));
  const now = toRestore.map(({ stepId, failure }): Leftover => ({
    stepId,
    type: kinds.get(stepId) ?? 'step',
    name: stepId,
    ...(failure ? { code: failure.code } : {}),
    condition: failure ? conditionOf(failure) : 'not-looked-at',
    reason: failure
      ? `it was not brought back to what was applied: ${reasonOf(failure)}`
      : notLookedAt(order.find(({ id }) => id === stepId)?.needs.filter((id) => waiting.has(id)) ?? []),
  }));
  const said = (newest?.leftovers ?? []).filter(({ stepId }) => staying.has(stepId));
  return (now.length > 0 ? now : said).filter(({ stepId }) => !listed.has(stepId));
}

function notLookedAt(after: readonly string[]): string {
  const why = after.length > 0 ? `it comes after ${after.join(', ')}` : 'the operation stopped before it';
  return `not looked at, so it may be as it was applied: ${why}`;
}

function conditionOf(failure: Failure | null): LeftoverCondition {
  return failure?.code === 'DATA_LOST' ? 'missing' : 'changed';
}

/** Steps that the newest operation leaves in place, as far as it has come. */
async function stayingSteps(db: Queryable, operation: OperationRow): Promise<Set<string>> {
  const { id, tenantId, type } = operation;
  if (operationTable[type].target === 'nothing') return new Set();
  const isCommitted = removingStateOf(operation) === 'committing';
  const steps = isCommitted
    ? orderOf(await findBlueprint(db, id)).filter(({ transient }) => transient !== true)
    : ((await findAppliedBlueprint(db, tenantId))?.steps ?? []);
  // The notice of an isolated tenant stays as long as the tenant does.
  return new Set([...steps.map((step) => step.id), ...(steps.length > 0 ? [ISOLATION_STEP] : [])]);
}

const orderedSteps = z.array(
  z.object({
    id: z.string(),
    needs: z.array(z.string()),
    removeAfter: z.array(z.string()).optional(),
    transient: z.boolean().optional(),
  }),
);
type Order = z.output<typeof orderedSteps>;

/** A blueprint that cannot be read says nothing about the order: the list itself must come all the same. */
function orderOf(blueprint: unknown): Order {
  return z.object({ steps: orderedSteps }).safeParse(blueprint).data?.steps ?? [];
}

function reasonFor(
  steps: ReadonlyMap<string, StepRow>,
  order: Order,
  stepId: string,
  failure: Failure | null,
): Pick<Leftover, 'reason' | 'code'> {
  if (failure) return { code: failure.code, reason: reasonOf(failure) };
  const before = [
    ...order.filter((step) => step.needs.includes(stepId)).map((step) => step.id),
    ...(order.find((step) => step.id === stepId)?.removeAfter ?? []),
  ].filter((id) => steps.has(id));
  if (before.length > 0) return { reason: `not tried: it goes after ${before.join(', ')}` };
  const begun = steps.get(stepId)?.state === 'removing';
  return { reason: begun ? 'its removal was begun and has no result' : 'still present, its removal was not begun' };
}

function reasonOf({ code, message, detail }: Failure): string {
  return `${code}: ${message}${detail === undefined ? '' : ` (${detail})`}`;
}
