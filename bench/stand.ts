import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallRecord } from '../sandbox/gateway/gateway.ts';
import type { TimePreset } from '../sandbox/gateway/time.ts';
import type { Child } from '../sandbox/parts/child.ts';
import { freePort } from '../sandbox/parts/ports.ts';
import { startParts, type Parts } from '../sandbox/stack/parts.ts';
import { prepare } from '../sandbox/stack/preparation.ts';
import { schedulesOff } from '../sandbox/stack/schedules-off.ts';
import { startApi, startWorker, waitUntilReady } from '../sandbox/stack/processes.ts';
import { createApiClient, type ApiClient } from '../src/cli/api-client.ts';

/** The product as its users run it, to be measured: every part real, worker and API as processes of their own. */
export interface Stand {
  readonly parts: Parts;
  readonly api: ApiClient;
  readonly apiUrl: string;
  startWorker(): Promise<Child>;
  /** @param env beside the stand's */
  startApi(env?: Readonly<Record<string, string>>): Promise<Child>;
  /** Until the API answers, workers or not. */
  listening(): Promise<void>;
  ready(): Promise<void>;
  /** AWS calls since one, oldest first, without the bench's own. */
  calls(afterSeq: number): Promise<CallRecord[]>;
  setLimits(limits: { factor: number } | null): Promise<void>;
  stop(): Promise<void>;
}

const quiet = () => undefined;

export async function startStand(time: TimePreset): Promise<Stand> {
  const directory = mkdtempSync(join(tmpdir(), 'tenantry-bench-'));
  const options = { log: quiet, directory, time, taskHost: 'shared' } as const;
  const parts = await startParts(options, { TENANTRY_API_PORT: String(await freePort()) });
  const children: Child[] = [];
  const apiUrl = parts.env.TENANTRY_API_URL ?? '';
  const gateway = parts.env.AWS_ENDPOINT_URL ?? '';
  const started = async (child: Promise<Child>) => {
    children.push(await child);
    return await child;
  };
  await prepare(parts);
  return {
    parts,
    api: createApiClient(apiUrl),
    apiUrl,
    startWorker: () => started(startWorker({ ...parts.env, ...schedulesOff }, { log: quiet })),
    startApi: (env = {}) => started(startApi({ ...parts.env, ...env }, { log: quiet })),
    listening: () => untilListening(apiUrl),
    ready: () => waitUntilReady(apiUrl, children),
    calls: async (afterSeq) => {
      const answer = await fetch(new URL(`/_gateway/calls?after=${afterSeq}`, gateway));
      return (await answer.json()) as CallRecord[];
    },
    setLimits: async (limits) => {
      const body = JSON.stringify({ limits });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(new URL('/_gateway/faults', gateway), { method: 'PUT', headers, body });
      if (!answer.ok) throw new Error(`the gateway refused the limits: ${await answer.text()}`);
    },
    stop: async () => {
      await Promise.all(children.map((child) => child.stop()));
      await parts.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function untilListening(apiUrl: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = await fetch(`${apiUrl}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens at ${apiUrl}`);
}
