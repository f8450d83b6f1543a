import { once } from 'node:events';
import { formatDuration, type Log } from './parts/log.ts';
import { shutdownOnSignals } from './parts/shutdown.ts';
import type { SandboxOptions } from './cli.ts';
import { demo } from './demo/demo.ts';
import { thereAndBack } from './demo/once.ts';
import { startTurbulence, turbulenceReport, weatherCommands } from './demo/turbulence.ts';
import { writeEnvFile } from './stack/env-file.ts';
import { startParts, type Parts } from './stack/parts.ts';
import { prepare } from './stack/preparation.ts';
import { startApi, startWorker, waitUntilReady } from './stack/processes.ts';
import type { Child } from './parts/child.ts';

const log: Log = (line) => console.error(`  ${line}`);

/** `tenantry sandbox`, `npm start`, `npm start -- --once`. */
export async function runSandbox(options: SandboxOptions): Promise<void> {
  const stops: Stops = { list: [], signalled: false };
  const stopAll = async () => {
    for (const stop of stops.list.splice(0).reverse())
      await stop().catch((error: unknown) => log(`while stopping: ${String(error)}`));
  };
  shutdownOnSignals({
    stop: () => {
      stops.signalled = true;
      return stopAll();
    },
    log,
  });
  let exitCode = 1;
  try {
    exitCode = await run(options, stops);
  } catch (error) {
    if (!stops.signalled) console.error(error);
  }
  // What a signal stops, it also ends: in order, and with its own exit code.
  if (stops.signalled) return;
  await stopAll();
  process.exit(exitCode);
}

/** How what runs is stopped, newest last; `signalled` once a signal has begun to. */
interface Stops {
  readonly list: (() => Promise<void>)[];
  signalled: boolean;
}

async function run(options: SandboxOptions, stops: Stops): Promise<number> {
  const began = Date.now();
  const withProcesses = options.demo === true || options.once === true;
  console.error('Tenantry sandbox: starting its parts');
  const parts = await startParts({
    log,
    directory: options.dir,
    time: options.time,
    taskHost: options.once ? 'shared' : 'process-per-task',
  });
  stops.list.push(parts.stop);
  await prepare(parts);
  const envFile = writeEnvFile(options.dir, parts.env, parts.platform);
  log(`embedded: ${parts.embedded.join(', ') || 'nothing'} (${formatDuration(Date.now() - began)})`);
  if (options.turbulence !== undefined) await startTurbulence(gatewayUrlOf(parts), options.turbulence);
  await parts.releaseApiPort();
  if (!withProcesses) {
    printParts(parts, envFile);
    return forever();
  }
  const childLog: Log = options.verbose ? log : () => undefined;
  // The sweep's first report puts a mark into AWS, whenever its hour strikes: not between two inventories that are compared.
  const workerEnv = options.once ? { ...parts.env, TENANTRY_SWEEP_INTERVAL: 'off' } : parts.env;
  const children: Child[] = [await startWorker(workerEnv, childLog), await startApi(parts.env, childLog)];
  for (const child of children) {
    stops.list.push(() => child.stop());
  }
  await waitUntilReady(parts.env.TENANTRY_API_URL ?? '', children);
  log(`worker and API are ready (${formatDuration(Date.now() - began)})`);
  if (options.once) {
    const exitCode = await thereAndBack({ parts, directory: options.dir });
    await printTurbulence(parts, options);
    return exitCode;
  }
  await demo({ parts, directory: options.dir });
  await printTurbulence(parts, options);
  printParts(parts, envFile);
  const ended = await Promise.race(children.map(async (child) => ({ child, exit: await child.exited })));
  if (!stops.signalled) console.error(`the ${ended.child.name} ended by itself:\n${ended.child.output()}`);
  return 1;
}

/** What the weather did, when there was any, and how to change it while the sandbox stays up. */
async function printTurbulence(parts: Parts, { turbulence, once: ends }: SandboxOptions): Promise<void> {
  if (turbulence === undefined) return;
  console.log(`\n${await turbulenceReport(gatewayUrlOf(parts))}`);
  if (!ends) console.log(weatherCommands(gatewayUrlOf(parts), turbulence));
}

function gatewayUrlOf(parts: Parts): string {
  return parts.env.AWS_ENDPOINT_URL ?? '';
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
