import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Platform } from '../../src/contracts/platform.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { catalogFileOf } from '../../src/config.ts';
import { searchAttributes } from '../../src/contracts/ids.ts';
import type { CredentialSource } from '../../src/cli/credentials.ts';
import { readPlatform } from '../../src/platform.ts';
import { startGateway } from '../gateway/gateway.ts';
import type { TimePreset } from '../gateway/time.ts';
import { archiveBucket } from '../landing-zone/names.ts';
import { seedLandingZone } from '../landing-zone/seed.ts';
import type { Log } from '../parts/log.ts';
import { startMinistack } from '../parts/ministack.ts';
import { holdPort, otherPortsLine, type HeldPort, type PlacedPart } from '../parts/ports.ts';
import { POSTGRES_PORT, startPostgres } from '../parts/postgres.ts';
import { removeDirectory, temporaryDirectory } from '../parts/supervisor.ts';
import { startTemporalServer, TEMPORAL_PORT, UI_PORT } from '../parts/temporal-server.ts';
import type { SupervisedPart } from './supervision.ts';

export interface PartsOptions {
  readonly log: Log;
  /** Where `env`, the platform description and the CA go: `.sandbox` by default. */
  readonly directory: string;
  readonly time: TimePreset;
  readonly taskHost: 'shared' | 'process-per-task';
}

/** All that a worker, an API or a CLI needs to be pointed at, whoever runs it. */
export interface Parts {
  /** Standard variables of every part, embedded or given. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of the parts that the sandbox started itself. */
  readonly embedded: readonly string[];
  readonly platform: Platform;
  readonly apiPort: number;
  /** To be called right before the API starts: until then nobody else gets its port. */
  readonly releaseApiPort: () => Promise<void>;
  /** Undefined when Temporal was given by its address. */
  readonly temporalUiUrl: string | undefined;
  /** A login that sees all of the tenants' server, for the oracle's inventory. */
  readonly oracleDatabaseUrl: string;
  /** What the sandbox calls its API with, once that asks who calls. */
  readonly credentials?: CredentialSource;
  /** What was started, to be kept running. */
  readonly supervised: readonly SupervisedPart[];
  readonly stop: () => Promise<void>;
}

type Stop = () => Promise<void>;

/** Unless the environment names another. */
const API_PORT = 3006;

