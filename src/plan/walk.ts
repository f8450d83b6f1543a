import type { PlannedStep, Step } from '../contracts/blueprint.ts';
import type { KindLimits } from '../contracts/verbs.ts';
import { stepsToChange } from './changes.ts';
import { planTo, type StepPlan } from './plan.ts';
import { definitionsForDrops } from './transient-steps.ts';

/** A step that was begun and is not removed. */
export interface HeldStep {
  readonly stepId: string;
  readonly kind: string;
  readonly isReady: boolean;
  /** It is otherwise than what was applied: an operation changed it that did not succeed. */
  readonly isAltered: boolean;
}

/** All that a walk is computed from; the same for the run that takes it and for whoever asks beforehand what it would do. */
export interface WalkFacts {
  /** Steps of the operation's own blueprint. */
  readonly own: readonly Step[];
  /** Of the blueprint that was made true last; none while there is none, or no way back. */
  readonly applied: readonly Step[];
  /** Definitions of held steps that neither of them names. */
  readonly older: readonly Step[];
  readonly held: readonly HeldStep[];
}

export type LimitsOf = (kind: string) => KindLimits | undefined;

/** Whether a deletion removes steps of a kind again that an earlier operation removed: what others make may have come since. */
export type IsRemovedAgain = (kind: string) => boolean;

/** What more is done on a walk than what the definitions say. */
export interface WalkScope {
  /** Steps that read something outside the blueprint (a template) are walked again. */
  readonly rereads?: boolean | undefined;
  /** Every step is brought to the goal, however it looks: somebody may have changed it. */
  readonly repairs?: boolean | undefined;
  /** Every other step is brought to what was applied, however it looks. */
  readonly restoresKept?: boolean | undefined;
  /** The goal is made already: only the drops are left. */
  readonly isFinished?: boolean | undefined;
}

/** What becomes of each step on the way to a goal. Pure. */
export function walkTo(
  goal: readonly Step[],
  facts: WalkFacts,
  limitsOf: LimitsOf,
  { rereads = false, repairs = false, restoresKept, isFinished }: WalkScope = {},
): StepPlan[] {
  const { own, applied, older, held } = facts;
  // What is restored is so however it looks.
  const altered = new Set(held.filter(({ isAltered }) => isAltered && !restoresKept).map(({ stepId }) => stepId));
  const there = new Set(held.map(({ stepId }) => stepId));
  return planTo({
    target: goal.map((step) => plannedStep(step, limitsOf)),
    known: [...older, ...applied, ...definitionsForDrops(own, there)].map((step) => plannedStep(step, limitsOf)),
    held: new Map(held.map(({ stepId, kind, isReady }) => [stepId, { kind, isReady }])),
    applied: new Set(applied.map(({ id }) => id)),
    changed: stepsToChange({ applied, target: goal, altered, rereads, repairs }),
    restoresKept,
    isFinished,
  });
}

/** The step as the workflow walks it: without its spec, with what its kind says of the walk. */
export function plannedStep({ spec: _spec, ...step }: Step, limitsOf: LimitsOf): PlannedStep {
  const limits = limitsOf(step.kind);
  return limits ? { ...step, limits } : step;
}
