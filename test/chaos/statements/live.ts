import { setTimeout as sleep } from 'node:timers/promises';
import { describeItem } from '../../../sandbox/inventory/inventory.ts';
import { listNotRemoved } from '../../../src/db/ledger.ts';
import { isOpen, type OperationState } from '../../../src/contracts/operation-state.ts';
import { findOperation } from '../../../src/db/operations.ts';
import type { FaultCase } from './cases.ts';
import { Faults } from './faults.ts';
import { falseWords, shapeOf, withoutResidue } from './judgement.ts';
import { shapeDifference } from '../../../testing/oracle.ts';
import type { Life } from './lives.ts';
import { outcomeAfter, prepare, startChange } from './changes.ts';
import { changePhases, type ChangePhase, type Phase, type StepLook } from './points.ts';
import type { MatrixWorld, Tenant } from './world.ts';
import { testCaller } from '../../support/caller.ts';

export interface LifeContext {
  readonly world: MatrixWorld;
  /** What one consists of after each change. */
  readonly changedShapes: ReadonlyMap<Phase, readonly string[]>;
  /** What a tenant born in calm weather consists of. */
  readonly calmShape: readonly string[];
  readonly lastLook: StepLook;
}

/** How a phase of a life ended, and what is wrong with it. */
export interface PhaseOutcome {
  readonly cases: readonly FaultCase[];
  /** `active`, `deleted`, `cancelled`, a failure's code; with `, stuck first` when it was. */
  readonly outcome: string;
  readonly ms: number;
  /** Ids of the cases whose fault struck. */
  readonly struck: ReadonlySet<string>;
  /** What is wrong with the tenant; that a fault never struck is said by `struck` alone. */
  readonly problems: readonly string[];
}

export interface LifeOutcome {
  readonly life: Life;
  readonly tenants: readonly Tenant[];
  readonly phases: readonly PhaseOutcome[];
}

/** The cases whose phase came to its end without their fault. */
export function missedOf({ phases }: LifeOutcome): FaultCase[] {
  return phases.flatMap(({ cases, struck }) => cases.filter((c) => !struck.has(c.id)));
}

/** Long enough for several lateness windows and a busy machine. */
const LIFE_LIMIT_MS = 240_000;

/** Lives a tenant's life through, and judges each of its ends by the oracle. */
export async function live(context: LifeContext, life: Life): Promise<LifeOutcome> {
  const tenants: Tenant[] = [];
  const phases: PhaseOutcome[] = [];
  if (life.kind === 'lived') {
    const [born, alive] = await phase(life.up, tenants, () => provisioned(context, life, tenants));
    phases.push(born);
    if (alive) phases.push((await phase(life.down, tenants, () => deprovisioned(context, life, tenants)))[0]);
  } else if (life.kind === 'changed') {
    phases.push((await phase(life.up, tenants, () => changed(context, life, tenants)))[0]);
  } else if (life.kind === 'undone') {
    phases.push((await phase(life.down, tenants, () => undone(context, life, tenants)))[0]);
  } else {
    phases.push((await phase(life.up, tenants, () => ended(context, life, tenants)))[0]);
  }
  if (phases.some(({ problems }) => problems.length > 0)) await removeInCalm(context.world, tenants.at(-1));
  return { life, tenants, phases };
}

/** What a life that went wrong has left takes room that others need. */
async function removeInCalm(world: MatrixWorld, tenant: Tenant | undefined): Promise<void> {
  if (!tenant) return;
  const { operation, status } = await world.client.status(testCaller, tenant.tenantId);
  if (status === 'deleted' || (isOpen(operation.state) && operation.state !== 'stuck')) return;
  await world.buried(tenant, () => undefined).catch(() => undefined);
}

interface End {
  readonly outcome: string;
  readonly faults: Faults;
  readonly problems: readonly string[];
}

async function phase(
  cases: readonly FaultCase[],
  tenants: readonly Tenant[],
  run: () => Promise<End>,
): Promise<[PhaseOutcome, boolean]> {
  const startedAt = Date.now();
  try {
    const { outcome, faults, problems } = await within(LIFE_LIMIT_MS, run());
    const struck = new Set(cases.filter((c) => faults.struck(c)).map((c) => c.id));
    faults.lift();
    return [{ cases, outcome, ms: Date.now() - startedAt, struck, problems }, outcome === 'active'];
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const outcome = tenants.length === 0 ? 'not started' : 'no end';
    return [{ cases, outcome, ms: Date.now() - startedAt, struck: new Set(), problems: [problem] }, false];
  }
}

async function provisioned({ world, calmShape }: LifeContext, life: Life, tenants: Tenant[]): Promise<End> {
  const faults = new Faults(world);
  const tenant = await world.born(life.product, (target) => faults.arm(life.up, target));
  tenants.push(tenant);
  const outcome = await world.outcome(tenant);
  await faults.settled();
  if (outcome !== 'active') return { outcome, faults, problems: [`it ended as ${outcome}, not active`] };
  const problems = await lasting(async () => {
    return shapeDifference(calmShape, shapeOf(await world.itemsOf(tenant), tenant));
  });
  return { outcome, faults, problems: problems.map((line) => `unlike a tenant born in calm weather: ${line}`) };
}

/** What an inventory finds wrong, and the next one too: a list of many pages may skip what others' removals move meanwhile. */
async function lasting(look: () => Promise<string[]>): Promise<string[]> {
  const first = await look();
  if (first.length === 0) return [];
  const second = await look();
  return first.filter((problem) => second.includes(problem));
}

