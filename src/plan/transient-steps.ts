import type { Step } from '../contracts/blueprint.ts';
import { ancestorsOf, downwardEdges, inOrder, type Ordered } from './graph.ts';
import { withoutSteps } from './remaining-steps.ts';

/** The steps that stay. What waited for a transient one waits for what that one waited for. */
export function withoutTransient<S extends Ordered>(steps: readonly S[]): readonly S[] {
  return withoutTransientBut(steps, new Set());
}

function withoutTransientBut<S extends Ordered>(steps: readonly S[], kept: ReadonlySet<string>): readonly S[] {
  const gone = new Set(steps.filter((step) => step.transient === true && !kept.has(step.id)).map(({ id }) => id));
  if (gone.size === 0) return steps;
  const ids = new Set(steps.map(({ id }) => id));
  const known = (list: readonly string[]) => list.filter((id) => ids.has(id));
  const within = steps.map((step) =>
    gone.has(step.id)
      ? { ...step, needs: known(step.needs), removeAfter: step.removeAfter && known(step.removeAfter) }
      : step,
  );
  return withoutSteps(within, gone);
}

/**
 * Definitions by which an operation's own steps are dropped. Of transient steps only those that are there count, and each step
 * names all that it needs, directly or not: steps that stay may stand between two that go.
 */
export function definitionsForDrops(own: readonly Step[], held: ReadonlySet<string>): readonly Step[] {
  if (!own.some(({ transient }) => transient === true)) return own;
  const left = withoutTransientBut(own, held);
  const ancestors = ancestorsOf(left);
  return left.map((step) => ({ ...step, needs: [...new Set([...step.needs, ...(ancestors.get(step.id) ?? [])])] }));
}

/** What is wrong with what transient steps name beside the steps of their own blueprint, as sentences. */
export function transientProblems(own: readonly Step[], applied: readonly Step[]): string[] {
  const ids = new Set(own.map(({ id }) => id));
  const dropped = applied.filter(({ id }) => !ids.has(id));
  const known = new Set([...ids, ...dropped.map(({ id }) => id)]);
  const transient = own.filter((step) => step.transient === true);
  const problems = transient.flatMap((step) =>
    [...step.needs, ...(step.removeAfter ?? [])]
      .filter((id) => !known.has(id))
      .map(
        (id) => `transient step "${step.id}" names step "${id}", which neither its blueprint nor the applied one has`,
      ),
  );
  if (problems.length > 0 || transient.length === 0) return problems;
  try {
    orderOut(own, dropped);
    return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [`past the commit ${error.message}`];
  }
}

/** How transient and dropped steps go. @throws RangeError on a cycle */
export function orderOut<S extends Ordered>(own: readonly S[], dropped: readonly S[]): string[] {
  const among = new Set(dropped.map(({ id }) => id));
  const goingAlone = dropped.map((step) => ({
    ...step,
    needs: step.needs.filter((id) => among.has(id)),
    removeAfter: step.removeAfter?.filter((id) => among.has(id)),
  }));
  const transient = own.filter((step) => step.transient === true).map(({ id }) => id);
  return inOrder(downwardEdges([...own, ...goingAlone], new Set([...transient, ...among])));
}
