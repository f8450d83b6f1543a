import type { Logger } from 'pino';
import { createAwsForPlatform } from '../aws/cell-aws.ts';
import { temporalOrchestrator } from '../client/temporal-orchestrator.ts';
import { createTenantryClient } from '../client/tenantry.ts';
import type { Config } from '../config.ts';
import { createDatabase } from '../db/database.ts';
import { findInstallationId } from '../db/installation.ts';
import { createTenantDatabases } from '../db/tenant-databases.ts';
import { products } from '../products/index.ts';
import { createTemporalClient } from '../temporal/client.ts';
import { createSweep, type Sweep } from './sweep.ts';
import { temporalWitness } from './temporal-witness.ts';

export interface OpenSweep {
  readonly sweep: Sweep;
  close(): Promise<void>;
}

/** A sweep with connections of its own, for a process that does nothing else. @throws DatabaseUnavailableError */
export async function openSweep(config: Config, log: Logger): Promise<OpenSweep> {
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 4, applicationName: 'tenantry-sweep' });
  const tenantDatabases = createTenantDatabases(config.tenantDatabaseUrls);
  const aws = createAwsForPlatform(config.platform, { endpointUrl: config.awsEndpointUrl });
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  const orchestrator = temporalOrchestrator(temporal.client);
  const { platform } = config;
  const client = createTenantryClient({ database, orchestrator, platform, products, log });
  const close = async () => {
    await client.close();
    await temporal.close();
    aws.destroy();
    await tenantDatabases.close();
    await database.close();
  };
  try {
    const installationId = await findInstallationId(database);
    const witness = temporalWitness({ temporal: temporal.client, orchestrator, client, database, log });
    const sweep = createSweep({ database, tenantDatabases, platform, products, installationId, aws, witness, log });
    return { sweep, close };
  } catch (error) {
    await close();
    throw error;
  }
}
