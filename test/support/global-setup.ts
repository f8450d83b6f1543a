import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestProject } from 'vitest/node';
import { messageOf } from '../../sandbox/parts/log.ts';
import { startMinistack } from '../../sandbox/parts/ministack.ts';
import { freePort } from '../../sandbox/parts/ports.ts';
import { startPostgres } from '../../sandbox/parts/postgres.ts';
import { startTemporalServer } from '../../sandbox/parts/temporal-server.ts';
import { timeSkippingExecutable } from '../../sandbox/parts/time-skipping-server.ts';
import { searchAttributes } from '../../src/contracts/ids.ts';
import type { PartName, Parts } from './parts.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files ask for the parts of a run. */
    partsUrl: string;
  }
}

const log = (line: string) => console.error(`[parts] ${line}`);
const stops: (() => Promise<void>)[] = [];

const starters: { [P in PartName]: () => Promise<Parts[P]> } = {
  postgres: async () => {
    const part = await startPostgres({ log, port: await freePort() });
    stops.push(part.stop);
    return { controlUrl: part.controlUrl, tenantUrl: part.tenantUrl, adminUrl: part.adminUrl };
  },
  ministack: async () => {
    const part = await startMinistack({ log });
    stops.push(part.stop);
    return { url: part.url };
  },
  temporal: async () => {
    const keywords = Object.fromEntries(searchAttributes.map((name) => [name, 'Keyword' as const]));
    const part = await startTemporalServer({ log, port: await freePort(), uiPort: false, searchAttributes: keywords });
    stops.push(part.stop);
    return { address: part.address, namespace: part.namespace };
  },
  timeSkipping: async () => ({ executable: await timeSkippingExecutable({ log }) }),
};

/**
 * Serves the parts that a run shares: each starts when the first test file asks for it (see parts.ts), so that a run of
 * pure tests starts nothing, and all of them stop when the run ends.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<PartName, Promise<unknown>>();
  const server = createServer((request, response) => void answer(request, response, started));
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the parts server has no TCP address');
  project.provide('partsUrl', `http://127.0.0.1:${address.port}`);
  return async () => {
    server.closeAllConnections();
    server.close();
    await Promise.allSettled(started.values());
    await Promise.all(stops.map((stop) => stop()));
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  started: Map<PartName, Promise<unknown>>,
): Promise<void> {
  const name = request.url?.slice(1) ?? '';
  try {
    if (!isPartName(name)) throw new Error(`there is no part "${name}"`);
    const part = started.get(name) ?? starters[name]();
    started.set(name, part);
    response.end(JSON.stringify(await part));
  } catch (error) {
    response.writeHead(500).end(messageOf(error));
  }
}

const isPartName = (name: string): name is PartName => Object.hasOwn(starters, name);
