import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import { startGateway, type Gateway } from '../../sandbox/gateway/gateway.ts';
import { seedLandingZone } from '../../sandbox/landing-zone/seed.ts';
import { startPostgres, type Postgres } from '../../sandbox/parts/postgres.ts';
import { startTemporalServer } from '../../sandbox/parts/temporal-server.ts';
import { difference, takeInventory, type InventoryItem } from '../../sandbox/stack/inventory.ts';
import { createActivities, kindRegistry } from '../../src/activities/create-activities.ts';
import { createAwsForPlatform, type PlatformAws } from '../../src/aws/cell-aws.ts';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import { createTenantryClient, type TenantryClient } from '../../src/client/tenantry.ts';
import type { StatusView } from '../../src/client/views.ts';
import { searchAttributes, TASK_QUEUE } from '../../src/contracts/ids.ts';
import type { OnFailure } from '../../src/contracts/operation-state.ts';
import type { Platform } from '../../src/contracts/platform.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createTenantDatabases, type TenantDatabases } from '../../src/db/tenant-databases.ts';
import { products } from '../../src/products/index.ts';
import { createDataConverter } from '../../src/temporal/data-converter.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { inWeather, type Weather } from './faults.ts';

/** The real control plane over a real Temporal server, PostgreSQL, and AWS behind the gateway, where everything is quick. */
export interface SagaWorld {
  readonly platform: Platform;
  readonly weather: Weather;
  readonly client: TenantryClient;
  readonly database: Database;
  readonly gateway: Gateway;
  /** Starts a tenant of the product and answers its id and a promise of how its workflow ends. */
  provision(product: string, onFailure?: OnFailure, slug?: string): Promise<Run>;
  deprovision(run: Run): Promise<Run>;
  /** How the workflow of a run ended: what it answered, or the type of its failure. */
  outcome(run: Run): Promise<string>;
  /** Waits until the tenant's operation is in that state; fails after `limitMs`. */
  until(run: Run, state: string, limitMs?: number): Promise<StatusView>;
  inventory(): Promise<InventoryItem[]>;
  close(): Promise<void>;
}

export interface Run {
  readonly tenantId: string;
  readonly slug: string;
  readonly workflowId: string;
}

export async function startSagaWorld(): Promise<SagaWorld> {
  const stops: (() => Promise<void>)[] = [];
  try {
    return await assemble(stops);
  } catch (error) {
    for (const stop of stops.reverse()) await stop();
    throw error;
  }
}

async function assemble(stops: (() => Promise<void>)[]): Promise<SagaWorld> {
  const log = pino({ level: 'silent' });
  const [postgres, aws] = await Promise.all([ownPostgres(stops), ownAws(stops)]);
  const { host, port } = postgres;
  const platform = await seedLandingZone({ ...aws.target, database: { host, port, name: 'tenants' } });
  await migrate(postgres.controlUrl);
  const database = createDatabase({ url: postgres.controlUrl, maxConnections: 20 });
  const tenantDatabases = createTenantDatabases({ primary: postgres.tenantUrl });
  await tenantDatabases.closeToPublic();
  const adapters = createAwsForPlatform(platform, {
    endpointUrl: aws.gateway.url,
    credentials: aws.target.credentials,
    pacing: { factor: Infinity },
  });
  stops.push(async () => {
    adapters.destroy();
    await tenantDatabases.close();
    await database.close();
  });
  const weather: Weather = { faults: [], twice: undefined, struck: [] };
  const temporal = await ownTemporal(
    stops,
    await activities({ database, tenantDatabases, adapters, platform, weather, log }),
  );
  const client = createTenantryClient({
    database,
    orchestrator: temporalOrchestrator(temporal),
    platform,
    products,
    log,
  });
  stops.push(() => client.close());
  const inventory = () => takeInventory(aws.gateway.url, new URL('/tenants', postgres.adminUrl).href);
  return {
    platform,
    weather,
    client,
    database,
    gateway: aws.gateway,
    inventory,
    provision: (product, onFailure = 'rollback', slug = `s-${randomUUID().slice(0, 8)}`) =>
      provision(client, { product, onFailure, slug }),
    deprovision: async (run) => {
      await client.deleteTenant(run.tenantId, run.slug);
      return run;
    },
    outcome: ({ workflowId }) => outcomeOf(temporal, workflowId),
    until: (run, state, limitMs) => until(client, run, state, limitMs),
    close: async () => {
      for (const stop of stops.splice(0).reverse()) await stop();
    },
  };
}

