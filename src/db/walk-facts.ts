import type { Step } from '../contracts/blueprint.ts';
import { operationTable } from '../contracts/operation-table.ts';
import type { Direction } from '../plan/operation-walk.ts';
import type { IsRemovedAgain, WalkFacts } from '../plan/walk.ts';
import { findAppliedBlueprint, listStepDefinitions } from './blueprints.ts';
import type { Queryable } from './database.ts';
import type { OperationRow } from './operations.ts';
import { isAltered, listSteps, type StepRow } from './steps.ts';

/** What of a tenant's steps a walk takes otherwise than as they stand. */
interface WalkedSteps {
  /** The operation whose steps are to be taken back, on that way. */
  readonly goesBack?: string | undefined;
  /** Which removed steps are walked all the same. Default: none. */
  readonly isRemovedAgain?: ((step: StepRow) => boolean) | undefined;
}

/** What a walk of a tenant is computed from, beside the blueprints. */
export async function findWalkFacts(
  db: Queryable,
  tenantId: string,
  { own, applied }: { readonly own: readonly Step[]; readonly applied: readonly Step[] },
  { goesBack, isRemovedAgain }: WalkedSteps = {},
): Promise<WalkFacts> {
  const begun = (await listSteps(db, tenantId)).filter((step) => step.state !== 'removed' || isRemovedAgain?.(step));
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

/**
 * The same of an operation that is open, in one direction.
 * @param own steps of its blueprint
 * @param isRemovedAgain asked where it removes everything
 */
export async function findOperationFacts(
  db: Queryable,
  { id, tenantId, type }: Pick<OperationRow, 'id' | 'tenantId' | 'type'>,
  own: readonly Step[],
  direction: Direction,
  isRemovedAgain: IsRemovedAgain,
): Promise<WalkFacts> {
  if (operationTable[type].target === 'nothing') {
    const isLate = ({ kind, operationId }: StepRow) => operationId !== id && isRemovedAgain(kind);
    return findWalkFacts(db, tenantId, { own, applied: [] }, { isRemovedAgain: isLate });
  }
  const applied = (await findAppliedBlueprint(db, tenantId))?.steps ?? [];
  return findWalkFacts(db, tenantId, { own, applied }, { goesBack: direction === 'back' ? id : undefined });
}
