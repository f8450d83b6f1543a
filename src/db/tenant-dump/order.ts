import type { Definition, Need } from './catalog.ts';

export interface Ordered {
  /** What tables need, and they themselves: made before their rows are loaded. */
  readonly before: readonly Definition[];
  readonly after: readonly Definition[];
  /** They need each other in a circle that no order of statements makes. */
  readonly circular: readonly Definition[];
}

/** Puts definitions in an order in which each finds what it needs; where that does not decide, they stay as they come. Pure. */
export function ordered(definitions: readonly Definition[], needs: readonly Need[]): Ordered {
  const known = new Map(definitions.map((one) => [one.key, one]));
  const neededBy = new Map<string, string[]>(definitions.map(({ key }) => [key, []]));
  for (const { from, to } of needs) if (known.has(to)) neededBy.get(from)?.push(to);
  const done = new Set<string>();
  const order: Definition[] = [];
  for (let placed = true; placed;) {
    placed = false;
    for (const one of definitions) {
      if (done.has(one.key) || !(neededBy.get(one.key) ?? []).every((key) => done.has(key))) continue;
      done.add(one.key);
      order.push(one);
      placed = true;
    }
  }
  const early = closure(
    definitions.filter(({ sort }) => sort === 'table' || sort === 'sequence').map(({ key }) => key),
    neededBy,
  );
  return {
    before: order.filter(({ key }) => early.has(key)),
    after: order.filter(({ key }) => !early.has(key)),
    circular: definitions.filter(({ key }) => !done.has(key)),
  };
}

function closure(keys: readonly string[], neededBy: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>();
  const open = [...keys];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (reached.has(key)) continue;
    reached.add(key);
    open.push(...(neededBy.get(key) ?? []));
  }
  return reached;
}
