import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { CallRecord } from '../../sandbox/gateway/gateway.ts';
import type { CallMatch } from '../../sandbox/gateway/faults/setting.ts';
import type { KillPoint } from './kill-points.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';
import type { WorkerProcess } from './worker-process.ts';

/** A tenant whose operation is to lose its worker at one point. */
export interface Target {
  readonly point: KillPoint;
  readonly tenant: Tenant;
  /** The gateway's rule that parks the call. */
  readonly ruleId: string;
}

/** How long a target's call may be parked before its worker is killed: the worker gives up after 5 s. */
const longestParkMs = 3_200;
/** How long all of them may take to come: a move's last calls are a quarter of a minute away, and more on a busy machine. */
const longestWayMs = 180_000;
/** How long the evidence of an answered call may take. */
const evidenceMs = 2_500;

/**
 * Asks for an operation on the tenant of that slug and parks the point's call. Its rule mostly names the operation, which is
 * not known before it runs; the call that a deprovisioning begins with is known by the tenant's host name.
 */
export async function aim(
  world: ProcessWorld,
  point: KillPoint,
  slug: string,
  request: () => Promise<Tenant>,
): Promise<Target> {
  const ruleId = `${slug} ${point.id}`;
  const { stepId, verb, service, action, nth } = point.call;
  const fault = { type: 'park', when: point.boundary === 'before' ? 'before' : 'after' } as const;
  const park = (whose: CallMatch) =>
    world.gateway.addRule({ id: ruleId, match: { service, action, stepId, verb, ...whose }, fault, skip: nth });
  const isKnownByHost = service === 'route53';
  if (isKnownByHost) park({ contains: `${slug}.${world.platform.cells[0]!.domains['moamalat']}` });
  const tenant = await request();
  if (!isKnownByHost) park({ operationId: tenant.operationId });
  return { point, tenant, ruleId };
}

/**
 * Waits until calls of targets are parked: all of them, or some that have been waiting long enough for the others.
 * @param isOver whether the operation of a target has ended
 * @returns whether any is parked: not where all operations ended without their calls
 * @throws Error when none comes within three minutes
 */
export async function untilParked(
  world: ProcessWorld,
  targets: readonly Target[],
  isOver: (target: Target) => Promise<boolean>,
): Promise<boolean> {
  const end = Date.now() + longestWayMs;
  for (let looks = 1; Date.now() < end; looks += 1) {
    const there = parkedOf(world, targets);
    const oldestAt = Math.min(...there.map(({ since }) => since));
    if (there.length === targets.length || Date.now() - oldestAt > longestParkMs) return true;
    await sleep(20);
    if (looks % LOOKS_PER_QUESTION !== 0 || there.length > 0) continue;
    const over = await Promise.all(targets.map(isOver));
    if (over.every((one) => one)) return false;
  }
  throw new Error(`never called: ${targets.map(({ ruleId }) => ruleId).join(', ')}`);
}

const LOOKS_PER_QUESTION = 100;

function parkedOf({ gateway }: ProcessWorld, targets: readonly Target[]) {
  const { parked } = gateway.faults();
  return targets.flatMap((target) => {
    const found = parked.find(({ ruleId }) => ruleId === target.ruleId);
    return found ? [{ target, parkedId: found.id, since: Date.parse(found.call.at) }] : [];
  });
}

/**
 * Brings each call that is parked to its boundary, also those that come meanwhile, and kills all workers there. Answers
 * which those were, and when (epoch ms).
 */
export async function killAtBoundaries(
  world: ProcessWorld,
  workers: readonly WorkerProcess[],
  targets: readonly Target[],
) {
  // What the workers tell Temporal from here on gets lost with them.
  world.wire.hold();
  const locks: StepLock[] = [];
  const hit = new Set<Target>();
  for (;;) {
    const left = targets.filter((target) => !hit.has(target));
    const come = parkedOf(world, left);
    if (come.length === 0 && !isUnderWay(world, left)) break;
    if (come.length === 0) await sleep(10);
    const brought = await Promise.all(come.map(({ target, parkedId }) => bring(world, target, parkedId)));
    locks.push(...brought.flat());
    for (const { target } of come) hit.add(target);
  }
  const [at = Date.now()] = await Promise.all(workers.map((worker) => worker.killHard()));
  world.wire.letGo();
  await Promise.all(locks.map((lock) => lock.open()));
  return { at, hit: [...hit] };
}

/** Whether a target's call has come and is not parked yet: its effect is being done. One that gave up has ended. */
function isUnderWay(world: ProcessWorld, targets: readonly Target[]): boolean {
  const ended = new Set(world.gateway.calls().map(({ fault }) => fault?.ruleId));
  return targets.some((target) => hasCome(world, target) && !ended.has(target.ruleId));
}

function hasCome({ gateway }: ProcessWorld, { ruleId }: Target): boolean {
  return gateway.faults().rules.some(({ id, hits }) => id === ruleId && hits > 0);
}

