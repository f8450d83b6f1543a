import type { Step } from '../contracts/blueprint.ts';
import type { WalkFacts } from '../plan/walk.ts';
import { listStepDefinitions } from './blueprints.ts';
import type { Queryable } from './database.ts';
import { isAltered, listSteps } from './steps.ts';

/**
 * What a walk of a tenant is computed from, beside the blueprints.
 * @param goesBack the operation whose steps are to be taken back, on that way
 */
export async function findWalkFacts(
  db: Queryable,
  tenantId: string,
  { own, applied }: { readonly own: readonly Step[]; readonly applied: readonly Step[] },
  goesBack?: string,
): Promise<WalkFacts> {
  const begun = (await listSteps(db, tenantId)).filter(({ state }) => state !== 'removed');
  const named = new Set([...own, ...applied].map(({ id }) => id));
  const unnamed = begun.map(({ stepId }) => stepId).filter((id) => !named.has(id));
  return {
    own,
    applied,
    older: await listStepDefinitions(db, tenantId, unnamed),
    held: begun.map((row) => ({
      stepId: row.stepId,
      kind: row.kind,
      isReady: row.state === 'ready',
      // On the way back also what this operation was at.
      isAltered: isAltered(row) || (goesBack !== undefined && row.operationId === goesBack),
    })),
  };
}
