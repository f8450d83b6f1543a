import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild, type Child } from '../../sandbox/parts/child.ts';
import { freePort } from '../../sandbox/parts/ports.ts';

/** `tenantry worker` as a process of its own, named so that the gateway's call log tells whose a call was. */
export interface WorkerProcess {
  /** The `app` of its AWS calls. */
  readonly app: string;
  readonly child: Child;
  /** Resolves once it polls. @throws Error with what it printed when it ends before, or takes a minute. */
  untilReady(): Promise<void>;
  /** SIGKILL to the process and all that it started; answers when it was sent (epoch ms), once it has ended. */
  killHard(): Promise<number>;
  /** SIGTERM, as a deployment sends it; answers when it has ended. */
  stopInOrder(): Promise<void>;
}

export interface WorkerOptions {
  readonly app: string;
  readonly env: Readonly<Record<string, string>>;
  /** Directory of the sources that it runs; this checkout by default. */
  readonly source?: string | undefined;
}

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const readyTimeoutMs = 60_000;

export async function startWorkerProcess({ app, env, source = checkout }: WorkerOptions): Promise<WorkerProcess> {
  const healthPort = await freePort();
  const child = await startChild({
    name: `worker ${app}`,
    command: process.execPath,
    args: ['bin/tenantry.js', 'worker'],
    cwd: source,
    env: {
      ...process.env,
      ...env,
      AWS_SDK_UA_APP_ID: app,
      TENANTRY_WORKER_HEALTH_PORT: String(healthPort),
    },
    stopTimeoutMs: 20_000,
  });
  return {
    app,
    child,
    untilReady: () => untilReady(child, `http://127.0.0.1:${healthPort}/readyz`),
    killHard: async () => {
      const at = Date.now();
      child.kill('SIGKILL');
      await child.exited;
      return at;
    },
    stopInOrder: () => child.stop(),
  };
}

async function untilReady(child: Child, url: string): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  while (Date.now() < deadline) {
    if (!child.running()) break;
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error(`${child.name} was not ready within ${readyTimeoutMs / 1000} s:\n${child.output()}`);
}
