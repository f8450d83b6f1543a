import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { runCommand, startChild, type Child, type ChildExit } from './child.ts';
import { messageOf, type Log } from './log.ts';
import { startOnFreePort } from './ports.ts';
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { setUpDatabases, type PostgresCredentials } from './postgres-databases.ts';
import { signalDescendants } from './process-tree.ts';
import { removeDirectory, temporaryDirectory } from './supervisor.ts';

/** Where it listens, unless that port is taken. */
export const POSTGRES_PORT = 5432;

export type PostgresOptions = {
  log: Log;
  /** Keeps the data here, its credentials in `<dataDir>.credentials.json`; temporary when left out. */
  dataDir?: string;
  /** Of the server, over those that it is started with. */
  settings?: Readonly<Record<string, string | number>>;
  /** Exactly this port; without it 5432, or any free one. */
  port?: number;
  /** Gets all that it prints. */
  logFile?: string | undefined;
};

export type Postgres = {
  /** Database `tenantry` as its owner, role `tenantry`: the control plane's. */
  controlUrl: string;
  /** Database `tenants` as its owner, role `provisioner`: NOSUPERUSER CREATEROLE, as an RDS master is. */
  tenantUrl: string;
  /** Superuser, for set-ups and the oracle's inventory only. */
  adminUrl: string;
  host: string;
  port: number;
  readonly pid: number;
  /** Of the process that runs now. Never rejects. */
  exited: () => Promise<ChildExit>;
  /** Fast shutdown; a temporary data directory is removed. */
  stop: () => Promise<void>;
  /** Stops and starts it on the same port; with `kill` as a crash does it. */
  restart: (options?: { kill?: boolean }) => Promise<void>;
  /** Freezes all its processes, as a host that hangs: connections stay open and nothing answers. */
  pause: () => Promise<void>;
  resume: () => Promise<void>;
};

const host = '127.0.0.1';
const startTimeoutMs = 60_000;
const credentialsSchema: z.ZodType<PostgresCredentials> = z.object({
  admin: z.string(),
  control: z.string(),
  tenant: z.string(),
});

