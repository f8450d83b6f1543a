import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type proto from '@temporalio/proto';
import { startGateway, type Gateway } from '../../sandbox/gateway/gateway.ts';
import type { TimePreset } from '../../sandbox/gateway/time.ts';
import { describeItem } from '../../sandbox/inventory/inventory.ts';
import { listProcesses } from '../../sandbox/inventory/processes.ts';
import { seedLandingZone } from '../../sandbox/landing-zone/seed.ts';
import { runCommand, type Child } from '../../sandbox/parts/child.ts';
import { startMinistack, type Ministack } from '../../sandbox/parts/ministack.ts';
import { freePort } from '../../sandbox/parts/ports.ts';
import { startPostgres, type Postgres } from '../../sandbox/parts/postgres.ts';
import { temporalExecutable } from '../../sandbox/parts/temporal-executable.ts';
import { startTemporalServer, type TemporalServer } from '../../sandbox/parts/temporal-server.ts';
import { writePlatform } from '../../sandbox/stack/parts.ts';
import { schedulesOff } from '../../sandbox/stack/schedules-off.ts';
import { startApi } from '../../sandbox/stack/processes.ts';
import { createApiClient, type ApiClient, type Status } from '../../src/cli/api-client.ts';
import { searchAttributes } from '../../src/contracts/ids.ts';
import type { Platform } from '../../src/contracts/platform.ts';
import { migrate } from '../../src/db/migrate.ts';
import { accounts } from '../../src/products/accounts/product.ts';
import type { Subject } from './stories.ts';
import { openWire, type Wire } from './wire.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

