import type { Queryable } from '../db/database.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { listDeadWorkers } from '../db/worker-heartbeats.ts';
import { ForeignOrchestratorError, type Orchestrator, type Poller } from './orchestrator.ts';
import type { ClientDeps } from './requests.ts';

export interface Check {
  readonly ok: boolean;
  readonly detail: string;
}

/** Whether all that the client needs is there, each by name. */
export interface Readiness {
  readonly postgresql: Check;
  readonly temporal: Check;
  readonly workers: Check;
}

export async function checkReadiness({ database, orchestrator, log }: ClientDeps): Promise<Readiness> {
  const check = async (name: string, look: () => Promise<Check>): Promise<Check> => {
    try {
      return await look();
    } catch (error) {
      // Addresses and account names stay in the log.
      log.warn({ err: error, check: name }, 'readiness check failed');
      if (error instanceof ForeignOrchestratorError) return { ok: false, detail: error.message };
      return { ok: false, detail: `${name} cannot be reached` };
    }
  };
  const [postgresql, temporal, workers] = await Promise.all([
    check('PostgreSQL', async () => migrationsCheck(await pendingMigrations(database))),
    check('Temporal', async () => {
      await orchestrator.ping();
      return { ok: true, detail: 'reachable' };
    }),
    check('the task queue', () => checkWorkers(database, orchestrator)),
  ]);
  return { postgresql, temporal, workers };
}

/** Whether a worker lives that takes runs. */
export async function checkWorkers(db: Queryable, orchestrator: Pick<Orchestrator, 'pollers'>): Promise<Check> {
  const { size } = await livingWorkers(db, await orchestrator.pollers());
  if (size === 0) return { ok: false, detail: 'no worker polls the task queue' };
  return { ok: true, detail: size === 1 ? '1 worker polls' : `${size} workers poll` };
}

function migrationsCheck(pending: readonly string[]): Check {
  return pending.length === 0
    ? { ok: true, detail: 'reachable, up to date' }
    : { ok: false, detail: `migrations are missing: ${pending.join(', ')}` };
}

/** A live worker's poll lasts at most a minute and begins anew: one that has not polled for so long does not poll any more, in ms. */
const POLL_COUNTS_MS = 75_000;

/**
 * Who polls now, by name. Temporal keeps a poller for five minutes, and one that was cut off looks for a minute like one whose poll
 * lasts; so the workers' own heartbeats decide about those that have any.
 */
async function livingWorkers(db: Queryable, pollers: readonly Poller[]): Promise<ReadonlySet<string>> {
  // That PostgreSQL cannot be read is another check's finding.
  const dead = await listDeadWorkers(db).catch(() => new Set<string>());
  const recent = pollers.filter(({ lastAccessAt }) => Date.now() - lastAccessAt.getTime() <= POLL_COUNTS_MS);
  return new Set(recent.map(({ identity }) => identity).filter((identity) => !dead.has(identity)));
}
