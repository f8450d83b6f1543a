import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import { blueprintOfProduct } from '../../../testing/sagas/blueprints.ts';
import { createHash } from 'node:crypto';
import type { Fault, FaultRule } from '../../../sandbox/gateway/gateway.ts';
import type { StatementFault, StatementRule } from '../../../sandbox/parts/postgres-proxy.ts';
import { changingVerb, describePoint, type AwsPoint, type Point } from './points.ts';
import { statementMatch, type Identity, type StatementPoint } from './statement-points.ts';

/** What befalls a call: of a read the first four, of a change the last six. */
export const faultNames = [
  ...(['error', 'cut', 'throttled', 'stale'] as const),
  ...(['error-before', 'error-after', 'cut-before', 'cut-after', 'late'] as const),
] as const;
export type FaultName = (typeof faultNames)[number];

/** `passing`: once, and the operation goes on. `final`: an answer that ends the step, or a cancel at the moment of the fault. */
export type Variant = 'passing' | 'final';

/** One fault at one point. */
export interface FaultCase<P extends Point = AwsPoint | StatementPoint> {
  readonly id: string;
  readonly point: P;
  readonly fault: FaultName;
  readonly variant: Variant;
  /** Decides what of a case is chance: which of several like calls, how late. */
  readonly chance: number;
}

/** A case that cannot be, and why. */
export interface Inapplicable {
  readonly point: Point;
  readonly fault: FaultName;
  readonly reason: string;
}

export interface CaseList {
  readonly cases: readonly FaultCase[];
  readonly inapplicable: readonly Inapplicable[];
}

const readFaults = ['error', 'cut', 'throttled', 'stale'] as const;
const changeFaults = ['error-before', 'error-after', 'cut-before', 'cut-after', 'late', 'throttled'] as const;

/** Every fault at every point. @param templates names of what tenants are cloned from */
export function allCases(
  points: readonly (AwsPoint | StatementPoint)[],
  templates: readonly string[],
  seed: number,
): CaseList {
  const inapplicable: Inapplicable[] = [];
  const cases: FaultCase[] = [];
  for (const point of points) {
    for (const fault of point.kind === 'read' ? readFaults : changeFaults) {
      const reason = whyNot(point, fault, templates);
      if (reason === undefined) cases.push(...variantsOf(point, fault).map((v) => faultCase(point, fault, v, seed)));
      else inapplicable.push({ point, fault, reason });
    }
  }
  return { cases, inapplicable };
}

export function describeCase({ point, fault, variant }: FaultCase): string {
  return `${describePoint(point)} ${fault} (${variant})`;
}

export function isOfAws(given: FaultCase): given is FaultCase<AwsPoint> {
  return given.point.source === 'aws';
}

export function isOfPostgres(given: FaultCase): given is FaultCase<StatementPoint> {
  return given.point.source === 'postgres';
}

function whyNot(point: AwsPoint | StatementPoint, fault: FaultName, templates: readonly string[]): string | undefined {
  if (fault !== 'stale') return undefined;
  if (point.source === 'postgres') return 'a primary of PostgreSQL answers no stale reads';
  if (templates.some((name) => point.resource.includes(name)))
    return 'it looks at a template, which no operation changes';
  if (point.phase === 'provision' && point.verb === 'observe' && !polledSteps.has(point.stepId))
    return 'its only look is the one before the commit, when no answer is older than its change any more';
  return (
    unchanging[point.action] ?? (point.changes.length === 0 ? 'the step changes nothing at this service' : undefined)
  );
}

/** Steps whose readiness is waited for: the others are looked at by `ensure`, and right before the commit. */
const polledSteps = new Set(
  Object.values(defaultCatalog.products)
    .flatMap((product) => blueprintOfProduct(product, product.tiers[0] ?? null, defaultCatalog))
    .flatMap(({ id, ready }) => (ready ? [id] : [])),
);

/** Reads whose answer no call of an operation changes. */
const unchanging: Readonly<Record<string, string>> = {
  GetChange: 'it tells how a change goes, not what there is',
  DescribeTargetHealth: 'targets come and go with tasks, no call of the operation changes what it shows',
  ListTasks: 'tasks come and go with the scheduler, no call of the operation changes what it shows',
  DescribeTasks: 'tasks come and go with the scheduler, no call of the operation changes what it shows',
  GetHostedZone: 'no operation changes what it shows of the zone',
};

/**
 * A failure that lasts is for what can end a step: a definite answer, or whatever was under way when somebody cancels.
 * Our own database never ends a step (it is waited for), but an effect in the tenants' one may land after a cancel.
 */
