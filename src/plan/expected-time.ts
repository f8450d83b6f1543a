import { downwardEdges, inOrder, type Edges } from './graph.ts';
import type { StepPlan } from './plan.ts';

/** How long something took in recorded runs, in ms. */
export interface Duration {
  readonly medianMs: number;
  /** Nine of ten were quicker. */
  readonly p90Ms: number;
}

/**
 * How long a plan takes: along its longest chain, first what is made or changed, then what is dropped; transient steps are both. Pure.
 * @param durationOf of a step by what becomes of it; undefined: nothing was recorded
 * @returns undefined when that is not known of a step
 */
export function expectedTime(
  plan: readonly StepPlan[],
  durationOf: (step: StepPlan) => Duration | undefined,
): Duration | undefined {
  const staying = plan.filter(({ becomes }) => becomes !== 'drop');
  const ids = new Set(staying.map(({ id }) => id));
  const up = new Map(staying.map(({ id, needs }) => [id, needs.filter((need) => ids.has(need))]));
  const drops = plan
    .filter(({ becomes, transient }) => becomes === 'drop' || transient === true)
    .map((step): StepPlan => ({ ...step, becomes: 'drop' }));
  const down = downwardEdges(plan, new Set(drops.map(({ id }) => id)));
  const making = durations(staying, durationOf);
  const dropping = durations(drops, durationOf);
  if (!making || !dropping) return undefined;
  const along = (of: keyof Duration) =>
    longest(up, (id) => making.get(id)?.[of] ?? 0) + longest(down, (id) => dropping.get(id)?.[of] ?? 0);
  return { medianMs: along('medianMs'), p90Ms: along('p90Ms') };
}

function durations(
  steps: readonly StepPlan[],
  durationOf: (step: StepPlan) => Duration | undefined,
): ReadonlyMap<string, Duration> | undefined {
  const known = new Map<string, Duration>();
  for (const step of steps) {
    const duration = step.becomes === 'keep' ? { medianMs: 0, p90Ms: 0 } : durationOf(step);
    if (!duration) return undefined;
    known.set(step.id, duration);
  }
  return known;
}

function longest(edges: Edges, tookOf: (id: string) => number): number {
  const endOf = new Map<string, number>();
  for (const id of inOrder(edges)) {
    const begin = Math.max(0, ...(edges.get(id) ?? []).map((before) => endOf.get(before) ?? 0));
    endOf.set(id, begin + tookOf(id));
  }
  return Math.max(0, ...endOf.values());
}
