import { pendingMigrations } from '../db/migrate.ts';
import { ForeignOrchestratorError } from './orchestrator.ts';
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
    check('the task queue', async () => pollersCheck(await orchestrator.pollers())),
  ]);
  return { postgresql, temporal, workers };
}

function migrationsCheck(pending: readonly string[]): Check {
  return pending.length === 0
    ? { ok: true, detail: 'reachable, up to date' }
    : { ok: false, detail: `migrations are missing: ${pending.join(', ')}` };
}

function pollersCheck(pollers: number): Check {
  return pollers > 0
    ? { ok: true, detail: `${pollers} pollers` }
    : { ok: false, detail: 'no worker polls the task queue' };
}