function variantsOf(point: AwsPoint | StatementPoint, fault: FaultName): Variant[] {
  if (point.source === 'postgres') {
    const mayLandLate = point.phase === 'provision' && isTenants(point) && (fault === 'cut-after' || fault === 'late');
    return mayLandLate ? ['passing', 'final'] : ['passing'];
  }
  // A stale look of an attempt that was cancelled has no one to mislead: what it would have misled, the undo's looks stand for.
  if (fault === 'stale')
    return point.phase === 'provision' && point.verb === 'observe' ? ['passing', 'final'] : ['passing'];
  if (point.phase === 'provision') return ['passing', 'final'];
  return fault === 'error' || fault === 'error-before' || fault === 'error-after' ? ['passing', 'final'] : ['passing'];
}

function isTenants({ application }: StatementPoint): boolean {
  return application === 'tenantry-provisioner' || application === 'tenantry-migrations';
}

function faultCase(point: AwsPoint | StatementPoint, fault: FaultName, variant: Variant, seed: number): FaultCase {
  const id = `${describePoint(point)} ${fault} ${variant}`;
  const chance = createHash('sha256').update(`${seed} ${id}`).digest().readUInt32BE(0) / 2 ** 32;
  return { id, point, fault, variant, chance };
}

/** Which operation a rule is for. */
export interface Target extends Identity {
  readonly operationId: string;
}

/** An answer that ends a step, in the words that every service of AWS has. */
const denied = { code: 'AccessDeniedException', status: 400 } as const;
const broken = { code: 'InternalFailure', status: 500 } as const;

/** The rule of a case at AWS. */
export function awsRule({ point, fault, variant, chance }: FaultCase<AwsPoint>, { operationId }: Target): FaultRule {
  const { service, action, stepId, verb, nth } = point;
  const match = { operationId, stepId, verb, service, action };
  const skip = nth - 1;
  const wrong = variant === 'final' ? denied : broken;
  const rule = (f: Fault): FaultRule => ({ match, fault: f, skip, times: 1 });
  switch (fault) {
    case 'error':
    case 'error-before':
      return rule({ type: 'error', when: 'before', ...wrong });
    case 'error-after':
      return rule({ type: 'error', when: 'after', ...wrong });
    case 'cut':
    case 'cut-before':
      return rule({ type: 'cut', when: 'before' });
    case 'cut-after':
      return rule({ type: 'cut', when: 'after' });
    case 'throttled':
      return rule({ type: 'throttle' });
    case 'late':
      return rule({ type: 'late', effectAfterMs: lateMs(variant, chance) });
    case 'stale':
      return staleRule(point, operationId);
  }
}

/** As long as AWS's replicas may lag, and shorter than the product goes on looking. */
const STALE_MS = 4_500;
const SINCE_BIRTH_MS = 120_000;

/**
 * In an undo the removal's own reads do not show what was made, as often as the point's number says. Elsewhere every read
 * that speaks of it shows it as it was before the step's change, for a while after that.
 */
function staleRule({ phase, stepId, verb, service, action, nth }: AwsPoint, operationId: string): FaultRule {
  if (phase === 'rollback' && verb === 'remove') {
    const match = { operationId, stepId, verb, service, action };
    return { match, fault: { type: 'stale', forMs: SINCE_BIRTH_MS }, times: nth };
  }
  const match = { operationId, stepId, verb: changingVerb(phase, verb), kind: 'change' } as const;
  return { match, fault: { type: 'stale', forMs: STALE_MS }, times: null };
}

/**
 * A first look of a verb that changes something has nothing to be stale about: the answer to the verb's first change is
 * lost, so that the next attempt looks for what that did.
 */
export function lostAnswerRule({ point, fault }: FaultCase<AwsPoint>, { operationId }: Target): FaultRule | undefined {
  const { phase, stepId, verb, changes } = point;
  const looksFirst = verb !== 'observe' && !(phase === 'rollback' && verb === 'remove');
  if (fault !== 'stale' || !looksFirst) return undefined;
  return { match: { operationId, stepId, verb, action: changes[0] }, fault: { type: 'cut', when: 'after' } };
}

/**
 * The caller gives up after 5 s, and the next attempt begins 2 s later: the effect comes before that, or after it has made
 * the same once more. After a cancel it comes when the undo has passed already.
 */
function lateMs(variant: Variant, chance: number): number {
  if (variant === 'final') return 8_000 + Math.round(chance * 12_000);
  return chance < 0.5 ? 6_000 : 9_000;
}

/** The rule of a case at PostgreSQL. */
export function statementRule({ point, fault, chance }: FaultCase<StatementPoint>, target: Target): StatementRule {
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
    case 'stale':
      throw new RangeError('PostgreSQL answers no stale reads');
  }
}
