import { FINALIZE_STEP, type Becomes, type PlannedStep } from '../contracts/blueprint.ts';
import { downwardEdges, inOrder } from './graph.ts';
import { withoutSteps } from './remaining-steps.ts';

export type StepPlan = PlannedStep & { readonly becomes: Becomes };

export interface PlanInput {
  /** Steps that are to be there in the end; none: nothing is to stay. */
  readonly target: readonly PlannedStep[];
  /** Definitions of all steps that the ledger may hold and of those between them, whatever blueprint they are from. */
  readonly known: readonly PlannedStep[];
  /** Steps that were begun and are not removed, with whether they are ready. */
  readonly held: ReadonlyMap<string, { readonly kind: string; readonly isReady: boolean }>;
}

/**
 * What leads from what the ledger holds to a target. The target's steps that are not ready are made and the others kept, in an
 * order in which each comes after those that it needs; then what the target does not hold is dropped, each after those that
 * need it and after its `removeAfter`, which name drops only. The commit made nothing and is never dropped.
 */
export function planTo({ target, known, held }: PlanInput): StepPlan[] {
  const staying = new Set(target.map(({ id }) => id));
  const going = new Set([...held.keys()].filter((id) => !staying.has(id) && id !== FINALIZE_STEP));
  const stays = sorted(target, new Map(target.map(({ id, needs }) => [id, needs]))).map((step): StepPlan => ({
    ...step,
    becomes: held.get(step.id)?.isReady === true ? 'keep' : 'make',
  }));
  const drops = dropsIn(defined({ target, known, held }), going);
  return [...stays, ...drops.map((step): StepPlan => ({ ...step, becomes: 'drop' }))];
}

/** The definitions that count: the target's own, and for a row of the ledger that no blueprint names at least its kind. */
function defined({ target, known, held }: PlanInput): PlannedStep[] {
  const ofRows = [...held].map(([id, { kind }]): PlannedStep => ({ id, kind, needs: [] }));
  const byId = new Map([...ofRows, ...known, ...target].map((step) => [step.id, step]));
  return [...byId.values()];
}

/**
 * Definitions from several blueprints may wait for each other on the way down by their `removeAfter`. Their needs alone cannot:
 * of each step the newest definition is known, and it needs only what its blueprint held.
 */
function dropsIn(all: readonly PlannedStep[], going: ReadonlySet<string>): PlannedStep[] {
  const others = new Set(all.map(({ id }) => id).filter((id) => !going.has(id)));
  const drops = withoutSteps(all, others);
  try {
    return sorted(drops, downwardEdges(drops, going));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const byNeeds = withoutSteps(
      all.map((step) => ({ ...step, removeAfter: undefined })),
      others,
    );
    return sorted(byNeeds, downwardEdges(byNeeds, going));
  }
}

function sorted(steps: readonly PlannedStep[], edges: ReadonlyMap<string, readonly string[]>): PlannedStep[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  return inOrder(edges).flatMap((id) => byId.get(id) ?? []);
}
