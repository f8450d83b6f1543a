import type { Step } from '../contracts/blueprint.ts';
import { operationTable } from '../contracts/operation-table.ts';
import type { Direction } from '../plan/operation-walk.ts';
import type { WalkFacts } from '../plan/walk.ts';
import { findAppliedBlueprint, listStepDefinitions } from './blueprints.ts';
import type { Queryable } from './database.ts';
import type { OperationRow } from './operations.ts';
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

/** The same of an operation that is open, in one direction. @param own steps of its blueprint */
export async function findOperationFacts(
  db: Queryable,
  { id, tenantId, type }: Pick<OperationRow, 'id' | 'tenantId' | 'type'>,
  own: readonly Step[],
  direction: Direction,
): Promise<WalkFacts> {
  const hasWayBack = operationTable[type].target !== 'nothing';
  const applied = hasWayBack ? ((await findAppliedBlueprint(db, tenantId))?.steps ?? []) : [];
  return findWalkFacts(db, tenantId, { own, applied }, direction === 'back' ? id : undefined);
}
