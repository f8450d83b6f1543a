import type { Logger } from 'pino';
import { createAwsForPlatform } from '../aws/cell-aws.ts';
import { loadCatalog } from '../catalog/load.ts';
import { temporalOrchestrator } from '../client/temporal-orchestrator.ts';
import { createTenantryClient } from '../client/tenantry.ts';
import type { Config } from '../config.ts';
import { createDatabase, DatabaseUnavailableError } from '../db/database.ts';
import { findInstallationId } from '../db/installation.ts';
import { sharedTokens } from '../db/rate-buckets.ts';
import { createTenantDatabases } from '../db/tenant-databases.ts';
import { createTemporalClient } from '../temporal/client.ts';
import { ForeignNamespaceError } from './dependencies.ts';
import { createSweep, type Sweep } from './sweep.ts';
import { refuseForeignNamespace, createTemporalRuns } from './temporal-runs.ts';

export interface OpenSweep {
  readonly sweep: Sweep;
  close(): Promise<void>;
}

/**
 * A sweep with connections of its own, for a process that does nothing else.
 * @throws DatabaseUnavailableError, ForeignNamespaceError
 */
export async function openSweep(config: Config, log: Logger): Promise<OpenSweep> {
  const catalog = await loadCatalog(config.catalogFile);
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 4, applicationName: 'tenantry-sweep' });
  const tenantDatabases = createTenantDatabases(config.tenantDatabaseUrls, catalog.migrations);
  const pacing = { lease: sharedTokens(database) };
  const aws = createAwsForPlatform(config.platform, { endpointUrl: config.awsEndpointUrl, pacing });
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  const orchestrator = temporalOrchestrator(temporal.client);
  const { platform } = config;
  const client = createTenantryClient({ database, orchestrator, platform, catalog, log });
  const close = async () => {
    await client.close();
    await temporal.close();
    aws.destroy();
    await tenantDatabases.close();
    await database.close();
  };
  try {
    await refuseKnownForeign({ temporal: temporal.client, database }, log);
    const installationId = await findInstallationId(database);
    const temporalRuns = createTemporalRuns({ temporal: temporal.client, orchestrator, client, database, log });
    const sweep = createSweep({ database, tenantDatabases, platform, catalog, installationId, aws, temporalRuns, log });
    return { sweep, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A Temporal that does not answer is no reason to report nothing: it is asked again before each answer about runs. */
async function refuseKnownForeign(deps: Parameters<typeof refuseForeignNamespace>[0], log: Logger): Promise<void> {
  try {
    await refuseForeignNamespace(deps);
  } catch (error) {
    if (error instanceof ForeignNamespaceError || error instanceof DatabaseUnavailableError) throw error;
    log.warn({ err: error }, 'Temporal does not say which namespace this is');
  }
}
