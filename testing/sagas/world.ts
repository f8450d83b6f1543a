import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import { startGateway, type Gateway } from '../../sandbox/gateway/gateway.ts';
import { difference, sortItems, takeInventory, type InventoryItem } from '../../sandbox/inventory/inventory.ts';
import type { Product } from '../../src/products/product.ts';
import type { AwsTarget } from '../../sandbox/landing-zone/clients.ts';
import { seedLandingZone } from '../../sandbox/landing-zone/seed.ts';
import { startMinistack } from '../../sandbox/parts/ministack.ts';
import { startPostgres, type Postgres } from '../../sandbox/parts/postgres.ts';
import { startPostgresProxy, type PostgresProxy } from '../../sandbox/parts/postgres-proxy.ts';
import { startTemporalServer } from '../../sandbox/parts/temporal-server.ts';
import { createDriftActivities } from '../../src/activities/drifting.ts';
import { createHealthActivities } from '../../src/activities/health-checking.ts';
import { createIsolationActivities } from '../../src/activities/isolation.ts';
import { createActivities } from '../../src/activities/create-activities.ts';
import { createKindRegistry } from '../../src/kinds/framework/registry.ts';
import { createAwsForPlatform, type CellAws, type CellAwsOptions, type PlatformAws } from '../../src/aws/cell-aws.ts';
import type { Orchestrator, RunRequest } from '../../src/client/orchestrator.ts';
import { startAccepted, startOnceFree } from '../../src/client/starting.ts';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import type { ClientDeps } from '../../src/client/requests.ts';
import { createTenantryClient, type TenantryClient } from '../../src/client/tenantry.ts';
import type { StatusView } from '../../src/client/views.ts';
import { searchAttributes, TASK_QUEUE, taskQueues } from '../../src/contracts/ids.ts';
import { isOpen, type OnFailure } from '../../src/contracts/operation-state.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import type { OperationType } from '../../src/contracts/operation-table.ts';
import type { Platform } from '../../src/contracts/platform.ts';
import { findAppliedBlueprint } from '../../src/db/blueprints.ts';
import { insertOperation } from '../../src/db/operations.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createTenantDatabases } from '../../src/db/tenant-databases.ts';
import { defaultCatalog, type Catalog } from '../../src/catalog/catalog.ts';
import { createDrift, type Drift } from '../../src/drift/drift.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { createDataConverter } from '../../src/temporal/data-converter.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { caller } from '../caller.ts';
import { looksPerStep } from '../looks-per-step.ts';
import { listOwn, type OwnListers } from '../own-listers.ts';
import { freshAccountId } from '../parts.ts';
import { withFaultInjection, type FaultInjection } from './faults.ts';

/** The real control plane over a real Temporal server, PostgreSQL, and AWS behind the gateway, where everything is quick. */
export interface SagaWorld {
  readonly platform: Platform;
  readonly injection: FaultInjection;
  readonly client: TenantryClient;
  readonly database: Database;
  readonly gateway: Gateway;
  /** Looks at what is not as it was applied. */
  readonly drift: Drift;
  /** For whoever changes things by hand. */
  readonly target: AwsTarget;
  readonly temporal: Client;
  /** Undefined unless it was asked for. */
  readonly proxy: PostgresProxy | undefined;
  /** Starts a tenant of the product and answers its id and a promise of how its workflow ends. */
  provision(product: string, onFailure?: OnFailure, slug?: string, tier?: string | null): Promise<Run>;
  deprovision(run: Run): Promise<Run>;
  /** Starts an operation (an update by default) that walks a tenant to its applied steps, changed. */
  change(run: Run, change: (steps: readonly Step[]) => readonly Step[], type?: OperationType): Promise<Run>;
  /** How the workflow of a run ended: what it answered, or the type of its failure. */
  outcome(run: Run): Promise<string>;
  /** Waits until the tenant's operation is in that state; fails after `limitMs`. */
  until(run: Run, state: string, limitMs?: number): Promise<StatusView>;
  inventory(): Promise<InventoryItem[]>;
  /** Where the oracle looks. */
  readonly sources: { readonly gatewayUrl: string; readonly databaseUrl: string };
  close(): Promise<void>;
}

