import { FINALIZE_STEP, type Becomes, type PlannedStep } from '../contracts/blueprint.ts';
import { downwardEdges, inOrder } from './graph.ts';
import { withoutSteps } from './remaining-steps.ts';
import { orderOut } from './transient-steps.ts';

export type StepPlan = PlannedStep & { readonly becomes: Becomes };

export interface PlanInput {
  /** Steps that are to be there in the end; none: nothing is to stay. */
  readonly target: readonly PlannedStep[];
  /** Definitions of all steps that the ledger may hold and of those between them, of each the newest, whatever blueprint it is from. */
  readonly known: readonly PlannedStep[];
  /** Steps that were begun and are not removed, with whether they are ready. */
  readonly held: ReadonlyMap<string, { readonly kind: string; readonly isReady: boolean }>;
  /** Steps that the applied blueprint holds: none of them is made anew. Default: none is applied. */
  readonly applied?: ReadonlySet<string> | undefined;
  /** Of these, those that are not as the target wants them ({@link stepsToChange}). */
  readonly changed?: ReadonlySet<string> | undefined;
  /** What would be kept is brought to what was applied: somebody may have changed or deleted it. */
  readonly restoresKept?: boolean | undefined;
  /** The target is made already, and only what it does not hold is still to be dropped. */
  readonly isFinished?: boolean | undefined;
}

const none: ReadonlySet<string> = new Set();

/**
 * What leads from what the ledger holds to a target. The target's steps that are not ready are made, as are those that an operation
 * made which did not succeed (nobody knows by which definition, nor what became of them), those that are not as it
 * wants them changed, and the others kept, in an order in which each comes after those that it needs; then what the target does not hold is dropped, each after those that
 * need it and after its `removeAfter`, which name drops only. The commit made nothing and is never dropped. Transient steps of the
 * target are made again, however they look, and past the commit the run removes them with the drops; once it is finished they are drops.
 */
export function planTo({
  target,
  known,
  held,
  applied = none,
  changed = none,
  restoresKept,
  isFinished = false,
}: PlanInput): StepPlan[] {
  const goal = isFinished ? target.filter(({ transient }) => transient !== true) : target;
  const staying = new Set(goal.map(({ id }) => id));
  const going = new Set([...held.keys()].filter((id) => !staying.has(id) && id !== FINALIZE_STEP));
  const becomes = (id: string): Becomes => {
    // By what was applied, also where an attempt before this one broke off: its template may be gone by now.
    const isOnlyRestored = restoresKept === true && applied.has(id) && held.has(id) && !changed.has(id);
    if (isOnlyRestored && id !== FINALIZE_STEP) return 'restore';
    const isUnknown = applied.size > 0 && !applied.has(id) && id !== FINALIZE_STEP && !isFinished;
    if (held.get(id)?.isReady === true && !changed.has(id) && !isUnknown) return 'keep';
    // What is applied and lost its readiness is brought to the target in its place: an undo does not remove it.
    return applied.has(id) && held.has(id) ? 'change' : 'make';
  };
  const stays = sorted(goal, upward(goal)).map((step): StepPlan => ({
    ...step,
    becomes: becomes(step.id),
  }));
  // What stays is nothing that a drop could wait for.
  const others = defined({ known, held }).filter(({ id }) => !staying.has(id));
  const drops = inWayOut(goal, dropsIn(others, going));
  return [...stays, ...drops.map((step): StepPlan => ({ ...step, becomes: 'drop' }))];
}

/** A transient step may need one that is dropped. */
function upward(goal: readonly PlannedStep[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Set(goal.map(({ id }) => id));
  return new Map(goal.map(({ id, needs }) => [id, needs.filter((need) => ids.has(need))]));
}

/** What an operation before left in an order of its own gives way to that of the transient steps. */
function inWayOut(goal: readonly PlannedStep[], drops: readonly PlannedStep[]): readonly PlannedStep[] {
  if (!goal.some(({ transient }) => transient === true)) return drops;
  try {
    orderOut(goal, drops);
    return drops;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return drops.map((step) => ({ ...step, needs: [], removeAfter: undefined }));
  }
}

/** All definitions: of a row of the ledger that no blueprint names at least its kind is known. */
function defined({ known, held }: Pick<PlanInput, 'known' | 'held'>): PlannedStep[] {
  const ofRows = [...held].map(([id, { kind }]): PlannedStep => ({ id, kind, needs: [] }));
  return [...new Map([...ofRows, ...known].map((step) => [step.id, step])).values()];
}

/**
 * Definitions from several blueprints may wait for each other on the way down by their `removeAfter`, and by what a transient step
 * needs of another blueprint. Their other needs cannot: of each step the newest definition is known, and it needs only what its
 * blueprint held. So transient steps do not wait for what stays in a change any more, then nothing is ordered by `removeAfter`.
 */
function dropsIn(others: readonly PlannedStep[], going: ReadonlySet<string>): PlannedStep[] {
  const gone = new Set(others.map(({ id }) => id).filter((id) => !going.has(id)));
  const among = (steps: readonly PlannedStep[]) => {
    const drops = withoutSteps(withinThemselves(steps), gone);
    return sorted(drops, downwardEdges(drops, going));
  };
  const waysOut = [others, transientFirst(others), withoutOrder(others)];
  for (const steps of waysOut) {
    try {
      return among(steps);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return among(withoutOrder(transientFirst(others)));
}

function transientFirst(steps: readonly PlannedStep[]): PlannedStep[] {
  const transient = new Set(steps.filter((step) => step.transient === true).map(({ id }) => id));
  const isKept = (step: PlannedStep) => (id: string) => step.transient === true || !transient.has(id);
  return steps.map((step) => ({ ...step, needs: step.needs.filter(isKept(step)) }));
}

function withoutOrder(steps: readonly PlannedStep[]): PlannedStep[] {
  return steps.map((step) => ({ ...step, removeAfter: undefined }));
}

/** The steps without edges that lead out of them. */
function withinThemselves(steps: readonly PlannedStep[]): PlannedStep[] {
  const ids = new Set(steps.map(({ id }) => id));
  return steps.map((step) => ({
    ...step,
    needs: step.needs.filter((id) => ids.has(id)),
    removeAfter: step.removeAfter?.filter((id) => ids.has(id)),
  }));
}

function sorted(steps: readonly PlannedStep[], edges: ReadonlyMap<string, readonly string[]>): PlannedStep[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  return inOrder(edges).flatMap((id) => byId.get(id) ?? []);
}