/** Roles belong to the whole server, so an inventory needs one that nobody else uses. */
async function ownPostgres(stops: (() => Promise<void>)[]): Promise<Postgres> {
  const postgres = await startPostgres({ log: () => undefined });
  stops.push(() => postgres.stop());
  return postgres;
}

async function ownAws(stops: (() => Promise<void>)[]) {
  const { url: upstreamUrl } = await part('ministack');
  const gateway = await startGateway({ upstreamUrl, time: 'fast' });
  stops.push(() => gateway.close());
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  return { gateway, target: { endpointUrl: gateway.url, region: 'us-east-1', credentials } };
}

interface ActivityParts {
  readonly database: Database;
  readonly tenantDatabases: TenantDatabases;
  readonly adapters: PlatformAws;
  readonly platform: Platform;
  readonly weather: Weather;
  readonly log: Logger;
}

async function activities({ adapters, weather, ...deps }: ActivityParts) {
  const installationId = await findInstallationId(deps.database);
  return createActivities({ ...deps, installationId, aws: adapters, kinds: inWeather(kindRegistry, weather) });
}

/** A server of its own: worlds of other test files poll the same task queue. */
async function ownTemporal(stops: (() => Promise<void>)[], registry: object): Promise<Client> {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] });
  const keywords = Object.fromEntries(searchAttributes.map((name) => [name, 'Keyword' as const]));
  const server = await startTemporalServer({ log: () => undefined, uiPort: false, searchAttributes: keywords });
  stops.push(() => server.stop());
  const { address, namespace } = server;
  const dataConverter = createDataConverter([randomBytes(32)]);
  const [connection, nativeConnection] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const worker = await Worker.create({
    connection: nativeConnection,
    namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundlePath() },
    activities: registry,
    dataConverter,
  });
  const running = worker.run();
  stops.push(async () => {
    worker.shutdown();
    await running;
    await Promise.all([connection.close(), nativeConnection.close()]);
  });
  return new Client({ connection, namespace, dataConverter });
}

interface Wish {
  readonly product: string;
  readonly onFailure: OnFailure;
  readonly slug: string;
}

async function provision(client: TenantryClient, { product, onFailure, slug }: Wish): Promise<Run> {
  const { tenantId, workflowId } = await client.createTenant({
    product,
    slug,
    displayName: `Saga ${slug}`,
    contactEmail: 'saga@example.com',
    onFailure,
  });
  return { tenantId, slug, workflowId };
}

async function outcomeOf(temporal: Client, workflowId: string): Promise<string> {
  try {
    const result = (await temporal.workflow.getHandle(workflowId).result()) as { outcome: string };
    return result.outcome;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (typeof cause === 'object' && cause !== null && 'type' in cause) return String(cause.type);
    throw error;
  }
}

async function until(client: TenantryClient, run: Run, state: string, limitMs = 40_000): Promise<StatusView> {
  const end = Date.now() + limitMs;
  for (;;) {
    const status = await client.status(run.tenantId);
    if (status.operation.state === state) return status;
    if (Date.now() > end) {
      const { operation, error, currentSteps } = status;
      throw new Error(`still ${operation.state}, not ${state}: ${JSON.stringify({ error, currentSteps })}`);
    }
    await sleep(100);
  }
}

export { difference };