async function deprovisioned({ world }: LifeContext, life: Life, tenants: Tenant[]): Promise<End> {
  const faults = new Faults(world);
  const tenant = await world.buried(tenants[0]!, (target) => faults.arm(life.down, target));
  tenants.push(tenant);
  return gone(world, tenant, { faults, cases: life.down, expected: ['deleted'] });
}

/** A change of a tenant that is active: wholly as asked, or as before where somebody cancels at the fault; then all of it goes. */
async function changed({ world, calmShape, changedShapes }: LifeContext, life: Life, tenants: Tenant[]): Promise<End> {
  const faults = new Faults(world);
  const changing = changeOf(life);
  const born = await world.born(life.product, () => undefined);
  tenants.push(born);
  const bornAs = await world.outcome(born);
  if (bornAs !== 'active') return { outcome: bornAs, faults, problems: [`undisturbed, it ended as ${bornAs}`] };
  await prepare(world, changing, born);
  const tenant = await startChange(world, changing, born, (target) => faults.arm(life.up, target));
  tenants.push(tenant);
  const isEnded = life.up.some(({ variant }) => variant === 'final');
  if (isEnded) {
    await faults.firstStrike(() => isOver(world, tenant));
    await world.client.cancel(testCaller, tenant.tenantId).catch(() => undefined);
  }
  const outcome = await world.outcome(tenant);
  await faults.settled();
  const expected = isEnded ? 'cancelled' : outcomeAfter(changing);
  if (outcome !== expected) return { outcome, faults, problems: [`it ended as ${outcome}, not ${expected}`] };
  const shape = isEnded ? calmShape : (changedShapes.get(changing) ?? []);
  const unlike = await lasting(async () =>
    shapeDifference(shape, shapeOf(withoutResidue(await world.itemsOf(tenant)), tenant)),
  );
  const problems = unlike.map((line) => `unlike a tenant that nothing disturbed: ${line}`);
  faults.lift();
  const buried = await world.buried(tenant, () => undefined);
  tenants.push(buried);
  const end = await gone(world, buried, { faults, cases: life.up, expected: ['deleted'] });
  return { outcome, faults, problems: [...problems, ...end.problems] };
}

function changeOf({ up }: Life): ChangePhase {
  const found = changePhases.find((phase) => up.some(({ point }) => point.phase === phase));
  if (!found) throw new RangeError('no case of the life is of a change');
  return found;
}

async function undone({ world, lastLook }: LifeContext, life: Life, tenants: Tenant[]): Promise<End> {
  const faults = new Faults(world);
  let refusal = '';
  const tenant = await world.born(life.product, (target) => (refusal = world.refuse(lastLook, target)));
  tenants.push(tenant);
  await world.struck(refusal, () => isOver(world, tenant));
  // What the undo shares with the way up (waits, bookkeeping) is armed once the way up is over.
  faults.arm(life.down, tenant.target);
  const end = await gone(world, tenant, { faults, cases: life.down, expected: ['ACCESS_DENIED'] });
  world.gateway.removeRule(refusal);
  return end;
}

async function ended({ world }: LifeContext, life: Life, tenants: Tenant[]): Promise<End> {
  const faults = new Faults(world);
  const tenant = await world.born(life.product, (target) => faults.arm(life.up, target));
  tenants.push(tenant);
  await faults.firstStrike(() => isOver(world, tenant));
  await world.client.cancel(testCaller, tenant.tenantId).catch(() => undefined);
  const expected = ['cancelled'];
  return gone(world, tenant, { faults, cases: life.up, expected });
}

interface Expectation {
  readonly faults: Faults;
  readonly cases: readonly FaultCase[];
  readonly expected: readonly string[];
}

/** Follows an operation to its end, by way of stuck where it gets so, and asks the oracle at each. */
async function gone(world: MatrixWorld, tenant: Tenant, { faults, cases, expected }: Expectation): Promise<End> {
  const problems: string[] = [];
  const wasStuck = await stuckFirst(world, tenant);
  if (wasStuck) {
    const { leftovers = [] } = await world.client.status(testCaller, tenant.tenantId);
    const words = await lasting(async () => falseWords(await world.itemsOf(tenant), leftovers));
    problems.push(...words.map((line) => `stuck with a false list: ${line}`));
    if (!cases.some((c) => c.variant === 'final')) problems.push('stuck, though the fault passed');
    faults.lift();
    await world.client.retry(testCaller, tenant.tenantId);
  }
  const outcome = await world.outcome(tenant);
  await faults.settled();
  if (!expected.includes(outcome)) problems.push(`it ended as ${outcome}, not ${expected.join(' or ')}`);
  const left = withoutResidue(await world.itemsOf(tenant));
  problems.push(...left.map((item) => `left over: ${describeItem(item)}`));
  const rows = await listNotRemoved(world.database, tenant.tenantId);
  problems.push(...rows.map((row) => `not removed in the ledger: ${row.type} ${row.name}`));
  return { outcome: wasStuck ? `${outcome}, stuck first` : outcome, faults, problems };
}

async function stuckFirst(world: MatrixWorld, tenant: Tenant): Promise<boolean> {
  for (;;) {
    const state = await stateOf(world, tenant);
    if (state === 'stuck') return true;
    if (!isOpen(state)) return false;
    await sleep(400);
  }
}

async function isOver(world: MatrixWorld, tenant: Tenant): Promise<boolean> {
  return !isOpen(await stateOf(world, tenant));
}

/** Of the operation: cheaper than a status, as many lives ask for it all the time. */
async function stateOf({ database }: MatrixWorld, { target, slug }: Tenant): Promise<OperationState> {
  const operation = await findOperation(database, target.operationId);
  if (!operation) throw new Error(`the operation of ${slug} is gone from the database`);
  return operation.state;
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(limitMs, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new Error(`no end after ${limitMs / 1000} s`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
