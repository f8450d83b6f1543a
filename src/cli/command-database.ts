import { loadDatabaseUrl } from '../config.ts';
import type { Database } from '../db/database.ts';

/** The control database, for one command at a time; PostgreSQL shows it as `tenantry-<command>`. @throws ConfigError */
export async function commandDatabase(command: string): Promise<Database> {
  const url = loadDatabaseUrl();
  const { createDatabase } = await import('../db/database.ts');
  return createDatabase({ url, maxConnections: 1, applicationName: `tenantry-${command}` });
}
