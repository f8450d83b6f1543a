import { FINALIZE_STEP, refsIn, refStep, type Step } from '../contracts/blueprint.ts';
import { isSameJson } from '../contracts/stable-json.ts';

export interface ChangeInput {
  /** What was made true last. */
  readonly applied: readonly Step[];
  readonly target: readonly Step[];
  /** Steps that the ledger has otherwise than the applied blueprint says: an operation changed them that did not succeed. */
  readonly altered: ReadonlySet<string>;
  /** Steps are also brought up to date with what they read outside the blueprint (a template service). */
  readonly rereads: boolean;
  /** Every step is brought to what the target says, whatever is known of it: somebody may have changed what it made. */
  readonly repairs: boolean;
}

/**
 * Steps of the target that are applied, and are not as the target wants them. Whoever refers to what such a step gives is one,
 * too: whether that changes is known only once it is made, and a step whose inputs come out as they were is left alone then.
 */
export function stepsToChange({ applied, target, altered, rereads, repairs }: ChangeInput): ReadonlySet<string> {
  const before = new Map(applied.map((step) => [step.id, step]));
  const common = target.filter(({ id }) => before.has(id) && id !== FINALIZE_STEP);
  const changed = new Set(
    common
      .filter((step) => {
        const old = before.get(step.id);
        return (
          repairs ||
          old === undefined ||
          !isSameWork(old, step) ||
          altered.has(step.id) ||
          (rereads && step.rereads === true)
        );
      })
      .map(({ id }) => id),
  );
  const made = new Set(target.filter(({ id }) => !before.has(id)).map(({ id }) => id));
  for (let size = -1; size !== changed.size;) {
    size = changed.size;
    for (const step of common)
      if (refsIn(step.spec).some((ref) => changed.has(refStep(ref)) || made.has(refStep(ref)))) changed.add(step.id);
  }
  return changed;
}

/** Whether two definitions of a step ask for the same thing; when it is made, and how long that may take, is something else. */
export function isSameWork(some: Step, other: Step): boolean {
  return some.kind === other.kind && isSameJson(some.spec, other.spec);
}