function portOf(url: string): number {
  return Number(new URL(url).port);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a part tells the others, and how it ends. */
interface Started {
  readonly embedded: string[];
  readonly env: Record<string, string>;
  readonly supervised: SupervisedPart[];
  readonly stops: Stop[];
  readonly ports: PlacedPart[];
}

/**
 * Starts each part whose standard variable is unset, seeds the landing zone unless `PLATFORM_CONFIG` describes one, and
 * tells where everything is. What was started is stopped again when something fails.
 * @throws Error naming the part that could not be had.
 */
export async function startParts(options: PartsOptions, given: Environment = process.env): Promise<Parts> {
  const { port: apiPort, release: releaseApiPort } = await provideApiPort(given);
  const started: Started = { embedded: [], env: {}, supervised: [], stops: [releaseApiPort], ports: [] };
  const stop = async () => {
    const stops = started.stops.splice(0).reverse();
    const ended = await Promise.allSettled(stops.map((s) => s()));
    const failed = ended.find((e) => e.status === 'rejected');
    if (failed) throw failed.reason;
  };
  try {
    const outcomes = await Promise.allSettled([
      providePostgres(options, given, started),
      provideTemporal(options, given, started, apiPort),
      provideAws(options, given, started),
    ]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const [postgres, temporal] = [outcomes[0], outcomes[1]] as [
      PromiseFulfilledResult<{ oracleUrl: string }>,
      PromiseFulfilledResult<{ uiUrl: string | undefined }>,
    ];
    const taken = otherPortsLine([
      { of: 'the API', usual: given.TENANTRY_API_PORT ? apiPort : API_PORT, port: apiPort },
      ...started.ports,
    ]);
    if (taken !== undefined) options.log(taken);
    const platform = await provideLandingZone(options, given, started);
    Object.assign(started.env, providePayloadKey(options.directory, given), {
      // A demo that waited for days would be none.
      TENANTRY_DELETION_GRACE: given.TENANTRY_DELETION_GRACE || '0',
      TENANTRY_ENABLE_ACCOUNT_PROVISIONING: given.TENANTRY_ENABLE_ACCOUNT_PROVISIONING || 'true',
      TENANTRY_WEBHOOK_ALLOW_LOOPBACK: given.TENANTRY_WEBHOOK_ALLOW_LOOPBACK || 'true',
      TENANTRY_API_PORT: String(apiPort),
      TENANTRY_API_URL: `http://127.0.0.1:${apiPort}`,
      ...(temporal.value.uiUrl === undefined ? {} : { TENANTRY_TEMPORAL_UI_URL: temporal.value.uiUrl }),
    });
    return {
      env: started.env,
      embedded: started.embedded,
      platform,
      apiPort,
      releaseApiPort,
      temporalUiUrl: temporal.value.uiUrl,
      oracleDatabaseUrl: postgres.value.oracleUrl,
      supervised: started.supervised,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Temporal's UI has to know the API's port before there is an API; a sandbox beside this one must not take it meanwhile. */
function provideApiPort({ TENANTRY_API_PORT }: Environment): Promise<HeldPort> {
  // 0 asks for any free port, which has to be known before the API has it.
  if (!TENANTRY_API_PORT || TENANTRY_API_PORT === '0') return holdPort(API_PORT);
  return Promise.resolve({ port: Number(TENANTRY_API_PORT), release: () => Promise.resolve() });
}

async function providePostgres(
  { log, directory }: PartsOptions,
  given: Environment,
  started: Started,
): Promise<{ oracleUrl: string }> {
  if (given.DATABASE_URL) {
    const tenantUrl = given.TENANT_DATABASE_URL || given.DATABASE_URL;
    Object.assign(started.env, { DATABASE_URL: given.DATABASE_URL, TENANT_DATABASE_URL: tenantUrl });
    return { oracleUrl: tenantUrl };
  }
  const logFile = logFileOf(directory, 'postgres');
  const postgres = await startPostgres({ log, logFile });
  const { exited, restart } = postgres;
  started.supervised.push({
    name: 'PostgreSQL',
    exited,
    restart: () => restart({ kill: true }),
    holdsData: true,
    logFile,
  });
  started.stops.push(() => postgres.stop());
  started.embedded.push('PostgreSQL');
  started.ports.push({ of: 'PostgreSQL', usual: POSTGRES_PORT, port: portOf(postgres.controlUrl) });
  Object.assign(started.env, {
    DATABASE_URL: postgres.controlUrl,
    TENANT_DATABASE_URL: given.TENANT_DATABASE_URL || postgres.tenantUrl,
  });
  return { oracleUrl: given.TENANT_DATABASE_URL || new URL('/tenants', postgres.adminUrl).href };
}

async function provideTemporal(
  { log, directory }: PartsOptions,
  given: Environment,
  started: Started,
  apiPort: number,
): Promise<{ uiUrl: string | undefined }> {
  if (given.TEMPORAL_ADDRESS || given.TEMPORAL_PROFILE) {
    for (const [name, value] of Object.entries(given)) {
      if (name.startsWith('TEMPORAL_') && value !== undefined) started.env[name] = value;
    }
    return { uiUrl: given.TENANTRY_TEMPORAL_UI_URL };
  }
  const logFile = logFileOf(directory, 'temporal');
  // In a file, slower as that is: a server that is killed and started again goes on with the runs that it had.
  const data = temporaryDirectory('tenantry-temporal');
  const server = await startTemporalServer({
    log,
    logFile,
    dbFilename: join(data, 'temporal.db'),
    codecEndpoint: `http://127.0.0.1:${apiPort}/codec`,
    searchAttributes: Object.fromEntries(searchAttributes.map((name) => [name, 'Keyword' as const])),
  });
  started.supervised.push({
    name: 'Temporal',
    exited: server.exited,
    restart: () => server.restart(),
    holdsData: true,
    logFile,
  });
  started.stops.push(async () => {
    await server.stop();
    removeDirectory(data);
  });
  started.embedded.push('Temporal');
  started.ports.push({ of: 'Temporal', usual: TEMPORAL_PORT, port: portOf(`http://${server.address}`) });
  if (server.uiUrl !== undefined)
    started.ports.push({ of: "Temporal's UI", usual: UI_PORT, port: portOf(server.uiUrl) });
  Object.assign(started.env, { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: server.namespace });
  return { uiUrl: server.uiUrl };
}

/** An endpoint that is given is used as it is when it is a gateway; in front of any other the sandbox puts its own. */
async function provideAws(options: PartsOptions, given: Environment, started: Started): Promise<void> {
  const { time, taskHost } = options;
  started.env.AWS_REGION = given.AWS_REGION ?? 'us-east-1';
  if (given.AWS_ENDPOINT_URL && (await isGateway(given.AWS_ENDPOINT_URL))) {
    started.env.AWS_ENDPOINT_URL = given.AWS_ENDPOINT_URL;
  } else {
    const upstreamUrl = given.AWS_ENDPOINT_URL ?? (await embeddedEmulator(options, started));
    if (given.AWS_ENDPOINT_URL)
      options.log(`${given.AWS_ENDPOINT_URL} is an emulator that runs no tasks: putting the gateway in front of it`);
    const gateway = await startGateway({ upstreamUrl, time, taskHost });
    started.stops.push(() => gateway.close());
    started.embedded.push('AWS gateway');
    started.env.AWS_ENDPOINT_URL = gateway.url;
  }
  started.env.AWS_ACCESS_KEY_ID = given.AWS_ACCESS_KEY_ID ?? 'test';
  started.env.AWS_SECRET_ACCESS_KEY = given.AWS_SECRET_ACCESS_KEY ?? 'test';
  // The SDK's advice on Node versions is not for whoever tries Tenantry out.
  started.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
}

async function embeddedEmulator({ log, directory }: PartsOptions, started: Started): Promise<string> {
  const logFile = logFileOf(directory, 'aws-emulator');
  const ministack = await startMinistack({ log, logFile });
  started.supervised.push({ name: 'the AWS emulator', exited: () => ministack.exited, logFile });
  started.stops.push(() => ministack.stop());
  started.embedded.push('AWS emulator');
  return ministack.url;
}

/** Whether this endpoint is a gateway of ours. @throws Error when nothing answers there. */
async function isGateway(endpoint: string): Promise<boolean> {
  let response: Response;
  try {
    response = await fetch(new URL('/_gateway/health', endpoint), { signal: AbortSignal.timeout(5_000) });
  } catch (cause) {
    throw new Error(`AWS_ENDPOINT_URL is set to ${endpoint}, where nothing answers`, { cause });
  }
  const body: unknown = await response.json().catch(() => undefined);
  return typeof body === 'object' && body !== null && 'gateway' in body && body.gateway === true;
}

async function provideLandingZone(options: PartsOptions, given: Environment, started: Started): Promise<Platform> {
  const catalogFile = catalogFileOf(given);
  if (catalogFile !== undefined) started.env.TENANTRY_CONFIG = resolve(catalogFile);
  if (given.PLATFORM_CONFIG) {
    started.env.PLATFORM_CONFIG = resolve(given.PLATFORM_CONFIG);
    return readPlatform(given.PLATFORM_CONFIG);
  }
  const database = new URL(started.env.TENANT_DATABASE_URL ?? '');
  const platform = await seedLandingZone({
    endpointUrl: started.env.AWS_ENDPOINT_URL ?? '',
    region: started.env.AWS_REGION ?? '',
    products: Object.values((await loadCatalog(catalogFile)).products),
    archive: archiveBucket,
    database: { host: database.hostname, port: Number(database.port || 5432), name: database.pathname.slice(1) },
  });
  started.env.PLATFORM_CONFIG = writePlatform(options.directory, platform);
  return platform;
}

/** An empty file for the log of a part. */
export function logFileOf(directory: string, part: string): string {
  const logs = resolve(directory, 'logs');
  mkdirSync(logs, { recursive: true });
  const file = join(logs, `${part}.log`);
  writeFileSync(file, '');
  return file;
}

/** Writes the platform description where `PLATFORM_CONFIG` then points. */
export function writePlatform(directory: string, platform: Platform): string {
  mkdirSync(directory, { recursive: true });
  const file = resolve(directory, 'platform.json');
  writeFileSync(file, `${JSON.stringify(platform, null, 2)}\n`);
  return file;
}

/** The sandbox makes the key that production has to give, and keeps it: histories of an earlier run stay readable. */
function providePayloadKey(directory: string, given: Environment): Record<string, string> {
  if (given.TENANTRY_PAYLOAD_KEY) return { TENANTRY_PAYLOAD_KEY: given.TENANTRY_PAYLOAD_KEY };
  const file = join(directory, 'payload-key');
  mkdirSync(directory, { recursive: true });
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  return { TENANTRY_PAYLOAD_KEY: readFileSync(file, 'utf8').trim() };
}