/** Those whose call came, but too early or too late for this kill to be brought to their boundary: they lost their worker all the same. */
export function missedBy(world: ProcessWorld, targets: readonly Target[]): Target[] {
  return targets.filter((target) => hasCome(world, target));
}

/** From being parked to the boundary; one that stands there already stays parked. */
async function bring(world: ProcessWorld, target: Target, parkedId: string): Promise<StepLock[]> {
  const { boundary } = target.point;
  if (boundary === 'before' || boundary === 'after') return [];
  const lock = boundary === 'unrecorded' ? await lockStep(world, target) : undefined;
  const kind = await kindOf(world, target);
  world.gateway.release(parkedId);
  // All is recorded that there is to record once Temporal is told; where that is nothing, nobody comes to the lock.
  const isTelling = () => world.wire.holds(target.tenant.workflowId, `${kind}.${target.point.call.verb}`);
  await evident(world, target, async () => (await lock?.isWaitedFor()) === true || isTelling());
  return lock ? [lock] : [];
}

async function kindOf(world: ProcessWorld, { tenant, point }: Target): Promise<string> {
  const [step] = await queryControl<{ kind: string }>(
    world,
    'select kind from steps where tenant_id = $1 and step_id = $2',
    [tenant.tenantId, point.call.stepId],
  );
  return step?.kind ?? '';
}

async function evident(world: ProcessWorld, target: Target, seen: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + evidenceMs;
  while (!(await seen())) {
    if (Date.now() > end) {
      const sessions = await sessionsOf(world);
      throw new Error(`${target.ruleId}: the worker was not seen to stand there; its sessions:\n${sessions}`);
    }
    await sleep(10);
  }
}

/** What the worker's sessions do, for people. */
async function sessionsOf(world: ProcessWorld): Promise<string> {
  const rows = await queryControl<{ line: string }>(
    world,
    `select concat_ws(' ', pid, application_name, state, wait_event_type, wait_event, pg_blocking_pids(pid)::text, left(query, 100)) as line
     from pg_stat_activity where application_name like 'tenantry%'`,
  );
  return rows.map(({ line }) => line).join('\n');
}

/** Rows of Tenantry's own database. */
export async function queryControl<T extends object>(
  { postgres }: ProcessWorld,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: controlUrl(postgres) });
  await client.connect();
  try {
    return (await client.query<T & pg.QueryResultRow>(text, values)).rows;
  } finally {
    await client.end();
  }
}

const controlUrl = ({ adminUrl }: ProcessWorld['postgres']) => new URL('/tenantry', adminUrl).href;

interface StepLock {
  /** Whether somebody waits for it. */
  isWaitedFor(): Promise<boolean>;
  /** Ends the sessions that wait for it, as the server does once it notices that their client is gone, and lets go. */
  open(): Promise<void>;
}

/** Takes the row that the step's result is written to. */
async function lockStep({ postgres }: ProcessWorld, target: Target): Promise<StepLock> {
  const client = new pg.Client({ connectionString: controlUrl(postgres) });
  // The server may go first when a test fails.
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  const { tenant, point } = target;
  const key = [tenant.tenantId, point.call.stepId];
  await client.query('select from steps where tenant_id = $1 and step_id = $2 for update', key);
  // A transaction sees one and the same list of sessions, unless it asks for a new one.
  const ofWaiting = async (what: string) => {
    await client.query('select pg_stat_clear_snapshot()');
    const { rowCount } = await client.query(
      `select ${what} from pg_stat_activity
       where pg_backend_pid() = any (pg_blocking_pids(pid)) and application_name = 'tenantry-worker'`,
    );
    return rowCount ?? 0;
  };
  return {
    isWaitedFor: async () => (await ofWaiting('pid')) > 0,
    open: async () => {
      await ofWaiting('pg_terminate_backend(pid, 5000)');
      await client.query('rollback');
      await client.end();
    },
  };
}

/** The call log's record of the call of a target. @throws Error when it did not end as the point says, or not by the kill */
export function struckCallOf(world: ProcessWorld, { ruleId, point }: Target, killedAt: number): CallRecord {
  const call = world.gateway.calls().find(({ fault }) => fault?.ruleId === ruleId);
  const isAnswered = point.boundary === 'unrecorded' || point.boundary === 'untold';
  const hadEffect = isAnswered || point.boundary === 'after';
  const endedAt = call ? Date.parse(call.at) + call.durationMs : 0;
  const asMeant = isAnswered
    ? call?.outcome === point.call.outcome && endedAt <= killedAt
    : call?.outcome === 'parked' && (call.effect !== undefined) === hadEffect && endedAt >= killedAt - 10;
  if (call && asMeant) return call;
  throw new Error(`${ruleId}: killed at ${new Date(killedAt).toISOString()}, but the call: ${JSON.stringify(call)}`);
}
