import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeInventory, type InventoryItem } from '../../sandbox/inventory/inventory.ts';
import type { Child } from '../../sandbox/parts/child.ts';
import { runCommand } from '../../sandbox/parts/child.ts';
import { freePort } from '../../sandbox/parts/ports.ts';
import { temporalExecutable } from '../../sandbox/parts/temporal-executable.ts';
import { startParts, type Parts } from '../../sandbox/stack/parts.ts';
import { startApi, startWorker, waitUntilReady } from '../../sandbox/stack/processes.ts';
import { prepare } from '../../sandbox/stack/preparation.ts';
import { schedulesOff } from '../../sandbox/stack/schedules-off.ts';
import { createApiClient, type Accepted, type ApiClient, type Status } from '../../src/cli/api-client.ts';

/** The whole product as its users run it: every part real, worker and API as processes of their own. */
export interface System {
  readonly parts: Parts;
  readonly api: ApiClient;
  readonly apiUrl: string;
  readonly worker: Child;
  startAnotherWorker(): Promise<Child>;
  create(slug: string, onFailure?: 'hold' | 'rollback'): Promise<Accepted>;
  /** Waits for one of these operation states. */
  until(tenantId: string, ...states: string[]): Promise<Status>;
  inventory(): Promise<InventoryItem[]>;
  /** Temporal's own CLI, as an operator uses it. */
  temporal(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

const quiet = () => undefined;

/** @param given variables that are set before anything starts, such as `TENANTRY_CONFIG` */
export async function startSystem(given: Readonly<Record<string, string>> = {}): Promise<System> {
  const directory = mkdtempSync(join(tmpdir(), 'tenantry-e2e-'));
  const parts = await startParts(
    { log: quiet, directory, time: 'demo', taskHost: 'shared' },
    { ...given, TENANTRY_API_PORT: String(await freePort()) },
  );
  const children: Child[] = [];
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()));
    await parts.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await prepare(parts);
    const apiUrl = parts.env.TENANTRY_API_URL ?? '';
    const telemetry = Object.fromEntries(Object.entries(given).filter(([name]) => name.startsWith('OTEL_')));
    const workerEnv = { ...parts.env, ...schedulesOff, ...telemetry };
    const worker = await startWorker(workerEnv, { log: quiet });
    children.push(worker, await startApi({ ...parts.env, ...telemetry }, { log: quiet }));
    await waitUntilReady(apiUrl, children);
    const api = createApiClient(apiUrl);
    return {
      parts,
      api,
      apiUrl,
      worker,
      startAnotherWorker: async () => {
        const another = await startWorker(workerEnv, { log: quiet });
        children.push(another);
        return another;
      },
      create: (slug, onFailure) =>
        api.create({
          product: 'moamalat',
          slug,
          displayName: `Tenant ${slug}`,
          contactEmail: `admin@${slug.trim().toLowerCase()}.example`,
          onFailure,
        }),
      until: (tenantId, ...states) => until(api, tenantId, states),
      inventory: () =>
        takeInventory({ gatewayUrl: parts.env.AWS_ENDPOINT_URL ?? '', databaseUrl: parts.oracleDatabaseUrl }),
      temporal: async (...args) =>
        runCommand({
          name: 'temporal',
          command: await temporalExecutable(quiet),
          args: [
            ...args,
            '--address',
            parts.env.TEMPORAL_ADDRESS ?? '',
            '--namespace',
            parts.env.TEMPORAL_NAMESPACE ?? '',
          ],
          timeoutMs: 20_000,
        }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function until(api: ApiClient, tenantId: string, states: readonly string[]): Promise<Status> {
  const end = Date.now() + 150_000;
  for (;;) {
    const status = await api.status(tenantId);
    if (states.includes(status.operation.state)) return status;
    if (Date.now() > end) throw new Error(`waited for ${states.join(' or ')}, last seen: ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
