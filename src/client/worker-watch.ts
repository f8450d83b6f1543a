import { runbookPage } from '../contracts/advice.ts';
import { openOperationStates } from '../contracts/operation-state.ts';
import { ISOLATION_OVERDUE_MS } from '../contracts/isolation.ts';
import { countIsolations } from '../db/isolations.ts';
import { countAll } from '../db/summaries.ts';
import { startLoop, type Loop } from '../loop.ts';
import type { ClientDeps } from './requests.ts';
import { oneAtATime, withinLimit } from '../time-limit.ts';
import type { WorkersView } from './views.ts';

/** In ms. */
export interface WorkerWatchTimes {
  /** How often workers are looked for while watched. */
  readonly everyMs: number;
  /** After that a look tells nothing any more. */
  readonly countsMs: number;
  /** For how long no worker may be seen before it is an alert: a restart takes less. */
  readonly alertAfterMs: number;
}

export const workerWatchTimes: WorkerWatchTimes = { everyMs: 5_000, countsMs: 15_000, alertAfterMs: 30_000 };

/** How long a look may take, in ms. */
const LOOK_MS = 4_000;

/** What is known of the workers, without waiting for it. */
export interface WorkerWatch {
  /** As last seen. One that is not recent is looked for again, in the background. */
  seen(): WorkersView;
  /** Looks until stopped, and raises the alert `no-worker`: workers raise all others, so nobody would when there is none. */
  start(): Loop;
}

/** @param lookAtWorkers of `workersLook` */
export function createWorkerWatch(
  deps: Pick<ClientDeps, 'database' | 'log'>,
  lookAtWorkers: () => Promise<WorkersView>,
  times: WorkerWatchTimes = workerWatchTimes,
): WorkerWatch {
  let last: { readonly view: WorkersView; readonly atMs: number } | undefined;
  const look = oneAtATime(async () => {
    const view = await lookOrUnknown(deps, lookAtWorkers);
    last = { view, atMs: Date.now() };
    return view;
  });
  return {
    seen: () => {
      const ageMs = last === undefined ? Infinity : Date.now() - last.atMs;
      if (ageMs > times.everyMs) void look();
      return last === undefined || ageMs > times.countsMs ? notLooked : last.view;
    },
    start: () => {
      const alert = createNoWorkerAlert(deps, times.alertAfterMs);
      return startLoop({ name: 'worker-watch', everyMs: times.everyMs, log: deps.log }, async () =>
        alert(await look()),
      );
    },
  };
}

const notLooked: WorkersView = { state: 'unknown', detail: 'whether a worker polls was not looked at lately' };

async function lookOrUnknown(
  { log }: Pick<ClientDeps, 'log'>,
  lookAtWorkers: () => Promise<WorkersView>,
): Promise<WorkersView> {
  try {
    return await withinLimit(LOOK_MS, lookAtWorkers());
  } catch (err) {
    // Addresses and account names stay in the log.
    log.warn({ err }, 'whether a worker polls is not known');
    return { state: 'unknown', detail: 'whether a worker polls is not known: Temporal does not say' };
  }
}

/** A stuck one waits for a person. */
const waitingStates = openOperationStates.filter((state) => state !== 'stuck');

/**
 * Raises the alert `no-worker`, once, when no worker has been seen for so long and operations wait for one. A look that tells
 * nothing changes nothing.
 */
function createNoWorkerAlert(
  { database, log }: Pick<ClientDeps, 'database' | 'log'>,
  alertAfterMs: number,
): (workers: WorkersView) => Promise<void> {
  let absence: { readonly since: Date; raised: boolean } | undefined;
  return async ({ state, detail }) => {
    if (state === 'unknown') return;
    if (state === 'polling') {
      if (absence?.raised === true) log.info('a worker polls again');
      absence = undefined;
      return;
    }
    absence ??= { since: new Date(), raised: false };
    if (absence.raised || Date.now() - absence.since.getTime() < alertAfterMs) return;
    const { openOperations } = await withinLimit(LOOK_MS, countAll(database));
    const { pending: isolations } = await withinLimit(LOOK_MS, countIsolations(database, ISOLATION_OVERDUE_MS));
    const states = waitingStates.map((name) => [name, openOperations[name] ?? 0] as const);
    const waiting = { ...Object.fromEntries(states), ...(isolations > 0 && { isolations }) };
    if (Object.values(waiting).every((count) => count === 0)) return;
    absence.raised = true;
    const at = { alert: 'no-worker', since: absence.since, detail, waiting, runbook: runbookPage('no-worker') };
    log.error(at, 'operations wait and no worker polls: nothing goes on until one is started');
  };
}
