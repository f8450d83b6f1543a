import type { Database, Queryable } from '../db/database.ts';
import type { StepDifference } from '../plan/differences.ts';
import type { StepPlan } from '../plan/plan.ts';
import type { PreviewedStepView } from './views.ts';

/** Rolls the transaction back without being a failure. */
class PreviewedSignal<T> extends Error {
  readonly seen: T;
  constructor(seen: T) {
    super('a preview changes nothing');
    this.seen = seen;
  }
}

/** Does what a request would do, with everything that would refuse it, and takes it back: nothing is written. */
export async function inVain<T>(
  database: Pick<Database, 'transaction'>,
  fn: (tx: Queryable) => Promise<T>,
): Promise<T> {
  let seen: PreviewedSignal<T> | undefined;
  try {
    return await database.transaction(async (tx) => {
      throw (seen = new PreviewedSignal(await fn(tx)));
    });
  } catch (error) {
    if (seen === undefined || error !== seen) throw error;
    return seen.seen;
  }
}

/** What would become of each step, in the order of the walk, with the fields that would be others. */
export function previewedSteps(plan: readonly StepPlan[], differences: readonly StepDifference[]): PreviewedStepView[] {
  const fieldsOf = new Map(differences.map(({ stepId, fields }) => [stepId, fields]));
  return plan.map(({ id: stepId, kind, becomes }) => ({ stepId, kind, becomes, fields: fieldsOf.get(stepId) ?? [] }));
}
