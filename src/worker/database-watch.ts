import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import { DatabaseUnavailableError, type Database } from '../db/database.ts';

/** How often a running worker looks at how its sessions are set up, in ms. */
export const DATABASE_EVERY_MS = 30_000;
/** A fail-over leaves a server read-only for a while: what was wrong in two looks in a row is told. */
const ALERT_AFTER_ROUNDS = 2;

/**
 * A round that looks at the control plane's database. Raises the alert `database-unusable`, once, for what does not pass by
 * itself (a login refused, a role that only reads, a pooler that drops settings): all work waits for it without limit.
 */
export function createDatabaseWatch(deps: {
  database: Pick<Database, 'sessionProblems'>;
  log: Pick<Logger, 'error' | 'info'>;
}): () => Promise<void> {
  let rounds = 0;
  return async () => {
    const problems = await problemsOf(deps.database);
    if (problems.length === 0 && rounds >= ALERT_AFTER_ROUNDS) deps.log.info('the database can be used again');
    rounds = problems.length === 0 ? 0 : rounds + 1;
    if (rounds !== ALERT_AFTER_ROUNDS) return;
    const at = { alert: 'database-unusable', problems, runbook: runbookPage('database-unusable') };
    deps.log.error(at, 'the database cannot be used as it is set up: all work waits until that is fixed');
  };
}

/** An outage is no finding: it passes, and `/readyz` and `operation-slow` tell of it. */
async function problemsOf(database: Pick<Database, 'sessionProblems'>): Promise<string[]> {
  try {
    return await database.sessionProblems();
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError)) throw error;
    return error.remedy === undefined ? [] : [error.message];
  }
}
