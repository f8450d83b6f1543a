import { DatabaseUnavailableError, type Queryable } from '../db/database.ts';
import { NewerDatabaseError, pendingMigrations } from '../db/migrate.ts';
import { ForeignOrchestratorError, type Orchestrator } from './orchestrator.ts';
import type { ClientDeps } from './requests.ts';
import { oneAtATime, TimeLimitError, withinLimit } from '../time-limit.ts';
import type { WorkersView } from './views.ts';
import { workersLook } from './workers.ts';

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

/** How long each part is waited for, in ms: who asks gives up soon. */
const CHECK_MS = 2_500;

/** @param lookAtWorkers of {@link workersLook} */
export function readinessCheck(
  { database, orchestrator, log }: ClientDeps,
  lookAtWorkers: () => Promise<WorkersView>,
): () => Promise<Readiness> {
  const check = (name: string, look: () => Promise<Check>): (() => Promise<Check>) => {
    const ask = oneAtATime(look);
    return async () => {
      try {
        return await withinLimit(CHECK_MS, ask());
      } catch (error) {
        // Addresses and account names stay in the log.
        log.warn({ err: error, check: name }, 'readiness check failed');
        return { ok: false, detail: failureOf(name, error) };
      }
    };
  };
  const postgresql = check('PostgreSQL', () => migrationsCheck(database));
  const temporal = check('Temporal', async () => {
    await orchestrator.ping();
    return { ok: true, detail: 'reachable' };
  });
  const workers = check('the task queue', async () => checkOf(await lookAtWorkers()));
  return async () => {
    const [ofPostgresql, ofTemporal, ofWorkers] = await Promise.all([postgresql(), temporal(), workers()]);
    return { postgresql: ofPostgresql, temporal: ofTemporal, workers: ofWorkers };
  };
}

/** Whether a worker lives that takes runs. */
export async function checkWorkers(db: Queryable, orchestrator: Pick<Orchestrator, 'pollers'>): Promise<Check> {
  return checkOf(await workersLook(db, orchestrator)());
}

function checkOf({ state, detail }: WorkersView): Check {
  return { ok: state === 'polling', detail };
}

function failureOf(name: string, error: unknown): string {
  if (error instanceof ForeignOrchestratorError) return error.message;
  if (error instanceof DatabaseUnavailableError)
    return error.remedy === undefined ? error.reason : `${error.reason}: ${error.remedy}`;
  if (error instanceof TimeLimitError) return `${name} is unknown: ${error.message}`;
  return `${name} cannot be reached`;
}

/** In an upgrade the API of the release before goes on until the new one is there. */
async function migrationsCheck(database: ClientDeps['database']): Promise<Check> {
  const pending = await pendingMigrations(database).catch((error: unknown) => {
    if (error instanceof NewerDatabaseError) return error;
    throw error;
  });
  if (pending instanceof NewerDatabaseError)
    return { ok: true, detail: `reachable; ${pending.message}: upgrade this API` };
  return pending.length === 0
    ? { ok: true, detail: 'reachable, up to date' }
    : { ok: false, detail: `migrations are missing: ${pending.join(', ')}` };
}