/** The product as processes, on servers that a test may stop, freeze, cut off and restart. */
export interface ProcessWorld {
  readonly api: ApiClient;
  readonly platform: Platform;
  readonly gateway: Gateway;
  readonly ministack: Ministack;
  readonly postgres: Postgres;
  readonly temporal: TemporalServer;
  /** The way of every worker to Temporal. */
  readonly wire: Wire;
  /** What any process of the product is pointed with. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts a worker; `w1`, `w2`, ... by order of their start. Stopped with the world when nobody did before. */
  startWorker(options?: { source?: string | undefined; wire?: Wire }): Promise<WorkerProcess>;
  /** @param subject `moamalat` by default */
  create(slug: string, onFailure?: 'hold' | 'rollback', subject?: Subject): Promise<Tenant>;
  delete(tenant: Tenant): Promise<Tenant>;
  /** Waits for one of these states of the tenant's last operation. */
  until(tenant: Tenant, states: readonly string[], limitMs?: number): Promise<Status>;
  /** Events of the newest run of a workflow. */
  historyOf(workflowId: string): Promise<readonly HistoryEvent[]>;
  /** Temporal's own CLI, as an operator uses it. */
  temporalCli(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

export type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;

/** A tenant and the operation that was last asked for. */
export interface Tenant {
  readonly tenantId: string;
  readonly slug: string;
  readonly operationId: string;
  readonly workflowId: string;
}

export interface ProcessWorldOptions {
  /** Keeps Temporal's state in a file, so that it survives a restart. */
  readonly durableTemporal?: boolean;
  readonly time?: TimePreset;
}

/** Inherited by every process of the world, whoever started it: whatever bears it when the world has ended is a leak. */
const markName = 'TENANTRY_CHAOS_WORLD';

export async function startProcessWorld(options: ProcessWorldOptions = {}): Promise<ProcessWorld> {
  const mark = randomUUID();
  process.env[markName] = mark;
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
    const left = await listProcesses({ roots: [], marker: `${markName}=${mark}` });
    if (left.length > 0) throw new Error(`processes are left:\n${left.map(describeItem).join('\n')}`);
  };
  try {
    return { ...(await assemble(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Stops = (() => Promise<void>)[];
const quiet = () => undefined;

async function assemble(options: ProcessWorldOptions, stops: Stops): Promise<Omit<ProcessWorld, 'stop'>> {
  const directory = mkdtempSync(join(tmpdir(), 'tenantry-chaos-'));
  stops.push(async () => rmSync(directory, { recursive: true, force: true }));
  const servers = await startServers(options, directory, stops);
  const { platform, env } = await describe(servers, directory);
  await migrate(servers.postgres.controlUrl);
  const wire = await openWire(servers.temporal.address);
  stops.push(() => wire.close());
  const api = await startApiProcess(env, stops);
  const client = await connect(servers.temporal, stops);
  const names = { next: 1 };
  return {
    ...servers,
    platform,
    env,
    wire,
    api,
    startWorker: async ({ source, wire: way = wire } = {}) => {
      const app = `w${names.next++}`;
      const worker = await startWorkerProcess({ app, env: { ...env, TEMPORAL_ADDRESS: way.address }, source });
      stops.push(() => worker.child.stop());
      return worker;
    },
    create: (slug, onFailure = 'hold', subject = 'moamalat') => create(api, { slug, onFailure, subject }),
    delete: async ({ tenantId, slug }) => {
      const accepted = await api.delete(tenantId, slug);
      if (!('operationId' in accepted)) throw new Error(`tenant ${slug} was gone before its deletion began`);
      const { operationId, workflowId } = accepted;
      return { tenantId, slug, operationId, workflowId };
    },
    until: (tenant, states, limitMs) => until(api, tenant, states, limitMs),
    historyOf: async (workflowId) => (await client.workflow.getHandle(workflowId).fetchHistory()).events ?? [],
    temporalCli: (...args) => temporalCli(servers.temporal, args),
  };
}

type Servers = Pick<ProcessWorld, 'postgres' | 'temporal' | 'ministack' | 'gateway'>;

async function startServers(options: ProcessWorldOptions, directory: string, stops: Stops): Promise<Servers> {
  const keywords = Object.fromEntries(searchAttributes.map((name) => [name, 'Keyword' as const]));
  const stopping = <S extends { stop: () => Promise<void> }>(server: S): S => {
    stops.push(() => server.stop());
    return server;
  };
  const [postgres, temporal, ministack] = await Promise.all([
    startPostgres({ log: quiet, port: await freePort() }).then(stopping),
    startTemporalServer({
      log: quiet,
      port: await freePort(),
      uiPort: false,
      searchAttributes: keywords,
      ...(options.durableTemporal ? { dbFilename: join(directory, 'temporal.db') } : {}),
    }).then(stopping),
    startMinistack({ log: quiet }).then(stopping),
  ]);
  const gateway = await startGateway({ upstreamUrl: ministack.url, time: options.time ?? 'fast' });
  stops.push(() => gateway.close());
  return { postgres, temporal, ministack, gateway };
}

async function describe({ postgres, temporal, gateway }: Servers, directory: string) {
  const target = { endpointUrl: gateway.url, region: 'us-east-1' };
  const { host, port } = postgres;
  const platform = await seedLandingZone({ ...target, database: { host, port, name: 'tenants' } });
  const apiPort = await freePort();
  const env = {
    DATABASE_URL: postgres.controlUrl,
    TENANT_DATABASE_URL: postgres.tenantUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    AWS_REGION: target.region,
    AWS_ENDPOINT_URL: gateway.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    TENANTRY_ENABLE_ACCOUNT_PROVISIONING: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    PLATFORM_CONFIG: writePlatform(directory, platform),
    TENANTRY_PAYLOAD_KEY: randomBytes(32).toString('base64'),
    ...schedulesOff,
    TENANTRY_DELETION_GRACE: '0',
    TENANTRY_API_PORT: String(apiPort),
    TENANTRY_API_URL: `http://127.0.0.1:${apiPort}`,
  };
  return { platform, env };
}

async function startApiProcess(env: Readonly<Record<string, string>>, stops: Stops): Promise<ApiClient> {
  const url = env.TENANTRY_API_URL ?? '';
  const child: Child = await startApi(env, { log: quiet });
  stops.push(() => child.stop());
  const deadline = Date.now() + 60_000;
  while (!(await fetch(`${url}/healthz`).catch(() => undefined))?.ok) {
    if (!child.running() || Date.now() > deadline) throw new Error(`the API did not come up:\n${child.output()}`);
    await sleep(100);
  }
  return createApiClient(url);
}

async function connect({ address, namespace }: TemporalServer, stops: Stops): Promise<Client> {
  const connection = await Connection.connect({ address });
  stops.push(() => connection.close());
  return new Client({ connection, namespace });
}

interface Wanted {
  readonly slug: string;
  readonly onFailure: 'hold' | 'rollback';
  readonly subject: Subject;
}

async function create(api: ApiClient, { slug, onFailure, subject }: Wanted): Promise<Tenant> {
  const [product = '', tier] = subject.split(' ');
  // What is made for one tenant reads like what is made for another, but for slug and id.
  const name = isNamedById(subject) ? 'account' : slug;
  const { tenantId, operationId, workflowId } = await api.create({
    product,
    tier,
    ...(isNamedById(subject) ? {} : { slug }),
    displayName: `Tenant ${name}`,
    contactEmail: `admin@${name}.example`,
    onFailure,
  });
  return { tenantId, slug: isNamedById(subject) ? tenantId : slug, operationId, workflowId };
}

/** Whether its tenants' slugs are their ids, which nobody chooses. */
export function isNamedById(subject: Subject): boolean {
  return subject.startsWith(`${accounts.name} `) && accounts.slugs === 'tenant-id';
}

/** The API may be without its database for a while: only the limit ends the wait. */
async function until(api: ApiClient, tenant: Tenant, states: readonly string[], limitMs = 120_000): Promise<Status> {
  const end = Date.now() + limitMs;
  let last: unknown;
  while (Date.now() < end) {
    const status = await api.status(tenant.tenantId).catch((error: unknown) => {
      last = error;
      return undefined;
    });
    if (status) {
      const { operationId, state } = status.operation;
      if (operationId === tenant.operationId && states.includes(state)) return status;
      last = status;
    }
    await sleep(100);
  }
  const seen = last instanceof Error ? last.message : JSON.stringify(last, undefined, 2);
  throw new Error(`${tenant.slug}: waited ${limitMs / 1000} s for ${states.join(' or ')}, last seen: ${seen}`);
}

async function temporalCli({ address, namespace }: TemporalServer, args: readonly string[]): Promise<string> {
  return runCommand({
    name: `temporal ${args.slice(0, 2).join(' ')}`,
    command: await temporalExecutable(quiet),
    args: [...args, '--address', address, '--namespace', namespace],
    timeoutMs: 20_000,
  });
}
