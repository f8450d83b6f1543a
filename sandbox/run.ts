import { once } from 'node:events';
import { formatDuration, type Log } from './parts/log.ts';
import { shutdownOnSignals } from './parts/shutdown.ts';
import { migrate } from '../src/db/migrate.ts';
import { createTemporalClient } from '../src/temporal/client.ts';
import { registerSearchAttributes } from '../src/temporal/search-attributes.ts';
import { loadConfig } from '../src/config.ts';
import type { SandboxOptions } from './cli.ts';
import { demo } from './demo/demo.ts';
import { thereAndBack } from './demo/once.ts';
import { writeEnvFile } from './stack/env-file.ts';
import { startParts, type Parts } from './stack/parts.ts';
import { startApi, startWorker, waitUntilReady } from './stack/processes.ts';
import type { Child } from './parts/child.ts';

const log: Log = (line) => console.error(`  ${line}`);

/** `tenantry sandbox`, `npm start`, `npm start -- --once`. */
export async function runSandbox(options: SandboxOptions): Promise<void> {
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse())
      await stop().catch((error: unknown) => log(`while stopping: ${String(error)}`));
  };
  shutdownOnSignals({ stop: stopAll, log });
  try {
    process.exitCode = await run(options, stops);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await stopAll();
  }
  process.exit();
}

async function run(options: SandboxOptions, stops: (() => Promise<void>)[]): Promise<number> {
  const began = Date.now();
  const withProcesses = options.demo === true || options.once === true;
  console.error('Tenantry sandbox: starting its parts');
  const parts = await startParts({
    log,
    directory: options.dir,
    time: options.time,
    taskHost: options.once ? 'shared' : 'process-per-task',
  });
  stops.push(parts.stop);
  await prepare(parts);
  const envFile = writeEnvFile(options.dir, parts.env, parts.platform);
  log(`embedded: ${parts.embedded.join(', ') || 'nothing'} (${formatDuration(Date.now() - began)})`);
  if (!withProcesses) {
    printParts(parts, envFile);
    return forever();
  }
  const childLog: Log = options.verbose ? log : () => undefined;
  const children: Child[] = [await startWorker(parts.env, childLog), await startApi(parts.env, childLog)];
  for (const child of children) {
    stops.push(() => child.stop());
  }
  await waitUntilReady(parts.env.TENANTRY_API_URL ?? '', children);
  log(`worker and API are ready (${formatDuration(Date.now() - began)})`);
  if (options.once) return thereAndBack({ parts, directory: options.dir });
  await demo({ parts, directory: options.dir });
  printParts(parts, envFile);
  const ended = await Promise.race(children.map(async (child) => ({ child, exit: await child.exited })));
  console.error(`the ${ended.child.name} ended by itself:\n${ended.child.output()}`);
  return 1;
}

/** What production does by hand once: migrations and search attributes. */
async function prepare(parts: Parts): Promise<void> {
  const config = loadConfig('worker', { ...process.env, ...parts.env });
  await migrate(config.databaseUrl);
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  try {
    await registerSearchAttributes(temporal.client, temporal.namespace);
  } finally {
    await temporal.close();
  }
}

function printParts(parts: Parts, envFile: string): void {
  console.log(`
  API          ${parts.env.TENANTRY_API_URL}  (docs at /docs)
  Temporal     ${parts.env.TEMPORAL_ADDRESS}${parts.temporalUiUrl === undefined ? '' : `  (UI ${parts.temporalUiUrl})`}
  AWS          ${parts.env.AWS_ENDPOINT_URL}
  environment  set -a; . ${envFile}; set +a

  Ctrl-C stops everything.
`);
}

async function forever(): Promise<never> {
  const idle = setInterval(() => undefined, 60_000);
  try {
    return (await once(process, 'tenantry-never')) as never;
  } finally {
    clearInterval(idle);
  }
}
