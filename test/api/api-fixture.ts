import type { RouteOptions } from 'fastify';
import { pino } from 'pino';
import type { Authenticator } from '../../src/api/access/authenticator.ts';
import { startApiServer, type ApiServer } from '../../src/api/server.ts';
import { buildApp, type ApiDeps } from '../../src/api/app.ts';
import { createTenantryClient, type TenantryClient } from '../../src/client/tenantry.ts';
import type { WorkerWatchTimes } from '../../src/client/worker-watch.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { changeOperationState, findOpenOperation } from '../../src/db/operations.ts';
import { changeTenantStatus } from '../../src/db/tenants.ts';
import type { OperationState } from '../../src/contracts/operation-state.ts';
import type { TenantStatus } from '../../src/contracts/tenant-status.ts';
import { defaultCatalog, type Catalog } from '../../src/catalog/catalog.ts';
import type { Platform } from '../../src/contracts/platform.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { startPostgresProxy, type PostgresProxy } from '../../sandbox/parts/postgres-proxy.ts';
import { createTestDatabase } from '../support/database.ts';
import { examplePlatform } from '../support/platform.ts';
import { FakeOrchestrator } from './fake-orchestrator.ts';

export const UI_ORIGIN = 'http://127.0.0.1:8233';
export const payloadKey = Buffer.alloc(32, 7);

export interface ApiFixture {
  readonly app: Awaited<ReturnType<typeof buildApp>>;
  readonly client: TenantryClient;
  /** Of the database, not by way of the proxy. */
  readonly controlUrl: string;
  /** Not by way of the proxy. */
  readonly database: Database;
  /** Before the database that the API uses, as application `api`. */
  readonly proxy: PostgresProxy;
  readonly orchestrator: FakeOrchestrator;
  readonly routes: readonly RouteOptions[];
  readonly logged: readonly string[];
  /** The same as another process would be, not by way of the proxy. */
  another(): Promise<OtherApi>;
  /** The same API, listening. */
  listen(host?: string): Promise<ApiServer>;
  /** Moves the open operation along, as a worker would. */
  move(tenantId: string, states: readonly OperationState[], tenant?: readonly TenantStatus[]): Promise<string>;
  close(): Promise<void>;
}

/** An API that shares nothing but the servers. */
export interface OtherApi {
  readonly app: Awaited<ReturnType<typeof buildApp>>;
  close(): Promise<void>;
}

/** The API on a real, empty PostgreSQL database and an orchestrator that keeps state. */
export async function createApiFixture(
  options: {
    platform?: Platform;
    catalog?: Catalog;
    workerWatchTimes?: WorkerWatchTimes;
    deletionGraceMs?: number;
    switchedOff?: Readonly<Record<string, string>>;
    authenticators?: readonly Authenticator[];
    door?: Pick<ApiDeps, 'publicHosts' | 'trustedProxies' | 'limits'>;
    streamTimes?: ApiDeps['streamTimes'];
  } = {},
): Promise<ApiFixture> {
  const testDatabase = await createTestDatabase();
  const database = createDatabase({ url: testDatabase.controlUrl });
  await migrate(database);
  const { hostname: host, port } = new URL(testDatabase.controlUrl);
  const proxy = await startPostgresProxy({ host, port: Number(port) });
  const proxied = createDatabase({ url: proxy.through(testDatabase.controlUrl), applicationName: 'api' });
  const orchestrator = new FakeOrchestrator(database);
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const codec = new EncryptionCodec([payloadKey]);
  const clientOn = (of: Database) =>
    createTenantryClient({
      database: of,
      orchestrator,
      platform: options.platform ?? examplePlatform(),
      catalog: options.catalog ?? defaultCatalog,
      log,
      workerWatchTimes: options.workerWatchTimes,
      deletionGraceMs: options.deletionGraceMs,
      switchedOff: options.switchedOff,
      codec,
    });
  const client = clientOn(proxied);
  const routes: RouteOptions[] = [];
  const deps: ApiDeps = {
    client,
    codec,
    uiOrigin: UI_ORIGIN,
    log,
    authenticators: options.authenticators,
    ...options.door,
    streamTimes: { heartbeatMs: 150, pollMs: 60_000, ...options.streamTimes },
  };
  const app = await buildApp({ ...deps, onRoute: (route) => routes.push(route) });
  const servers: ApiServer[] = [];
  return {
    app,
    client,
    controlUrl: testDatabase.controlUrl,
    database,
    proxy,
    orchestrator,
    routes,
    logged,
    another: async () => {
      const own = createDatabase({ url: testDatabase.controlUrl });
      const otherClient = clientOn(own);
      const other = await buildApp({ ...deps, client: otherClient });
      const close = async () => {
        await other.close();
        await otherClient.close();
        await own.close();
      };
      return { app: other, close };
    },
    listen: async (host) => {
      const server = await startApiServer({ ...deps, port: 0, ...(host !== undefined && { host }) });
      servers.push(server);
      return server;
    },
    move: (tenantId, states, statuses = []) => move(database, tenantId, states, statuses),
    close: async () => {
      await app.close();
      for (const server of servers) await server.close();
      await client.close();
      await proxied.close();
      await proxy.close();
      await database.close();
      await testDatabase.drop();
    },
  };
}

async function move(
  database: Database,
  tenantId: string,
  states: readonly OperationState[],
  statuses: readonly TenantStatus[],
): Promise<string> {
  return database.transaction(async (tx) => {
    const operation = await findOpenOperation(tx, tenantId);
    if (!operation) throw new Error(`tenant ${tenantId} has no open operation`);
    let { state } = operation;
    for (const next of states) {
      if (!(await changeOperationState(tx, operation.id, [state], next)))
        throw new Error(`${state} -> ${next} refused`);
      state = next;
    }
    for (const status of statuses) await changeTenantStatus(tx, tenantId, status, { operationId: operation.id });
    return operation.id;
  });
}

export const acme = {
  product: 'moamalat',
  slug: 'acme',
  displayName: 'Acme Corp',
  contactEmail: 'ops@acme.example',
} as const;
