import { blueprintProblems, type Blueprint, type KindFacts } from '../contracts/blueprint.ts';
import { blueprintSchema } from '../db/blueprint-column.ts';
import type { Queryable } from '../db/database.ts';
import { findBlueprint } from '../db/operations.ts';
import { StepError } from '../contracts/step-error.ts';
import type { ActivityDependencies } from './dependencies.ts';

const capacity = 500;

export type BlueprintOf = (operationId: string) => Promise<Blueprint>;

/** Blueprints by operation: snapshots never change, and a worker needs each one many times. */
export function createBlueprintCache({
  database,
  kinds,
}: Pick<ActivityDependencies, 'database' | 'kinds'>): BlueprintOf {
  const cached = new Map<string, Blueprint>();
  return async (operationId) => {
    const known = cached.get(operationId);
    if (known) return known;
    const blueprint = await loadBlueprint(database, operationId, kinds);
    const [oldest] = cached.keys();
    if (cached.size >= capacity && oldest !== undefined) cached.delete(oldest);
    cached.set(operationId, blueprint);
    return blueprint;
  };
}

/** The stored blueprint, checked. @throws StepError BLUEPRINT_INVALID with all that is wrong as its detail */
export async function loadBlueprint(db: Queryable, operationId: string, kinds: KindFacts): Promise<Blueprint> {
  const parsed = blueprintSchema.safeParse(await findBlueprint(db, operationId));
  const problems = parsed.success
    ? blueprintProblems(parsed.data, kinds)
    : parsed.error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`);
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new StepError('BLUEPRINT_INVALID', `the blueprint of operation ${operationId} cannot run`, {
    detail: problems.join('; ').slice(0, 2_000),
  });
}
