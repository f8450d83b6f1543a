import { FINALIZE_STEP, type PlannedStep } from '../contracts/blueprint.ts';

/** What the order of steps is computed from. */
export type Ordered = Pick<PlannedStep, 'id' | 'needs' | 'removeAfter' | 'transient'>;

/** Step id to the ids that must have ended well before it starts. */
export type Edges = ReadonlyMap<string, readonly string[]>;

/** The way up: each step after those that it needs; `finalize` is not walked with the others. */
export function upwardEdges(steps: readonly PlannedStep[]): Edges {
  const walked = steps.filter((step) => step.id !== FINALIZE_STEP);
  const known = new Set(walked.map((step) => step.id));
  return new Map(walked.map((step) => [step.id, step.needs.filter((id) => known.has(id))]));
}

/**
 * The way down: each step after all that need it and after its `removeAfter`, among the steps that are left. Steps that
 * need each other only through one that is gone already keep their order.
 */
export function downwardEdges(steps: readonly Ordered[], left: ReadonlySet<string>): Edges {
  const edges = new Map([...left].map((id): [string, Set<string>] => [id, new Set()]));
  const ancestors = ancestorsOf(steps);
  for (const step of steps) {
    if (!left.has(step.id)) continue;
    for (const id of ancestors.get(step.id) ?? []) edges.get(id)?.add(step.id);
    for (const id of step.removeAfter ?? []) if (left.has(id)) edges.get(step.id)?.add(id);
  }
  return new Map([...edges].map(([id, before]) => [id, [...before]]));
}

/** Per step all that it needs, directly or not: references may name any of them. */
export function ancestorsOf(steps: readonly Ordered[]): ReadonlyMap<string, ReadonlySet<string>> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const found = new Map<string, Set<string>>();
  const collect = (id: string): Set<string> => {
    const known = found.get(id);
    if (known) return known;
    const all = new Set<string>();
    found.set(id, all);
    for (const need of byId.get(id)?.needs ?? []) {
      if (!byId.has(need)) continue;
      all.add(need);
      for (const above of collect(need)) all.add(above);
    }
    return all;
  };
  for (const step of steps) collect(step.id);
  return found;
}

/** The nodes so that each comes after those before it. @throws RangeError on a cycle (the claim refuses such blueprints). */
export function inOrder(edges: Edges): string[] {
  const left = new Map([...edges].map(([id, before]) => [id, new Set(before)]));
  const order: string[] = [];
  while (left.size > 0) {
    const free = [...left].filter(([, before]) => before.size === 0).map(([id]) => id);
    if (free.length === 0) throw new RangeError(`the steps ${[...left.keys()].join(', ')} wait for each other`);
    for (const id of free) left.delete(id);
    for (const before of left.values()) for (const id of free) before.delete(id);
    order.push(...free);
  }
  return order;
}

/**
 * Acts on every node as soon as all before it ended well, side by side, and answers, once nothing is in flight any more,
 * whether all did. `act` answers false for a failure; what comes after it is then left out. One promise per node, awaited
 * by all that follow: no rejection of one can go unhandled while another is waited for.
 */
export async function sideBySide(edges: Edges, act: (id: string) => Promise<boolean>): Promise<boolean> {
  const done = new Map<string, Promise<boolean>>();
  for (const id of inOrder(edges)) {
    const before = (edges.get(id) ?? []).flatMap((other) => done.get(other) ?? []);
    done.set(id, (async () => !(await Promise.all(before)).includes(false) && act(id))());
  }
  return !(await Promise.all(done.values())).includes(false);
}

/** What is known of a step that became ready. */
export interface ReadyStep {
  /** {@link inputsOf} it when it was made. */
  readonly inputs: string;
}

/** The outputs that a step may refer to, as a string that changes with any of them. */
export function inputsOf(ancestors: ReadonlySet<string>, outputs: ReadonlyMap<string, string>): string {
  return [...ancestors]
    .sort()
    .map((id) => `${id}=${outputs.get(id) ?? ''}`)
    .join(' ');
}

/** Whether a step must run (again): not ready yet, reads something outside, or its inputs are not what they were. */
export function mustRun(step: PlannedStep, ready: ReadyStep | undefined, inputs: string): boolean {
  return ready === undefined || step.rereads === true || ready.inputs !== inputs;
}