export interface Run {
  readonly tenantId: string;
  readonly slug: string;
  readonly workflowId: string;
}

export interface SagaWorldOptions {
  /** What tenants may be of; what comes with Tenantry by default. */
  readonly catalog?: Catalog | undefined;
  /** No look is shared between steps or tenants, so that every call is one step's own and a fault in it no other's. */
  readonly looksPerStep?: boolean | undefined;
  /** By ledger type: listers of types that the sandbox's inventory does not know. */
  readonly listers?: OwnListers | undefined;
  /** A MiniStack that runs already; absent: started, and stopped at the end. */
  readonly ministackUrl?: string | undefined;
  /** The bucket that final dumps of deleted tenants are kept in; no other world beside it may have one of that name. */
  readonly archive?: string | undefined;
  /** The worker reaches PostgreSQL through a proxy that can lose and refuse statements. */
  readonly postgresProxy?: boolean;
  /** Called with a run that is written and not started yet. */
  readonly beforeStart?: (run: RunRequest) => void;
  readonly log?: Logger;
}

export async function startSagaWorld(options: SagaWorldOptions = {}): Promise<SagaWorld> {
  const stops: (() => Promise<void>)[] = [];
  try {
    return await assemble(options, stops);
  } catch (error) {
    for (const stop of stops.reverse()) await stop();
    throw error;
  }
}

async function assemble(options: SagaWorldOptions, stops: (() => Promise<void>)[]): Promise<SagaWorld> {
  const log = options.log ?? pino({ level: 'silent' });
  const [postgres, aws] = await Promise.all([ownPostgres(stops), ownAws(stops, options.ministackUrl)]);
  const { host, port } = postgres;
  const { catalog = defaultCatalog } = options;
  const platform = await seedLandingZone({
    ...aws.target,
    database: { host, port, name: 'tenants' },
    products: Object.values(catalog.products),
    archive: options.archive,
  });
  await migrate(postgres.controlUrl);
  const database = createDatabase({ url: postgres.controlUrl, maxConnections: 20 });
  const proxy = options.postgresProxy === true ? await ownProxy(postgres, stops) : undefined;
  const tenantDatabases = createTenantDatabases(
    { primary: proxy?.through(postgres.tenantUrl) ?? postgres.tenantUrl },
    catalog.migrations,
  );
  const workerDatabase = proxy
    ? createDatabase({ url: proxy.through(postgres.controlUrl), maxConnections: 40 })
    : database;
  stops.push(async () => {
    await tenantDatabases.close();
    await Promise.all([...new Set([database, workerDatabase])].map((pool) => pool.close()));
  });
  await tenantDatabases.closeToPublic();
  const adapters = createAwsForPlatform(platform, adapterOptions(aws));
  stops.push(async () => adapters.destroy());
  const apart = options.looksPerStep === true ? apartPerCell(adapters, platform, adapterOptions(aws)) : undefined;
  stops.push(async () => apart?.forEach((of) => of.destroy()));
  const injection: FaultInjection = { faults: [], twice: [], struck: [] };
  const activityDeps = {
    database: workerDatabase,
    tenantDatabases,
    platform,
    log,
    aws: apart ? (cellId: string) => apart.get(cellId)! : adapters,
    installationId: await findInstallationId(database),
    kinds: createKindRegistry(withFaultInjection([...catalog.kinds.kinds.values()], injection)),
  };
  const drift = createDrift({
    ...{ database, tenantDatabases, platform, log, aws: adapters, kinds: catalog.kinds },
    installationId: await findInstallationId(database),
    confirmAfterMs: 1_000,
  });
  const registry = {
    ...createActivities(activityDeps),
    ...createDriftActivities({ drift, database, log }),
    ...createHealthActivities({ ...activityDeps, products: catalog.products }),
  };
  const temporal = await ownTemporal(stops, registry, createIsolationActivities(activityDeps));
  const orchestrator = announcing(temporalOrchestrator(temporal), options.beforeStart);
  const client = createTenantryClient({
    database,
    orchestrator,
    platform,
    catalog,
    codec: new EncryptionCodec([randomBytes(32)]),
    log,
  });
  stops.push(() => client.close());
  const sources = { gatewayUrl: aws.gateway.url, databaseUrl: new URL('/tenants', postgres.adminUrl).href };
  const at = { ...aws.target, endpointUrl: aws.upstreamUrl, accountId: aws.target.credentials.accessKeyId };
  const inventory = async () => {
    const known = takeInventory({ ...sources, scope: 'tenants' });
    return sortItems([...(await known), ...(await listOwn(options.listers ?? {}, at))]);
  };
  return {
    platform,
    injection,
    client,
    database,
    gateway: aws.gateway,
    drift,
    target: aws.target,
    temporal,
    proxy,
    inventory,
    sources,
    provision: (product, onFailure = 'rollback', slug = freshSlug(catalog.products[product]), tier = null) =>
      provision(client, catalog.products[product], { product, onFailure, slug, tier }),
    deprovision: async (run) => {
      await client.deleteTenant(caller, run.tenantId, { confirm: run.slug });
      return run;
    },
    change: async (run, change, type = 'update') => {
      await startChange({ database, orchestrator, platform, catalog, log }, run, change, type);
      return run;
    },
    outcome: (run) => outcomeOf(temporal, client, run),
    until: (run, state, limitMs) => until(client, run, state, limitMs),
    close: async () => {
      for (const stop of stops.splice(0).reverse()) await stop();
    },
  };
}

