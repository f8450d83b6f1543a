import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { CallRecord } from '../../sandbox/gateway/gateway.ts';
import type { CallMatch } from '../../sandbox/gateway/weather/setting.ts';
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
const longestParkMs = 2_500;
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
  const { stepId, verb, service, action } = point.call;
  const fault = { type: 'park', when: point.boundary === 'before' ? 'before' : 'after' } as const;
  const park = (whose: CallMatch) =>
    world.gateway.addRule({ id: ruleId, match: { service, action, stepId, verb, ...whose }, fault });
  const isKnownByHost = service === 'route53';
  if (isKnownByHost) park({ contains: `${slug}.${world.platform.cells[0]!.domains['moamalat']}` });
  const tenant = await request();
  if (!isKnownByHost) park({ operationId: tenant.operationId });
  return { point, tenant, ruleId };
}

/**
 * Waits until calls of targets are parked: all of them, or those that have been waiting long enough for the others.
 * @throws Error when none comes within a minute
 */
export async function untilParked(world: ProcessWorld, targets: readonly Target[]): Promise<Target[]> {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const { parked } = world.gateway.weather();
    const since = new Map(parked.map(({ ruleId, call }) => [ruleId, Date.parse(call.at)]));
    const there = targets.filter(({ ruleId }) => since.has(ruleId));
    const oldestAt = Math.min(...there.map(({ ruleId }) => since.get(ruleId) ?? Infinity));
    const waitedLongEnough = Date.now() - oldestAt > longestParkMs;
    if (there.length > 0 && (there.length === targets.length || waitedLongEnough)) return there;
    await sleep(20);
  }
  throw new Error(`never called: ${targets.map(({ ruleId }) => ruleId).join(', ')}`);
}

/** Brings each parked call to its boundary, and kills the worker there. Answers when (epoch ms). */
export async function killAtBoundaries(
  world: ProcessWorld,
  worker: WorkerProcess,
  targets: readonly Target[],
): Promise<number> {
  const at = (boundary: string) => targets.filter(({ point }) => point.boundary === boundary);
  const locks = await Promise.all(at('unrecorded').map((target) => lockStep(world, target)));
  // What the worker tells Temporal from here on gets lost with it.
  world.wire.hold();
  const answered = [...at('unrecorded'), ...at('untold')];
  for (const { id, ruleId } of world.gateway.weather().parked) {
    if (answered.some((target) => target.ruleId === ruleId)) world.gateway.release(id);
  }
  await Promise.all([
    ...locks.map((lock) => evident(lock.target, () => isUnrecorded(world, lock))),
    ...at('untold').map((target) => evident(target, () => isUntold(world, target))),
  ]);
  const killedAt = await worker.killHard();
  world.wire.letGo();
  await Promise.all(locks.map((lock) => lock.open()));
  return killedAt;
}

async function evident(target: Target, seen: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + evidenceMs;
  while (!(await seen())) {
    if (Date.now() > end) throw new Error(`${target.ruleId}: the worker was not seen to stand there`);
    await sleep(10);
  }
}

interface StepLock {
  readonly target: Target;
  /** Whether somebody waits for it. */
  isWaitedFor(): Promise<boolean>;
  /** Ends the sessions that wait for it, as the server does once it notices that their client is gone, and lets go. */
  open(): Promise<void>;
}

/** Takes the row that the step's result is written to. */
async function lockStep({ postgres }: ProcessWorld, target: Target): Promise<StepLock> {
  const client = new pg.Client({ connectionString: new URL('/tenantry', postgres.adminUrl).href });
  await client.connect();
  await client.query('begin');
  const { tenant, point } = target;
  const key = [tenant.tenantId, point.call.stepId];
  await client.query('select from steps where tenant_id = $1 and step_id = $2 for update', key);
  const waiting =
    "from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid)) and application_name = 'tenantry-worker'";
  return {
    target,
    isWaitedFor: async () => ((await client.query(`select ${waiting}`)).rowCount ?? 0) > 0,
    open: async () => {
      await client.query(`select pg_terminate_backend(pid, 5000) ${waiting}`);
      await client.query('rollback');
      await client.end();
    },
  };
}

/** The worker waits to write its result; or, where there is none to write, is about to tell Temporal. */
async function isUnrecorded(world: ProcessWorld, { target, isWaitedFor }: StepLock): Promise<boolean> {
  const { call } = target.point;
  const nothingToWrite = call.verb === 'remove' && world.wire.holds(target.tenant.workflowId);
  return nothingToWrite || (await isWaitedFor());
}

async function isUntold({ postgres }: ProcessWorld, { tenant, point }: Target): Promise<boolean> {
  const client = new pg.Client({ connectionString: postgres.controlUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ state: string }>(
      'select state from steps where tenant_id = $1 and step_id = $2',
      [tenant.tenantId, point.call.stepId],
    );
    return ['present', 'ready', 'removed'].includes(rows[0]?.state ?? '');
  } finally {
    await client.end();
  }
}

/** How the call of a target ended, as the call log has it. @throws Error when that is not what the point says */
export function parkedCallOf(world: ProcessWorld, { ruleId, point }: Target): CallRecord {
  const call = world.gateway.calls().find(({ fault }) => fault?.ruleId === ruleId);
  const answered = point.boundary === 'unrecorded' || point.boundary === 'untold';
  const hadEffect = answered ? call?.outcome === 'ok' : call?.outcome === 'parked' && call.effect !== undefined;
  if (!call || hadEffect !== (point.boundary !== 'before'))
    throw new Error(`${ruleId}: the call went otherwise: ${JSON.stringify(call)}`);
  return call;
}
