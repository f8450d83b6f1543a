import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { STOP_MS } from '../../src/cli/process.ts';
import { startChild, type Child } from '../parts/child.ts';
import type { Log } from '../parts/log.ts';
import type { SupervisedPart } from './supervision.ts';

const cli = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const readyTimeoutMs = 60_000;
/** When worker and API are killed that do not stop, in ms: after the time that they give themselves. */
export const KILL_AFTER_MS = STOP_MS + 10_000;
/** A stop that takes longer than this, in ms, is explained. */
const SAY_AFTER_MS = 1_000;

/** Variables that a process which calls no AWS and no tenant database has no business with. */
const credentials = /^(AWS_(?!REGION$).*|TENANT_DATABASE_URL.*)$/;

export interface ProcessOptions {
  /** Gets each line of its log. */
  readonly log: Log;
  /** Gets its log as a whole. */
  readonly logFile?: string | undefined;
}

/** Starts `tenantry worker`, as production does. */
export function startWorker(env: Readonly<Record<string, string>>, options: ProcessOptions): Promise<Child> {
  return startTenantry('worker', { ...process.env, ...env }, options);
}

/** Whoever runs the sandbox may have the settings of another API at hand; empty ones count as unset. */
const nobodyAsked = { TENANTRY_OIDC_ISSUER: '', TENANTRY_OIDC_AUDIENCE: '', TENANTRY_SERVICE_KEYS: '' };

/** Starts `tenantry api` without any credential but the control plane's database. */
export function startApi(env: Readonly<Record<string, string>>, options: ProcessOptions): Promise<Child> {
  const all = { ...process.env, ...nobodyAsked, ...env };
  const own = Object.fromEntries(Object.entries(all).filter(([name]) => !credentials.test(name)));
  return startTenantry('api', own, options);
}

/** A process of ours that is started again when it ends. */
export interface RestartableProcess extends SupervisedPart {
  readonly current: () => Child;
  readonly stop: () => Promise<void>;
}

/**
 * @param start the first time at once, and again whenever it ended
 * @param log told what is waited for when it takes its time to stop
 */
export async function restartable(
  { name, logFile }: Pick<SupervisedPart, 'name' | 'logFile'>,
  start: () => Promise<Child>,
  log: Log,
): Promise<RestartableProcess> {
  let child = await start();
  return {
    name,
    logFile,
    current: () => child,
    exited: () => child.exited,
    restart: async () => {
      child = await start();
    },
    stop: async () => {
      const said = `waiting for ${name} to stop: what it has under way may take up to ${STOP_MS / 1_000} s`;
      const waiting = setTimeout(() => log(said), SAY_AFTER_MS);
      await child.stop().finally(() => clearTimeout(waiting));
    },
  };
}

function startTenantry(command: string, env: NodeJS.ProcessEnv, { log, logFile }: ProcessOptions): Promise<Child> {
  return startChild({
    name: command,
    command: process.execPath,
    args: [cli, command],
    env,
    log,
    logFile,
    stopTimeoutMs: KILL_AFTER_MS,
  });
}

/**
 * Waits until `/readyz` answers 200: PostgreSQL, Temporal and a polling worker are there.
 * @throws Error with the last answer, or with what a process printed that ended meanwhile.
 */
export async function waitUntilReady(apiUrl: string, children: readonly Child[]): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  let last = 'no answer yet';
  while (Date.now() < deadline) {
    const ended = children.find((child) => !child.running());
    if (ended) throw new Error(`the ${ended.name} ended at its start:\n${ended.output().trimEnd()}`);
    try {
      const response = await fetch(`${apiUrl}/readyz`, { signal: AbortSignal.timeout(5_000) });
      if (response.ok) return;
      last = await response.text();
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(200);
  }
  throw new Error(`${apiUrl} did not get ready within ${readyTimeoutMs / 1000} s: ${last}`);
}