/**
 * Starts PostgreSQL on loopback with scram-sha-256, both databases and their roles set up.
 *
 * @throws Error when it cannot be initialized or does not accept connections within a minute; carries what it printed.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const binaries = postgresBinaries();
  const temporary = options.dataDir === undefined ? temporaryDirectory('tenantry-postgres') : undefined;
  const dataDir = options.dataDir ?? join(temporary ?? '', 'data');
  const release = () => {
    if (temporary !== undefined) removeDirectory(temporary);
  };
  try {
    const credentials = await initialize(binaries, dataDir, temporary);
    const target = {
      dataDir,
      durable: temporary === undefined,
      credentials,
      logFile: options.logFile,
      settings: options.settings,
    };
    const launch = async (port: number) => ({ port, child: await launchServer(binaries, target, port) });
    const started = await (options.port === undefined ? startOnFreePort(POSTGRES_PORT, launch) : launch(options.port));
    await setUpDatabases(urlFor('postgres', credentials.admin, started.port, 'postgres'), credentials).catch(
      async (error: unknown) => {
        await started.child.stop();
        throw error;
      },
    );
    return handle({ ...started, credentials, launch, release });
  } catch (error) {
    release();
    throw error;
  }
}

type Launch = {
  dataDir: string;
  durable: boolean;
  settings: PostgresOptions['settings'];
  credentials: PostgresCredentials;
  logFile: string | undefined;
};

type Started = {
  port: number;
  child: Child;
  credentials: PostgresCredentials;
  launch: (port: number) => Promise<{ child: Child }>;
  release: () => void;
};

function handle({ port, child, credentials, launch, release }: Started): Postgres {
  let current = child;
  let paused = false;
  const resume = async () => {
    if (paused) await signalDescendants(current.pid, 'SIGCONT');
    paused = false;
  };
  return {
    controlUrl: urlFor('tenantry', credentials.control, port, 'tenantry'),
    tenantUrl: urlFor('provisioner', credentials.tenant, port, 'tenants'),
    adminUrl: urlFor('postgres', credentials.admin, port, 'postgres'),
    host,
    port,
    get pid() {
      return current.pid;
    },
    exited: () => current.exited,
    stop: async () => {
      await resume();
      await current.stop();
      release();
    },
    restart: async ({ kill = false } = {}) => {
      await resume();
      if (kill) await signalDescendants(current.pid, 'SIGKILL');
      await current.stop();
      current = (await launch(port)).child;
    },
    pause: () => {
      paused = true;
      return signalDescendants(current.pid, 'SIGSTOP');
    },
    resume,
  };
}

const urlFor = (role: string, password: string, port: number, database: string) =>
  `postgresql://${role}:${password}@${host}:${port}/${database}`;

/** Makes the cluster unless it is there, and gives its credentials. It appears whole or not at all, by a rename. */
async function initialize(
  { initdb, identity }: PostgresBinaries,
  dataDir: string,
  temporary: string | undefined,
): Promise<PostgresCredentials> {
  const credentialsFile = `${dataDir}.credentials.json`;
  if (existsSync(join(dataDir, 'PG_VERSION'))) {
    return credentialsSchema.parse(JSON.parse(await readFile(credentialsFile, 'utf8')));
  }
  const password = () => randomBytes(24).toString('base64url');
  const credentials = { admin: password(), control: password(), tenant: password() };
  const staging = `${dataDir}.partial`;
  const passwordFile = `${dataDir}.password`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, credentials.admin, { mode: 0o600 });
  const { uid, gid } = identity;
  if (uid !== undefined && gid !== undefined) {
    for (const path of [temporary, staging, passwordFile]) if (path !== undefined) await chown(path, uid, gid);
  }
  try {
    await runCommand({
      name: 'initdb',
      command: initdb,
      args: [
        ...[`--pgdata=${staging}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
        ...[
          '--encoding=UTF8',
          '--locale-provider=builtin',
          '--builtin-locale=C.UTF-8',
          '--locale=C',
          '--no-instructions',
        ],
        ...(temporary === undefined ? [] : ['--no-sync']),
      ],
      env: serverEnvironment(),
      cwd: '/',
      ...identity,
      timeoutMs: 120_000,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await writeFile(credentialsFile, JSON.stringify(credentials), { mode: 0o600 });
  await rename(staging, dataDir);
  return credentials;
}

async function launchServer(
  { postgres, identity }: PostgresBinaries,
  { dataDir, durable, credentials, logFile, settings: others }: Launch,
  port: number,
): Promise<Child> {
  const settings = {
    listen_addresses: host,
    port,
    // A socket in the file system would be one more door, with a limit on the length of its path.
    unix_socket_directories: '',
    max_connections: 400,
    // A temporary cluster does not survive the machine, so it need not be ready for a power cut; but what it confirmed
    // must outlive its own crash, so commits stay synchronous.
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...others,
  };
  const child = await startChild({
    name: 'PostgreSQL',
    command: postgres,
    args: ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: serverEnvironment(),
    cwd: '/',
    ...identity,
    // Its fast shutdown: SIGTERM would wait for every session to end by itself.
    stopSignal: 'SIGINT',
    logFile,
  });
  const url = urlFor('postgres', credentials.admin, port, 'postgres');
  const deadline = Date.now() + startTimeoutMs;
  let lastSeen: unknown;
  while (child.running() && Date.now() < deadline) {
    try {
      await connectOnce(url);
      return child;
    } catch (error) {
      lastSeen = error;
      await sleep(50);
    }
  }
  const outcome = child.running() ? `takes no connection after ${startTimeoutMs / 1000} s` : 'ended at its start';
  await child.stop();
  throw new Error(`PostgreSQL on ${host}:${port} ${outcome}: ${messageOf(lastSeen)}\n${child.output()}`);
}

async function connectOnce(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000 });
  // Without a listener an error event after a failed connect would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** PGPORT and the like from the caller's shell would change what it does. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG$)/.test(name));
  return { ...Object.fromEntries(entries), LC_ALL: 'C' };
}
