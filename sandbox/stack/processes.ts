import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, type Child } from '../parts/child.ts';
import type { Log } from '../parts/log.ts';

const cli = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const readyTimeoutMs = 60_000;

/** Variables that a process which calls no AWS and no tenant database has no business with. */
const credentials = /^(AWS_(?!REGION$).*|TENANT_DATABASE_URL.*)$/;

/** Starts `tenantry worker`, as production does; its log goes line by line to `log`. */
export function startWorker(env: Readonly<Record<string, string>>, log: Log): Promise<Child> {
  return startTenantry('worker', { ...process.env, ...env }, log);
}

/** Starts `tenantry api` without any credential but the control plane's database. */
export function startApi(env: Readonly<Record<string, string>>, log: Log): Promise<Child> {
  const all = { ...process.env, ...env };
  return startTenantry('api', Object.fromEntries(Object.entries(all).filter(([name]) => !credentials.test(name))), log);
}

function startTenantry(command: string, env: NodeJS.ProcessEnv, log: Log): Promise<Child> {
  return startChild({
    name: command,
    command: process.execPath,
    args: [cli, command],
    env,
    log,
    stopTimeoutMs: 20_000,
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
