import type { Blueprint } from '../contracts/blueprint.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { differences } from '../plan/differences.ts';
import { transientProblems, withoutTransient } from '../plan/transient-steps.ts';
import type { Product } from '../products/product.ts';
import type { WayIntoTier } from '../products/ways-into-tiers.ts';

/**
 * Why tenants of a product could not be brought through the changes of tier that it declares, as sentences.
 * @param blueprintOf of a tenant there @throws Error when it has none
 */
export function tierChangeProblems(
  { tierChanges }: Pick<Product, 'tierChanges'>,
  { kinds }: KindRegistry,
  blueprintOf: (way: WayIntoTier) => Blueprint,
): string[] {
  const factsOf = (kind: string) => kinds.get(kind) ?? {};
  return tierChanges.flatMap(({ from, to }) => {
    const before = blueprintOf({ tier: from, cameFrom: null, isMoving: false }).steps;
    const onTheWay = blueprintOf({ tier: to, cameFrom: from, isMoving: true }).steps;
    const after = blueprintOf({ tier: to, cameFrom: from, isMoving: false }).steps;
    const later = differences(withoutTransient(onTheWay), after, factsOf)
      .map(({ stepId }) => `"${stepId}"`)
      .join(', ');
    const problems = [
      ...differences(before, onTheWay, factsOf).flatMap((difference) => difference.problems),
      ...transientProblems(onTheWay, before),
      ...(later === ''
        ? []
        : [`isMoving makes another of step ${later}, which stays: the next update would change it`]),
    ];
    return problems.map((problem) => `change of tier from ${from} to ${to}: ${problem}`);
  });
}
