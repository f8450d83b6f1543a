import type { Logger } from 'pino';
import { createAwsForPlatform } from '../aws/cell-aws.ts';
import { loadCatalog } from '../catalog/load.ts';
import type { Config } from '../config.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { findInstallationId } from '../db/installation.ts';
import { sharedTokens } from '../db/rate-buckets.ts';
import { createTenantDatabases } from '../db/tenant-databases.ts';
import { createDrift, type Drift } from './drift.ts';

export interface OpenDrift {
  readonly drift: Drift;
  readonly database: Database;
  close(): Promise<void>;
}

/** With connections of its own, for a process that does nothing else. @throws DatabaseUnavailableError */
export async function openDrift(config: Config, log: Logger): Promise<OpenDrift> {
  const { kinds, migrations } = await loadCatalog(config.catalogFile);
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 6, applicationName: 'tenantry-drift' });
  const tenantDatabases = createTenantDatabases(config.tenantDatabaseUrls, migrations);
  const pacing = { lease: sharedTokens(database) };
  const { awsEndpointUrl: endpointUrl, platform } = config;
  const aws = createAwsForPlatform(platform, { endpointUrl, pacing });
  const close = async () => {
    aws.destroy();
    await tenantDatabases.close();
    await database.close();
  };
  try {
    const installationId = await findInstallationId(database);
    const drift = createDrift({ database, tenantDatabases, platform, installationId, aws, kinds, log });
    return { drift, database, close };
  } catch (error) {
    await close();
    throw error;
  }
}
