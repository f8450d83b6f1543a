import { once } from 'node:events';
import type { Logger } from 'pino';
import { loadCatalog } from '../catalog/load.ts';
import { authenticatorsOf } from '../api/access/authenticators.ts';
import { startApiServer } from '../api/server.ts';
import { temporalOrchestrator } from '../client/temporal-orchestrator.ts';
import { tiedOrchestrator } from '../client/tied-orchestrator.ts';
import { createTenantryClient } from '../client/tenantry.ts';
import type { Config } from '../config.ts';
import { createDatabase } from '../db/database.ts';
import { createTemporalClient } from '../temporal/client.ts';
import { EncryptionCodec } from '../temporal/codec.ts';

/** Runs the API until `stop`; PostgreSQL and Temporal may come later, `/readyz` tells. */
export async function serveApi(config: Config, log: Logger, stop: AbortSignal): Promise<void> {
  const database = createDatabase({ url: config.databaseUrl, applicationName: 'tenantry-api' });
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  const codec = new EncryptionCodec(config.payloadKeys);
  const client = createTenantryClient({
    database,
    orchestrator: tiedOrchestrator(temporalOrchestrator(temporal.client), { database, temporal }),
    platform: config.platform,
    catalog: await loadCatalog(config.catalogFile),
    deletionGraceMs: config.deletionGraceMs,
    switchedOff: config.switchedOff,
    codec,
    webhookPolicy: { allowLoopback: config.webhookAllowLoopback },
    log,
  });
  try {
    const server = await startApiServer({
      client,
      authenticators: authenticatorsOf(config, { database, log }),
      codec,
      uiOrigin: config.temporalUiOrigin,
      log,
      publicHosts: config.publicHosts,
      trustedProxies: config.trustedProxies,
      limits: config.limits,
      corsOrigins: config.corsOrigins,
      host: config.apiHost,
      port: config.apiPort,
      drainDelayMs: config.drainDelayMs,
    });
    log.info({ url: server.url }, 'the API listens');
    if (!stop.aborted) await once(stop, 'abort');
    await server.close();
  } finally {
    await client.close();
    await temporal.close();
    await database.close();
  }
}
