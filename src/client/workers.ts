import type { Queryable } from '../db/database.ts';
import { listHeartbeats, type Heartbeat } from '../db/worker-heartbeats.ts';
import type { Orchestrator, Poller } from './orchestrator.ts';
import { oneAtATime, withinLimit } from '../time-limit.ts';
import type { WorkersView } from './views.ts';

/** A live worker's poll lasts at most a minute and begins anew: one that has not polled for so long does not poll any more, in ms. */
export const POLL_COUNTS_MS = 75_000;
/** How long PostgreSQL is waited for, in ms. */
const HEARTBEATS_MS = 1_500;

/**
 * Looks whether a worker lives that takes runs. Temporal keeps a poller for five minutes, and one that was cut off looks for a minute
 * like one whose poll lasts; so the workers' own heartbeats decide about those that have any.
 *
 * @returns a function that throws OrchestratorUnreachableError when Temporal does not say who polls
 */
export function workersLook(db: Queryable, orchestrator: Pick<Orchestrator, 'pollers'>): () => Promise<WorkersView> {
  const heartbeats = oneAtATime(() => listHeartbeats(db));
  return async () =>
    viewOf(
      ...(await Promise.all([orchestrator.pollers(), withinLimit(HEARTBEATS_MS, heartbeats()).catch(() => undefined)])),
    );
}

function viewOf(pollers: readonly Poller[], heartbeats: readonly Heartbeat[] | undefined): WorkersView {
  const recent = agesOf(pollers.filter((poller) => ageOf(poller) <= POLL_COUNTS_MS));
  if (heartbeats !== undefined) return judgeByHeartbeats(recent, heartbeats, agesOf(pollers));
  if (recent.size === 0) return none(agesOf(pollers));
  const polled = `${counted(recent.size)} last polled ${span(recent)}`;
  return { state: 'unknown', detail: `${polled}; PostgreSQL does not say whether any is still alive` };
}

function judgeByHeartbeats(
  recent: ReadonlyMap<string, number>,
  heartbeats: readonly Heartbeat[],
  known: ReadonlyMap<string, number>,
): WorkersView {
  const beats = new Map(heartbeats.map((beat) => [beat.identity, beat]));
  const lastSeen = (ages: ReadonlyMap<string, number>) =>
    new Map([...ages].map(([identity, agoMs]) => [identity, Math.min(agoMs, beats.get(identity)?.agoMs ?? agoMs)]));
  const alive = lastSeen(new Map([...recent].filter(([identity]) => beats.get(identity)?.isDead !== true)));
  if (alive.size === 0) return none(lastSeen(known));
  return { state: 'polling', detail: `${counted(alive.size)}, last seen ${span(alive)}` };
}

function none(known: ReadonlyMap<string, number>): WorkersView {
  const last = known.size === 0 ? '' : `; the last one was seen ${seconds(Math.min(...known.values()))} ago`;
  return { state: 'none', detail: `no worker polls the task queue${last}` };
}

/** A worker polls with several pollers: its newest poll counts. */
function agesOf(pollers: readonly Poller[]): ReadonlyMap<string, number> {
  const ages = new Map<string, number>();
  for (const poller of pollers)
    ages.set(poller.identity, Math.min(ageOf(poller), ages.get(poller.identity) ?? Infinity));
  return ages;
}

function ageOf({ lastAccessAt }: Poller): number {
  return Math.max(0, Date.now() - lastAccessAt.getTime());
}

function counted(n: number): string {
  return n === 1 ? '1 worker' : `${n} workers`;
}

function span(ages: ReadonlyMap<string, number>): string {
  const [first, last] = [seconds(Math.min(...ages.values())), seconds(Math.max(...ages.values()))];
  return first === last ? `${first} ago` : `${first} to ${last} ago`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
