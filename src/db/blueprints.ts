import { z } from 'zod';
import type { Blueprint, Step } from '../contracts/blueprint.ts';
import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import { madeTrue } from './applied.ts';
import { blueprintSchema, stepSchema } from './blueprint-column.ts';
import { json, operationType, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { withoutTransient } from '../plan/transient-steps.ts';
import { rowOf, rowsOf } from './rows.ts';

const succeeded = z.object({ id: uuid, type: operationType, blueprint: blueprintSchema });

/**
 * The applied blueprint of a tenant: what its last successful operation made true, or one that was abandoned past its point of no
 * return, without its transient steps. Undefined before the first success, and once the tenant is removed (docs/adr/0013-the-applied-blueprint.md).
 */
export async function findAppliedBlueprint(db: Queryable, tenantId: string): Promise<Blueprint | undefined> {
  return (await findApplied(db, tenantId))?.blueprint;
}

/** The same, with the operation whose it is. */
export async function findApplied(
  db: Queryable,
  tenantId: string,
): Promise<{ readonly operationId: string; readonly blueprint: Blueprint } | undefined> {
  const answer = await db.query(
    `select id, type, blueprint from operations o where tenant_id = $1 and ${madeTrue('o')}
     order by closed_at desc, accepted_at desc limit 1`,
    [tenantId],
  );
  const last = rowOf(succeeded, answer);
  if (!last || operationTable[last.type].target === 'nothing') return undefined;
  return { operationId: last.id, blueprint: { ...last.blueprint, steps: withoutTransient(last.blueprint.steps) } };
}

/** Of each of these steps the newest definition that a run of the tenant may have worked by; what no blueprint names is left out. */
export async function listStepDefinitions(
  db: Queryable,
  tenantId: string,
  stepIds: readonly string[],
): Promise<Step[]> {
  if (stepIds.length === 0) return [];
  const answer = await db.query(
    `select distinct on (step ->> 'id') step
     from operations o cross join lateral jsonb_array_elements(o.blueprint -> 'steps') step
     where o.tenant_id = $1 and o.claimed_at is not null and step ->> 'id' = any ($2)
     order by step ->> 'id', o.accepted_at desc`,
    [tenantId, [...stepIds]],
  );
  return rowsOf(z.object({ step: stepSchema }), answer).map(({ step }) => step);
}

const makingTypes = operationTypes.filter((type) => operationTable[type].target === 'desired');
const maker = z.object({ type: operationType, isCommitted: z.boolean(), acceptedAt: time });

/** The change that made a step, or was to make it, last: the newest that names it. Undefined: none does. */
export async function findMaker(
  db: Queryable,
  tenantId: string,
  stepId: string,
): Promise<z.output<typeof maker> | undefined> {
  const answer = await db.query(
    `select type, committed_at is not null as "isCommitted", accepted_at as "acceptedAt" from operations
     where tenant_id = $1 and claimed_at is not null and type = any ($3) and blueprint -> 'steps' @> $2
     order by accepted_at desc limit 1`,
    [tenantId, json([{ id: stepId }]), makingTypes],
  );
  return rowOf(maker, answer);
}

const movingTypes = makingTypes.filter((type) => operationTable[type].dropsData);

/**
 * Whether the tenant's data is elsewhere than in a step that an abandoned change of tier left behind: the change was past its commit
 * and did without it, or made it and never came to its commit.
 */
export async function holdsNothingOfUse(
  db: Queryable,
  { tenantId, stepId }: { readonly tenantId: string; readonly stepId: string },
): Promise<boolean> {
  const applied = await findAppliedBlueprint(db, tenantId);
  if (!applied || applied.steps.some(({ id }) => id === stepId)) return false;
  const made = await findMaker(db, tenantId, stepId);
  if (!made) return false;
  if (operationTable[made.type].dropsData && !made.isCommitted) return true;
  const answer = await db.query(
    `select from operations where tenant_id = $1 and type = any ($2) and committed_at is not null and accepted_at > $3 limit 1`,
    [tenantId, movingTypes, made.acceptedAt],
  );
  return answer.rowCount === 1;
}
