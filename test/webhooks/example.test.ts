import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { receiver } from '../../examples/webhook-receiver/receiver.ts';
import { testCaller } from '../support/caller.ts';
import { useWebhookWorld } from './webhook-world.ts';

const world = useWebhookWorld();

it('the receiver of the documentation takes what is signed, through a rotation, and nothing else', async () => {
  const { webhook, tenant, change, round, client, db } = world.current;
  const taken: string[] = [];
  const made = await webhook({ events: ['tenant.status'] });
  const server = receiver(made.secret, (_id, message) => {
    taken.push((message as { data: { to: string } }).data.to);
    return Promise.resolve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await client.change(testCaller, made.webhookId, { url });
  const seeded = await tenant();
  await change(seeded, 'one');
  await round();
  await client.rotate(testCaller, made.webhookId);
  await change(seeded, 'two');
  await round();
  await db.query(`update webhook_secrets set expires_at = now() where webhook_id = $1 and expires_at is not null`, [
    made.webhookId,
  ]);
  await change(seeded, 'three');
  await round();
  expect(taken).toEqual(['one', 'two']);
  const { deliveries } = await client.deliveries(testCaller, made.webhookId, { limit: 1 });
  expect(deliveries).toMatchObject([{ state: 'pending', httpStatus: 401 }]);
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);
  server.close();
});

it('the documentation shows the receiver as it is', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  expect(read('docs/webhooks.md')).toContain(`\`\`\`ts\n${read('examples/webhook-receiver/receiver.ts')}\`\`\``);
});
