import { createHash } from 'node:crypto';
import type { FaultCase } from './cases.ts';

/** So many cases besides those that make every step and every fault appear. */
const MORE = 20;

/** A sample in which each phase, each connection, and each kind of fault in each variant occurs; by the seed. */
export function sampled(cases: readonly FaultCase[], seed: number): FaultCase[] {
  const order = [...cases].sort((a, b) => (rank(a, seed) < rank(b, seed) ? -1 : 1));
  const seen = new Set<string>();
  const needed = order.filter((c) => {
    const fresh = traits(c).filter((trait) => !seen.has(trait));
    for (const trait of fresh) seen.add(trait);
    return fresh.length > 0;
  });
  const more = order.filter((c) => !needed.includes(c)).slice(0, MORE);
  return [...needed, ...more];
}

function traits({ point, fault, variant }: FaultCase): string[] {
  return [`${point.phase} ${point.application}`, `${point.phase} ${fault} ${variant}`];
}

function rank({ id }: FaultCase, seed: number): string {
  return createHash('sha256').update(`${seed} ${id}`).digest('hex');
}
