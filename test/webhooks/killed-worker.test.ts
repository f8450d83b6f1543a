import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { Certificates } from '../../sandbox/gateway/elb/certificates.ts';
import { startChild, type Child } from '../../sandbox/parts/child.ts';
import { createDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { unkeyed } from '../../src/client/once.ts';
import { createWebhookClient } from '../../src/client/webhooks.ts';
import { seedTenant } from '../db/fixtures.ts';
import { testCaller } from '../support/caller.ts';
import { createTestDatabase } from '../support/database.ts';
import type { Received } from './receiver.ts';
import { clientDeps, idOf, payloadKey, verified } from './webhook-world.ts';

const program = fileURLToPath(new URL('./deliverer-process.ts', import.meta.url));

it('a worker that is killed as it connects, or before it can note that it was heard, loses nothing', async () => {
  const test = await createTestDatabase();
  await migrate(test.controlUrl);
  const db = createDatabase({ url: test.controlUrl });
  const certificates = await Certificates.create();
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-webhooks-'));
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, certificates.ca);
  const received: Received[] = [];
  let worker: Child | undefined;
  let killAt: 'connection' | 'request' | 'never' = 'connection';
  const server = createServer(await certificates.pairFor(['localhost']), (request, response) => {
    void text(request).then((body) => {
      received.push({ path: request.url ?? '', headers: request.headers, body });
      if (killAt === 'request') worker?.kill('SIGKILL');
      else response.writeHead(204).end();
    });
  });
  server.on('connection', () => {
    if (killAt === 'connection') worker?.kill('SIGKILL');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const client = createWebhookClient(clientDeps(db), (by, run) => run(by, unkeyed));
  const made = await client.create(testCaller, { url, events: ['tenant.accepted'] });
  // Nobody runs as it happens.
  const { tenantId } = await seedTenant(db);
  try {
    for (const point of ['connection', 'request', 'never'] as const) {
      killAt = point;
      await db.query(`update webhook_queues set next_attempt_at = now() where next_attempt_at <> 'infinity'`);
      worker = await startChild({
        ...{ name: `deliverer, killed at ${point}`, command: process.execPath },
        args: ['--import', 'tsx', program, test.controlUrl, payloadKey.toString('base64')],
        env: { ...process.env, NODE_EXTRA_CA_CERTS: authority },
      });
      if (point !== 'never') await worker.exited;
      expect(received).toHaveLength({ connection: 0, request: 1, never: received.length }[point]);
    }
    const states = async () =>
      (await client.deliveries(testCaller, made.webhookId, { limit: 10 })).deliveries.map(({ state }) => state);
    await expect.poll(states).toEqual(['delivered']);
    expect(received).toHaveLength(2);
    expect(new Set(received.map(idOf)).size).toBe(1);
    for (const one of received)
      expect(verified(one, made.secret)).toMatchObject({ type: 'tenant.accepted', data: { tenantId } });
  } finally {
    worker?.kill('SIGKILL');
    await worker?.exited;
    server.closeAllConnections();
    server.close();
    await db.close();
    await test.drop();
    await rm(folder, { recursive: true });
  }
});
