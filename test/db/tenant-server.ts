import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { StepError } from '../../src/contracts/step-error.ts';
import { createTenantDatabases, type TenantDatabases } from '../../src/db/tenant-databases.ts';
import type { SchemaKey } from '../../src/db/tenant-schema-key.ts';
import { schemaName } from '../../src/naming.ts';

export const unguarded = () => Promise.resolve();
export const password = 'a-password-of-a-tenant';

/** A tenants' database as its provisioner and as a superuser. */
export interface TenantServer {
  readonly databases: TenantDatabases;
  readonly admin: pg.Pool;
  /** Role and schema of a new tenant; `sql` runs as its role, with its schema first in the path. */
  make(sql?: string): Promise<SchemaKey>;
  remove(key: SchemaKey): Promise<void>;
  /** Ends what `databases` and `admin` hold open, and removes each tenant that is still there. */
  close(): Promise<void>;
}

export function openTenantServer(urls: { tenantUrl: string; adminUrl: string }): TenantServer {
  const databases = createTenantDatabases({ primary: urls.tenantUrl }, defaultCatalog.migrations);
  const admin = new pg.Pool({ connectionString: urls.adminUrl, max: 2 });
  admin.on('error', () => undefined);
  const made: SchemaKey[] = [];
  const remove = (key: SchemaKey) => databases.dropSchemaAndRole(key, unguarded);
  return {
    databases,
    admin,
    remove,
    make: async (sql = '') => {
      const key = newKey();
      made.push(key);
      await databases.ensureRole(key, { password, connectionLimit: 5 }, unguarded);
      await databases.ensureSchema(key, unguarded);
      await admin.query(`begin; set local role ${key.name}; set local search_path = ${key.name}; ${sql}; commit`);
      return key;
    },
    close: async () => {
      await Promise.all(made.map(remove));
      await databases.close();
      await admin.end();
    },
  };
}

export function newKey(): SchemaKey {
  const tenantId = randomUUID();
  const [installationId, operationId] = [randomUUID(), randomUUID()];
  const ownership = { installationId, tenantId, product: 'moamalat', operationId, stepId: 'create_schema' };
  return { database: 'primary', name: schemaName(tenantId), ownership };
}

/** How it was refused. */
export async function refusalOf(attempt: Promise<unknown>): Promise<StepError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof StepError) return error;
  throw new Error('it was not refused', { cause: error });
}

/** What a refusal says frees the things that it names. */
export function statementsOf(message: string): string[] {
  return [...message.matchAll(/\(free it with: (.*?)\)(?=;|$)/gs)].map(([, statement = '']) => statement);
}
