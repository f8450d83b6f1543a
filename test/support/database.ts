import { randomBytes } from 'node:crypto';
import { createClosedDatabase, dropDatabase } from '../../sandbox/parts/postgres-databases.ts';
import { part } from './parts.ts';

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

/** A pair of databases for one test file, on the PostgreSQL that the run shares. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const urls = await part('postgres');
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

function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
