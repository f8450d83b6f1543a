import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { createClosedDatabase, dropDatabase } from '../../sandbox/parts/postgres-databases.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { part, type Parts } from './parts.ts';

export type TestDatabase = {
  /** An empty control-plane database, as its owner. */
  controlUrl: string;
  /** An empty database for tenants' schemas, as the provisioner. */
  tenantUrl: string;
  /** The tenants' database as superuser, for oracles. Roles are the whole server's: those of other test files show. */
  adminUrl: string;
  /** The control-plane database as superuser. */
  adminControlUrl: string;
  drop(): Promise<void>;
};

/** A pair of databases for one test file, on the PostgreSQL that the run shares or on one of its own. */
export async function createTestDatabase(server?: Parts['postgres']): Promise<TestDatabase> {
  const urls = server ?? (await part('postgres'));
  const id = randomBytes(5).toString('hex');
  const [control, tenants] = [`control_${id}`, `tenants_${id}`];
  await createClosedDatabase(urls.adminUrl, control, 'tenantry');
  await createClosedDatabase(urls.adminUrl, tenants, 'provisioner');
  return {
    controlUrl: inDatabase(urls.controlUrl, control),
    tenantUrl: inDatabase(urls.tenantUrl, tenants),
    adminUrl: inDatabase(urls.adminUrl, tenants),
    adminControlUrl: inDatabase(urls.adminUrl, control),
    drop: async () => {
      await dropDatabase(urls.adminUrl, control);
      await dropDatabase(urls.adminUrl, tenants);
    },
  };
}

/** Opens a migrated control-plane database before the tests of a file and drops it after them. */
export function useControlDatabase(opened: (db: Database) => void): void {
  let close = (): Promise<void> => Promise.resolve();
  beforeAll(async () => {
    const test = await createTestDatabase();
    await migrate(test.controlUrl);
    const db = createDatabase({ url: test.controlUrl });
    close = async () => {
      await db.close();
      await test.drop();
    };
    opened(db);
  });
  afterAll(() => close());
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
