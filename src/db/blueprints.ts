import { z } from 'zod';
import type { Blueprint, Step } from '../contracts/blueprint.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { madeTrue } from './applied.ts';
import { blueprintSchema, stepSchema } from './blueprint-column.ts';
import { operationType, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

const succeeded = z.object({ id: uuid, type: operationType, blueprint: blueprintSchema });

/**
 * The applied blueprint of a tenant: what its last successful operation made true, or one that was abandoned past its point of no
 * return. Undefined before the first success, and once the tenant is removed (docs/adr/0013-the-applied-blueprint.md).
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
  return { operationId: last.id, blueprint: last.blueprint };
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
