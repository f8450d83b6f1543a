import type { FaultCase } from './cases.ts';
import { changePhases } from './points.ts';

/**
 * One tenant's life, with the cases that it carries.
 * - `lived`: faults that pass on the way up and on the way down; it must be active in between.
 * - `undone`: a definite failure of the last look, then faults in the undo.
 * - `ended`: one fault on the way up that ends the operation.
 * - `changed`: faults in one change of a tenant that is active: those that pass, or one that ends it.
 */
export interface Life {
  readonly kind: 'lived' | 'undone' | 'ended' | 'changed';
  readonly product: string;
  readonly up: readonly FaultCase[];
  readonly down: readonly FaultCase[];
}

/** Shares the cases out to lives: a few faults that pass share a phase, a final one is alone in its phase. */
export function livesOf(product: string, cases: readonly FaultCase[]): Life[] {
  const of = (phase: FaultCase['point']['phase'], final: boolean) =>
    cases.filter((c) => c.point.phase === phase && (c.variant === 'final') === final);
  const up = bundles(of('provision', false));
  const down = bundles(of('deprovision', false));
  const lived = Array.from({ length: Math.max(up.length, down.length) }, (_, i): Life => {
    return { kind: 'lived', product, up: up[i] ?? [], down: down[i] ?? [] };
  });
  return [
    ...of('provision', true).map((c): Life => ({ kind: 'ended', product, up: [c], down: [] })),
    ...bundles(of('rollback', false)).map((bundle): Life => ({ kind: 'undone', product, up: [], down: bundle })),
    ...changePhases.flatMap((phase) =>
      [...of(phase, true).map((c) => [c]), ...bundles(of(phase, false))].map((bundle): Life => ({
        kind: 'changed',
        product,
        up: bundle,
        down: [],
      })),
    ),
    ...lived,
  ];
}

const PER_PHASE = 4;

/** Neighbours in the list strike one transaction: they are dealt out to different lives. */
function bundles(cases: readonly FaultCase[]): FaultCase[][] {
  const count = Math.ceil(cases.length / PER_PHASE);
  return Array.from({ length: count }, (_, i) => cases.filter((_case, place) => place % count === i));
}

/** A life of its own for each case of a life whose fault never struck, because the others got in its way. */
export function livesOfMissed(life: Life, missed: readonly FaultCase[]): Life[] {
  const isUp = (c: FaultCase) => life.up.includes(c);
  return missed.map((c) => ({ ...life, up: isUp(c) ? [c] : [], down: isUp(c) ? [] : [c] }));
}