/** For a tenant of the product: an id, where its slug is that. */
export function freshSlug(product?: Pick<Product, 'slugs'>): string {
  return product?.slugs === 'tenant-id' ? randomUUID() : `s-${randomUUID().slice(0, 8)}`;
}

async function ownProxy(postgres: Postgres, stops: (() => Promise<void>)[]): Promise<PostgresProxy> {
  const proxy = await startPostgresProxy(postgres);
  stops.push(() => proxy.close());
  return proxy;
}

/** Roles belong to the whole server, so an inventory needs one that nobody else uses. */
async function ownPostgres(stops: (() => Promise<void>)[]): Promise<Postgres> {
  const postgres = await startPostgres({ log: () => undefined });
  stops.push(() => postgres.stop());
  return postgres;
}

async function ownAws(stops: (() => Promise<void>)[], given: string | undefined) {
  const upstreamUrl = given ?? (await ownMinistack(stops));
  const gateway = await startGateway({ upstreamUrl, time: 'fast' });
  stops.push(() => gateway.close());
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  return { gateway, upstreamUrl, target: { endpointUrl: gateway.url, region: 'us-east-1', credentials } };
}

async function ownMinistack(stops: (() => Promise<void>)[]): Promise<string> {
  const ministack = await startMinistack({ log: () => undefined });
  stops.push(() => ministack.stop());
  return ministack.url;
}

function adapterOptions({ gateway, target }: Awaited<ReturnType<typeof ownAws>>): CellAwsOptions {
  return { endpointUrl: gateway.url, credentials: target.credentials, pacing: { factor: Infinity } };
}

function apartPerCell(shared: PlatformAws, { cells }: Platform, options: CellAwsOptions): ReadonlyMap<string, CellAws> {
  return new Map(cells.map((cell) => [cell.id, looksPerStep(shared(cell.id), cell, options)]));
}

/** Tells of every run before it starts. */
function announcing(orchestrator: Orchestrator, beforeStart: ((run: RunRequest) => void) | undefined): Orchestrator {
  if (!beforeStart) return orchestrator;
  return {
    ...orchestrator,
    start: (run) => {
      beforeStart(run);
      return orchestrator.start(run);
    },
  };
}

