import { createHash } from 'node:crypto';
import type { StatementFault, StatementRule } from '../../../sandbox/parts/postgres-proxy.ts';
import { statementMatch, type Identity, type StatementPoint } from './statement-points.ts';

/** What befalls a statement: of a read the first three, of a change the last five, and too many connections of either. */
export const faultNames = [
  ...(['error', 'cut', 'throttled'] as const),
  ...(['error-before', 'error-after', 'cut-before', 'cut-after', 'late'] as const),
] as const;
export type FaultName = (typeof faultNames)[number];

/** `passing`: once, and the operation goes on. `final`: somebody cancels at the moment of the fault. */
export type Variant = 'passing' | 'final';

/** One fault at one statement. */
export interface FaultCase {
  readonly id: string;
  readonly point: StatementPoint;
  readonly fault: FaultName;
  readonly variant: Variant;
  /** Decides what of a case is chance: which of several like statements. */
  readonly chance: number;
}

const readFaults = ['error', 'cut', 'throttled'] as const;
const changeFaults = ['error-before', 'error-after', 'cut-before', 'cut-after', 'late', 'throttled'] as const;

/** Every fault at every statement. */
export function allCases(points: readonly StatementPoint[], seed: number): FaultCase[] {
  return points.flatMap((point) =>
    (point.kind === 'read' ? readFaults : changeFaults).flatMap((fault) =>
      variantsOf(point, fault).map((variant) => faultCase(point, fault, variant, seed)),
    ),
  );
}

export function describeCase({ point, fault, variant }: FaultCase): string {
  return `${point.phase} ${point.call} ${fault} (${variant})`;
}

/** Our own database never ends a step (it is waited for), but an effect in the tenants' one may land after a cancel. */
function variantsOf({ application, phase }: StatementPoint, fault: FaultName): Variant[] {
  const isTenants = application === 'tenantry-provisioner' || application === 'tenantry-migrations';
  const mayLandLate =
    (phase === 'provision' || phase === 'rotate') && isTenants && (fault === 'cut-after' || fault === 'late');
  return mayLandLate ? ['passing', 'final'] : ['passing'];
}

function faultCase(point: StatementPoint, fault: FaultName, variant: Variant, seed: number): FaultCase {
  const id = `${point.phase} ${point.call} ${fault} ${variant}`;
  const chance = createHash('sha256').update(`${seed} ${id}`).digest().readUInt32BE(0) / 2 ** 32;
  return { id, point, fault, variant, chance };
}

/** Which operation a rule is for. */
export type Target = Identity;

export function statementRule({ point, fault, chance }: FaultCase, target: Target): StatementRule {
  const skip = point.places[Math.floor(chance * point.places.length)] ?? 0;
  return { match: statementMatch(point, target), fault: statementFault(fault), skip, times: 1 };
}

function statementFault(fault: FaultName): StatementFault {
  switch (fault) {
    case 'error':
    case 'error-after':
      return { type: 'error', when: fault === 'error' ? 'before' : 'after', code: '57P01' };
    case 'error-before':
      return { type: 'error', when: 'before', code: '40001' };
    case 'cut':
    case 'cut-before':
      return { type: 'cut', when: 'before' };
    case 'cut-after':
      return { type: 'cut', when: 'after' };
    case 'throttled':
      return { type: 'error', when: 'before', code: '53300' };
    case 'late':
      return { type: 'late', effectAfterMs: 1_500 };
  }
}
