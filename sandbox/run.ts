import { once } from 'node:events';
import { resolve } from 'node:path';
import { accounts } from '../src/products/accounts/product.ts';
import { nodeAdvice } from '../src/cli/node-version.ts';
import { atTime, formatDuration, type Log } from './parts/log.ts';
import { endWithNpm } from './parts/npm-parent.ts';
import { shutdownOnSignals } from './parts/shutdown.ts';
import type { SandboxOptions } from './cli.ts';
import { accountsThereAndBack } from './demo/accounts.ts';
import { accountsDemo } from './demo/accounts-demo.ts';
import { demo } from './demo/demo.ts';
import { thereAndBack } from './demo/once.ts';
import { startTurbulence, turbulenceReport, faultCommands } from './demo/turbulence.ts';
import { assertAsks, callersText, startCallers, withCallers, type Callers } from './stack/callers.ts';
import { removeEnvFile, writeEnvFile } from './stack/env-file.ts';
import { DirectoryTakenError, lockDirectory } from './stack/directory-lock.ts';
import { logFileOf, startParts, type Parts } from './stack/parts.ts';
import { prepare } from './stack/preparation.ts';
import {
  restartable,
  startApi,
  startWorker,
  waitUntilReady,
  type ProcessOptions,
  type RestartableProcess,
} from './stack/processes.ts';
import { schedulesOff } from './stack/schedules-off.ts';
import { supervise } from './stack/supervision.ts';
import { removeTokenFiles, writeTokenFiles } from './stack/token-files.ts';
import type { Child } from './parts/child.ts';

const log: Log = (line) => console.error(`  ${atTime(line)}`);

/** `tenantry sandbox`, `npm start`, `npm start -- --once`. */
export async function runSandbox(options: SandboxOptions): Promise<void> {
  const stops: Stops = { list: [], signalled: false };
  const stopAll = async () => {
    for (const stop of stops.list.splice(0).reverse())
      await stop().catch((error: unknown) => log(`while stopping: ${String(error)}`));
    if (stops.embedded) log(farewell(stops.embedded, options));
  };
  shutdownOnSignals({
    stop: () => {
      stops.signalled = true;
      return stopAll();
    },
    log,
  });
  endWithNpm(log);
  let exitCode = 1;
  try {
    exitCode = await run(options, stops);
  } catch (error) {
    if (!stops.signalled) tell(error, options);
  }
  // What a signal stops, it also ends: in order, and with its own exit code.
  if (stops.signalled) return;
  await stopAll();
  process.exit(exitCode);
}

function tell(error: unknown, { dir }: SandboxOptions): void {
  if (error instanceof DirectoryTakenError) {
    console.error(error.message);
    return;
  }
  console.error(error);
  log(`what its parts printed is in ${resolve(dir, 'logs')}`);
}

/** How what runs is stopped, newest last; `signalled` once a signal has begun to. */
interface Stops {
  readonly list: (() => Promise<void>)[];
  signalled: boolean;
  /** Parts of the sandbox's own, once they run. */
  embedded?: readonly string[];
}

function farewell(embedded: readonly string[], { dir }: SandboxOptions): string {
  const gone =
    embedded.length === 0
      ? 'every part was given, and keeps its data'
      : `gone with all their data: ${embedded.join(', ')}; the next start begins anew`;
  return `stopped. ${gone}. Logs stay in ${resolve(dir, 'logs')}`;
}

async function run(options: SandboxOptions, stops: Stops): Promise<number> {
  const began = Date.now();
  stops.list.push(await lockDirectory(options.dir));
  log('Tenantry sandbox: starting its parts');
  const advice = nodeAdvice();
  if (advice !== undefined) log(advice);
  const callers = options.auth ? await startCallers() : undefined;
  if (callers) stops.list.push(callers.stop);
  const started = await startParts({
    log,
    directory: options.dir,
    time: options.time,
    taskHost: options.once ? 'shared' : 'process-per-task',
  });
  stops.list.push(started.stop);
  const parts = callers ? withCallers(started, callers) : started;
  stops.embedded = parts.embedded;
  await prepare(parts);
  const envFile = writeEnvFile(options.dir, parts.env, parts.platform);
  stops.list.push(() => {
    removeEnvFile(options.dir);
    removeTokenFiles(options.dir);
    return Promise.resolve();
  });
  log(`embedded: ${parts.embedded.join(', ') || 'nothing'} (${formatDuration(Date.now() - began)})`);
  if (options.turbulence !== undefined) await startTurbulence(gatewayUrlOf(parts), options.turbulence);
  await parts.releaseApiPort();
  const isWhole = options.demo === true || options.once === true;
  const processes = isWhole ? await startProcesses(parts, options, stops) : [];
  if (isWhole && callers) await assertAsks(parts.env.TENANTRY_API_URL ?? '');
  if (isWhole) log(`worker and API are ready (${formatDuration(Date.now() - began)})`);
  const supervision = supervise([...parts.supervised, ...processes], log);
  stops.list.push(() => supervision.stop());
  const failed = supervision.failed.then((reason) => {
    if (!stops.signalled) log(reason);
    return 1;
  });
  return Promise.race([failed, use(parts, { envFile, callers }, options)]);
}