/** A server of its own: worlds of other test files poll the same task queue. */
async function ownTemporal(
  stops: (() => Promise<void>)[],
  registry: object,
  isolationActivities: object,
): Promise<Client> {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
    shutdownSignals: [],
  });
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
  const isolationWorker = await Worker.create({
    connection: nativeConnection,
    namespace,
    taskQueue: taskQueues.isolation,
    activities: isolationActivities,
    dataConverter,
  });
  const running = [worker.run(), isolationWorker.run()];
  stops.push(async () => {
    worker.shutdown();
    isolationWorker.shutdown();
    await Promise.all(running);
    await Promise.all([connection.close(), nativeConnection.close()]);
  });
  return new Client({ connection, namespace, dataConverter });
}

interface Wish {
  readonly product: string;
  readonly onFailure: OnFailure;
  readonly slug: string;
  readonly tier: string | null;
}

async function provision(
  client: TenantryClient,
  of: Pick<Product, 'slugs'> | undefined,
  { product, onFailure, slug, tier }: Wish,
): Promise<Run> {
  const { tenantId, workflowId } = await client.createTenant(caller, {
    product,
    ...(tier !== null && { tier }),
    ...(of?.slugs === 'tenant-id' ? { tenantId: slug } : { slug }),
    displayName: `Saga ${slug}`,
    contactEmail: 'saga@example.com',
    onFailure,
  });
  return { tenantId, slug, workflowId };
}

async function startChange(
  deps: ClientDeps,
  { tenantId, workflowId }: Run,
  change: (steps: readonly Step[]) => readonly Step[],
  type: OperationType,
): Promise<void> {
  const operation = await deps.database.transaction(async (tx) => {
    const applied = await findAppliedBlueprint(tx, tenantId);
    if (!applied) throw new Error(`tenant ${tenantId} has no applied blueprint`);
    return insertOperation(tx, {
      ...{ id: randomUUID(), tenantId, cell: applied.cell, type, onFailure: 'rollback', holdMs: 600_000 },
      ...{ workflowId, blueprint: { ...applied, steps: change(applied.steps) }, caller },
    });
  });
  if (!operation) throw new Error(`tenant ${tenantId} has an open operation`);
  if ((await startOnceFree(() => startAccepted(deps, operation))) !== 'started')
    throw new Error(`workflow ${workflowId} is still open`);
}

async function outcomeOf(temporal: Client, client: TenantryClient, run: Run): Promise<string> {
  const ended = new AbortController();
  try {
    for (;;) {
      const result = temporal.workflow.getHandle(run.workflowId).result() as Promise<{ outcome: string }>;
      const { outcome } = await Promise.race([result, throwWhenStuck(client, run, ended.signal)]);
      if (outcome !== 'superseded') return outcome;
      // The run of what superseded it starts once it has closed.
      await sleep(SUPERSEDED_LOOK_MS);
    }
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (typeof cause === 'object' && cause !== null && 'type' in cause) return String(cause.type);
    throw error;
  } finally {
    ended.abort();
  }
}

/** A stuck run waits for an operator, without end. Right after a `retry` it may be so for a moment. */
async function throwWhenStuck(client: TenantryClient, run: Run, signal: AbortSignal): Promise<never> {
  for (let seen = 0; ;) {
    const { error, leftovers, operation } = await client.status(caller, run.tenantId);
    seen = operation.state === 'stuck' ? seen + 1 : 0;
    if (seen > 2) throw new Error(`it is stuck: ${JSON.stringify({ error, leftovers })}`);
    await sleep(STUCK_LOOK_MS, undefined, { signal });
  }
}

const STUCK_LOOK_MS = 2_000;
const SUPERSEDED_LOOK_MS = 200;

async function until(client: TenantryClient, run: Run, state: string, limitMs = 150_000): Promise<StatusView> {
  const end = Date.now() + limitMs;
  for (;;) {
    const status = await client.status(caller, run.tenantId);
    if (status.operation.state === state) return status;
    // One that has closed changes no more.
    if (Date.now() > end || !isOpen(status.operation.state)) {
      const { operation, error, currentSteps } = status;
      throw new Error(`${operation.state}, not ${state}: ${JSON.stringify({ error, currentSteps })}`);
    }
    await sleep(100);
  }
}

export { difference };
