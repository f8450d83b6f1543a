import { isOfAws, isOfPostgres, type FaultCase } from './cases.ts';
import type { AwsPoint } from './points.ts';

/**
 * One tenant's life, with the cases that it carries.
 * - `lived`: faults that pass on the way up and on the way down; it must be active in between.
 * - `undone`: a definite failure of the last look, then faults in the undo.
 * - `ended`: one fault on the way up that ends the operation.
 */
export interface Life {
  readonly kind: 'lived' | 'undone' | 'ended';
  readonly product: string;
  readonly up: readonly FaultCase[];
  readonly down: readonly FaultCase[];
}

/**
 * Shares the cases out to lives. Faults that pass share a phase where they strike different steps, as steps do not hear of
 * each other's retries; a final one is alone in its phase.
 */
export function livesOf(product: string, cases: readonly FaultCase[]): Life[] {
  const of = (phase: FaultCase['point']['phase'], final: boolean) =>
    cases.filter((c) => c.point.phase === phase && (c.variant === 'final') === final);
  const up = bundles(of('provision', false));
  const down = [...of('deprovision', true).map((c) => [c]), ...bundles(of('deprovision', false))];
  const undo = [...of('rollback', true).map((c) => [c]), ...bundles(of('rollback', false))];
  const lived = Array.from({ length: Math.max(up.length, down.length) }, (_, i): Life => {
    return { kind: 'lived', product, up: up[i] ?? [], down: down[i] ?? [] };
  });
  return [
    ...of('provision', true).map((c): Life => ({ kind: 'ended', product, up: [c], down: [] })),
    ...undo.map((bundle): Life => ({ kind: 'undone', product, up: [], down: bundle })),
    ...lived,
  ];
}

const AWS_PER_PHASE = 4;
const POSTGRES_PER_PHASE = 2;

/**
 * Cases at AWS of different steps, with a few at PostgreSQL. A stale look has to come while the change is still hidden: a
 * fault at PostgreSQL, which may strike the same step, could put the look off until that time is over, so they are kept apart.
 */
function bundles(cases: readonly FaultCase[]): FaultCase[][] {
  const aws = cases.filter(isOfAws);
  const stale = bundlesOfSteps(aws.filter((c) => c.fault === 'stale'));
  const others = bundlesOfSteps(aws.filter((c) => c.fault !== 'stale'));
  const postgres = cases.filter(isOfPostgres);
  const count = Math.max(others.length, Math.ceil(postgres.length / POSTGRES_PER_PHASE));
  const mixed = Array.from({ length: count }, (_, i) => [
    ...(others[i] ?? []),
    ...postgres.filter((_case, place) => place % count === i),
  ]);
  return [...mixed, ...stale];
}

function bundlesOfSteps(cases: readonly FaultCase<AwsPoint>[]): FaultCase[][] {
  const full: FaultCase[][] = [];
  for (const c of cases) {
    const open = full.find(
      (b) => b.length < AWS_PER_PHASE && b.every((other) => other.point.stepId !== c.point.stepId),
    );
    if (open) open.push(c);
    else full.push([c]);
  }
  return full;
}

/** A life of its own for each case of a life whose fault never struck, because the others got in its way. */
export function livesOfMissed(life: Life, missed: readonly FaultCase[]): Life[] {
  const isUp = (c: FaultCase) => life.up.includes(c);
  return missed.map((c) => ({ ...life, up: isUp(c) ? [c] : [], down: isUp(c) ? [] : [c] }));
}

/** The last look of a calm provisioning: when it is refused for good, everything is made and all of it is undone. */
export function lastLook(points: readonly AwsPoint[]): AwsPoint {
  const look = points.filter((p) => p.phase === 'provision' && p.verb === 'observe').at(-1);
  if (!look) throw new Error('no step of a provisioning is waited for');
  return look;
}