interface Around {
  readonly envFile: string;
  readonly callers: Callers | undefined;
}

/** What the sandbox was started for; a demo and bare parts stay up. */
async function use(parts: Parts, { envFile, callers }: Around, options: SandboxOptions): Promise<number> {
  const tenantIds: string[] = [];
  if (options.once) {
    const isAccounts = options.product === accounts.name;
    const exitCode = await (isAccounts ? accountsThereAndBack : thereAndBack)({ parts, product: options.product });
    await printTurbulence(parts, options);
    return exitCode;
  }
  if (options.demo) {
    const isAccounts = options.product === accounts.name;
    tenantIds.push(
      await (isAccounts ? accountsDemo : demo)({ parts, directory: options.dir, product: options.product }),
    );
    await printTurbulence(parts, options);
  }
  if (callers) await printCallers(callers, tenantIds, { parts, envFile, directory: options.dir });
  printParts(parts, envFile, { ...options, asksCallers: callers !== undefined });
  return forever();
}

async function printCallers(
  callers: Callers,
  tenantIds: readonly string[],
  { parts, envFile, directory }: { readonly parts: Parts; readonly envFile: string; readonly directory: string },
): Promise<void> {
  const tokens = await callers.tokens(tenantIds);
  writeTokenFiles(directory, tokens);
  console.log(callersText(tokens, parts.env.TENANTRY_API_URL ?? '', { envFile, directory }));
}

async function startProcesses(parts: Parts, options: SandboxOptions, stops: Stops): Promise<RestartableProcess[]> {
  const childLog: Log = options.verbose ? log : () => undefined;
  const workerEnv = options.once ? { ...parts.env, ...schedulesOff } : parts.env;
  const start = async (name: string, run: (given: ProcessOptions) => Promise<Child>) => {
    const logFile = logFileOf(options.dir, name);
    const started = await restartable({ name: `the ${name}`, logFile }, () => run({ log: childLog, logFile }), log);
    stops.list.push(started.stop);
    return started;
  };
  const processes = [
    await start('worker', (given) => startWorker(workerEnv, given)),
    await start('api', (given) => startApi(parts.env, given)),
  ];
  await waitUntilReady(
    parts.env.TENANTRY_API_URL ?? '',
    processes.map(({ current }) => current()),
  );
  return processes;
}

/** Which faults were injected, when any were, and how to change them while the sandbox stays up. */
async function printTurbulence(parts: Parts, { turbulence, once: ends }: SandboxOptions): Promise<void> {
  if (turbulence === undefined) return;
  console.log(`\n${await turbulenceReport(gatewayUrlOf(parts))}`);
  if (!ends) console.log(faultCommands(gatewayUrlOf(parts), turbulence));
}

function gatewayUrlOf(parts: Parts): string {
  return parts.env.AWS_ENDPOINT_URL ?? '';
}

function printParts(
  parts: Parts,
  envFile: string,
  { demo: isWhole, dir, asksCallers }: SandboxOptions & { readonly asksCallers: boolean },
): void {
  const api = isWhole
    ? `${parts.env.TENANTRY_API_URL}  (docs at /docs${asksCallers ? ', which ask for a token too' : ''})`
    : 'not started: `tenantry worker` and `tenantry api` run with the environment below';
  console.log(`
  API          ${api}
  Temporal     ${parts.env.TEMPORAL_ADDRESS}${parts.temporalUiUrl === undefined ? '' : `  (UI ${parts.temporalUiUrl})`}
  AWS          ${parts.env.AWS_ENDPOINT_URL}
  environment  set -a; . ${envFile}; set +a
  logs         ${resolve(dir, 'logs')}${asksCallers ? '' : `\n  callers      nobody is asked who calls; \`npm start -- --auth\` asks, and prints a token per role and how to sign in`}

  Ctrl-C stops everything; what the embedded parts hold is gone then.
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
