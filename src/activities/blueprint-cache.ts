import type { z } from 'zod';
import { graphProblems, type Blueprint, type KindFacts } from '../contracts/blueprint.ts';
import { blueprintSchema } from '../db/blueprint-column.ts';
import type { Queryable } from '../db/database.ts';
import { findBlueprint } from '../db/operations.ts';
import { StepError } from '../contracts/step-error.ts';
import { keepRecent } from '../recent-keys.ts';
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
    keepRecent(cached, operationId, blueprint, capacity);
    return blueprint;
  };
}

/**
 * The stored blueprint, checked but for what its kinds say of it.
 * @throws StepError BLUEPRINT_INVALID with all that is wrong as its detail; WORKER_LACKS_KIND when a later release wrote it
 */
export async function loadBlueprint(db: Queryable, operationId: string, kinds: KindFacts): Promise<Blueprint> {
  const parsed = blueprintSchema.safeParse(await findBlueprint(db, operationId));
  const issues = parsed.error?.issues ?? [];
  const problems = parsed.success ? graphProblems(parsed.data, kinds) : issues.map(textOf);
  if (parsed.success && problems.length === 0) return parsed.data;
  const detail = problems.join('; ').slice(0, 2_000);
  if (issues.length > 0 && issues.every(isOfLaterRelease))
    throw new StepError('WORKER_LACKS_KIND', `a later release wrote the blueprint of operation ${operationId}`, {
      detail,
    });
  throw new StepError('BLUEPRINT_INVALID', `the blueprint of operation ${operationId} cannot run`, { detail });
}

function textOf({ path, message }: z.core.$ZodIssue): string {
  return `${path.join('.') || '(root)'}: ${message}`;
}

/** Releases add fields to blueprints, and may number their shape anew. */
function isOfLaterRelease({ code, path }: z.core.$ZodIssue): boolean {
  return code === 'unrecognized_keys' || (code === 'invalid_value' && path.join('.') === 'version');
}
