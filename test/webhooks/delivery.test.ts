import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { retryWaitsSeconds, webhookEventTypes } from '../../src/contracts/webhooks.ts';
import { appendEvent } from '../../src/db/events.ts';
import { claimDeliveries, recordAttempt } from '../../src/db/webhook-queues.ts';
import { keepWebhooks } from '../../src/webhooks/keeper.ts';
import { cell } from '../db/fixtures.ts';
import { testCaller } from '../support/caller.ts';
import { answerWith, startReceiver } from './receiver.ts';
import { idOf, INSTALLATION, tenantOf, toOf, useWebhookWorld, verified } from './webhook-world.ts';

const world = useWebhookWorld();
const deliveries = async (webhookId: string) =>
  (await world.current.client.deliveries(testCaller, webhookId, { limit: 100 })).deliveries;

describe('what is told', () => {
  it('is every event of what was asked for, in order, signed, and nothing that identifies a person', async () => {
    const { db, round, webhook, tenant, receiver } = world.current;
    const made = await webhook({ product: 'moamalat' });
    const seeded = await tenant();
    const failure = { code: 'ACCESS_DENIED', stepId: 'logs', message: 'for somebody@tenants.test', detail: 'secret' };
    await db.query(`update operations set state = 'running', run_id = 'r' where id = $1`, [seeded.operationId]);
    await db.transaction((tx) =>
      appendEvent(tx, {
        ...{
          cell: cell.id,
          ...seeded,
          type: 'operation.state',
          data: { from: 'running', to: 'holding', failure, by: 'Ann' },
        },
      }),
    );
    await db.transaction((tx) =>
      appendEvent(tx, { ...{ cell: cell.id, ...seeded, type: 'step.started', stepId: 'logs', data: {} } }),
    );
    await round();
    const told = receiver.received.map((one) => verified(one, made.secret));
    expect(told.map(({ type }) => type)).toEqual(['tenant.accepted', 'operation.accepted', 'operation.state']);
    const common = { installationId: INSTALLATION, tenantId: seeded.tenantId, product: 'moamalat', slug: seeded.slug };
    const operation = { id: seeded.operationId, type: 'provision' };
    expect(told[2]).toEqual({
      type: 'operation.state',
      timestamp: expect.any(String) as string,
      data: {
        ...{ ...common, eventId: expect.any(Number) as number, operation, from: 'running', to: 'holding' },
        failure: { code: 'ACCESS_DENIED', stepId: 'logs' },
      },
    });
    expect(receiver.received[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': expect.stringMatching(/^msg_[0-9a-f-]{36}$/) as string,
    });
    const sent = receiver.received.map(({ body }) => body).join();
    for (const kept of ['somebody', 'Ann', 'secret', 'a test', 'A tenant']) expect(sent).not.toContain(kept);
    expect(Math.max(...receiver.received.map(({ body }) => body.length))).toBeLessThan(2_000);
    expect((await deliveries(made.webhookId)).map(({ state }) => state)).toEqual([
      'delivered',
      'delivered',
      'delivered',
    ]);
  });

  it('is of a tenant, of a product or of all, and of the types that were asked for', async () => {
    const { db, round, webhook, tenant, change, receiver } = world.current;
    const [mine, other] = [await tenant(), await tenant()];
    await webhook({ tenantId: mine.tenantId, events: ['tenant.status'], url: `${receiver.url}/tenant` });
    await webhook({ product: 'moamalat', events: ['tenant.status'], url: `${receiver.url}/product` });
    await webhook({ events: ['operation.slow'], url: `${receiver.url}/slow` });
    const elsewhere = await webhook({ url: `${receiver.url}/elsewhere` });
    await db.query(`update webhooks set product = 'accounts' where id = $1`, [elsewhere.webhookId]);
    await change(mine);
    await change(other);
    await round();
    const told = receiver.received.map((one) => `${one.path} ${tenantOf(one)}`).sort();
    expect(told).toEqual(
      [`/hook/product ${mine.tenantId}`, `/hook/product ${other.tenantId}`, `/hook/tenant ${mine.tenantId}`].sort(),
    );
  });

  it('is what was committed, and after the webhook was made', async () => {
    const { db, round, webhook, tenant, receiver } = world.current;
    const seeded = await tenant();
    const made = await webhook();
    const failing = db.transaction(async (tx) => {
      await appendEvent(tx, { ...{ cell: cell.id, ...seeded, type: 'tenant.tier', data: { from: 'a', to: 'b' } } });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await round();
    expect(receiver.received).toEqual([]);
    expect(await deliveries(made.webhookId)).toEqual([]);
  });

  it('can be of the types of the contracts, and of no other', async () => {
    const { rows } = await world.current.db.query<{ type: string }>('select type from webhook_event_types');
    expect(rows.map(({ type }) => type).sort()).toEqual([...webhookEventTypes].sort());
  });
});

describe('a receiver that fails', () => {
  it('gets the later events of a tenant after the earlier one, under the id of before, while other tenants go on', async () => {
    const { round, webhook, tenant, change, receiver, letTimePass } = world.current;
    const [stuck, free] = [await tenant(), await tenant()];
    const made = await webhook();
    await change(stuck, 'one');
    await change(stuck, 'two');
    await change(free, 'three');
    receiver.answer = (got, ...rest) => answerWith(toOf(got) === 'one' ? 500 : 200)(got, ...rest);
    await round();
    expect(receiver.received.map(toOf).sort()).toEqual(['one', 'three']);
    // Not before its time, and not before the earlier one.
    await round();
    expect(receiver.received).toHaveLength(2);
    const [second, first] = (await deliveries(made.webhookId)).filter((d) => d.tenantId === stuck.tenantId);
    expect(first).toMatchObject({ state: 'pending', attempts: 1, httpStatus: 500, error: 'answered 500' });
    const waitMs = Date.parse(first?.nextAttemptAt ?? '') - Date.now();
    expect(waitMs).toBeGreaterThan(3_000);
    expect(waitMs).toBeLessThan(6_000);
    expect(second).toMatchObject({ state: 'pending', attempts: 0, nextAttemptAt: null });
    receiver.answer = answerWith(200);
    await letTimePass();
    await round();
    expect(receiver.received.slice(2).map(toOf)).toEqual(['one', 'two']);
    const attempts = receiver.received.filter((one) => toOf(one) === 'one');
    expect(attempts.map(idOf)).toEqual([first?.messageId, first?.messageId]);
    expect(new Set(attempts.map(({ body }) => body)).size).toBe(1);
    for (const one of receiver.received) verified(one, made.secret);
  });

  it('is tried through the schedule; then the event is a dead letter, told of once, and the next one has its turn', async () => {
    const { db, round, webhook, tenant, change, receiver, letTimePass, lines, client } = world.current;
    const seeded = await tenant();
    const made = await webhook();
    await change(seeded, 'one');
    receiver.answer = answerWith(500);
    const waits: number[] = [];
    for (let attempt = 0; attempt <= retryWaitsSeconds.length; attempt += 1) {
      await letTimePass();
      await round();
      const [row] = await deliveries(made.webhookId);
      if (row?.nextAttemptAt) waits.push((Date.parse(row.nextAttemptAt) - Date.parse(row.attemptedAt ?? '')) / 1_000);
    }
    expect(receiver.received).toHaveLength(retryWaitsSeconds.length + 1);
    for (const [i, wait] of retryWaitsSeconds.entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(wait);
      expect(waits[i]).toBeLessThanOrEqual(wait * 1.1 + 2);
    }
    await change(seeded, 'two');
    // One that waited behind it for as long has one attempt.
    await db.query(`update webhook_deliveries set since = now() - interval '3 days' where state = 'pending'`);
    await round();
    expect((await deliveries(made.webhookId)).map(({ state }) => state)).toEqual(['dead', 'dead']);
    expect(lines.filter(({ alert }) => alert === 'webhook-dead-letters')).toMatchObject([
      { webhookId: made.webhookId, tenantId: seeded.tenantId, error: 'answered 500', attempts: 15 },
    ]);
    receiver.answer = answerWith(200);
    receiver.received.length = 0;
    await change(seeded, 'three');
    await round();
    expect(await client.replayDead(testCaller, made.webhookId)).toEqual({ replayed: 2 });
    await round();
    expect(receiver.received.map(toOf)).toEqual(['three', 'one', 'two']);
    expect(await client.replayDead(testCaller, made.webhookId)).toEqual({ replayed: 0 });
    expect(await client.get(testCaller, made.webhookId)).toMatchObject({ deadLetters: 0, pending: 0, failures: 0 });
  });

  it('and answers 410 is disabled; what comes waits until it is enabled', async () => {
    const { round, webhook, tenant, change, receiver, letTimePass, client, lines } = world.current;
    const seeded = await tenant();
    const made = await webhook();
    receiver.answer = answerWith(410);
    await change(seeded, 'one');
    await round();
    await change(seeded, 'two');
    await letTimePass();
    await round();
    expect(receiver.received).toHaveLength(1);
    expect(await client.get(testCaller, made.webhookId)).toMatchObject({
      ...{ enabled: false, disabledReason: 'its receiver answered 410', pending: 2 },
    });
    expect(lines).toMatchObject([{ alert: 'webhook-disabled', webhookId: made.webhookId }]);
    receiver.answer = answerWith(204);
    await client.change(testCaller, made.webhookId, { enabled: true });
    await round();
    expect(receiver.received.map(toOf)).toEqual(['one', 'one', 'two']);
  });

  it('and asks for a pause has it, for all of its tenants', async () => {
    const { db, round, webhook, tenant, change, receiver, letTimePass } = world.current;
    const [one, two] = [await tenant(), await tenant()];
    const made = await webhook();
    receiver.answer = answerWith(429, { 'retry-after': '600' });
    await change(one);
    await round();
    const [row] = await deliveries(made.webhookId);
    expect(Date.parse(row?.nextAttemptAt ?? '') - Date.now()).toBeGreaterThan(590_000);
    await change(two);
    await letTimePass();
    await round();
    expect(receiver.received).toHaveLength(1);
    await db.query(`update webhooks set resume_at = now() where id = $1`, [made.webhookId]);
    receiver.answer = answerWith(200);
    await round();
    expect(receiver.received.slice(1).map(tenantOf).sort()).toEqual([one.tenantId, two.tenantId].sort());
  });

  it('and hangs keeps nobody else waiting, however many of its events there are', async () => {
    const { round, webhook, tenant, change, receiver, db } = world.current;
    const hanging = await startReceiver();
    let mostAtOnce = 0;
    let open = 0;
    hanging.answer = (_received, response) => {
      mostAtOnce = Math.max(mostAtOnce, (open += 1));
      response.on('close', () => (open -= 1));
    };
    const tenants = await Promise.all(Array.from({ length: 30 }, () => tenant()));
    await webhook({ url: hanging.url });
    // The same host by another webhook is the same receiver.
    await webhook({ url: `${hanging.url}/again` });
    await webhook({ url: receiver.url });
    for (const one of tenants) await change(one);
    const running = round({ times: { connectMs: 20_000, answerMs: 20_000, drainMs: 100 } });
    await expect.poll(() => receiver.received.length).toBe(30);
    expect(open).toBe(8);
    await db.query('update webhooks set deleted_at = now()');
    await hanging.close();
    await running;
    expect(mostAtOnce).toBe(8);
  });
});

describe('what must not be lost', () => {
  it('is delivered by another worker when one dies between its claim and its attempt', async () => {
    const { db, round, webhook, tenant, change, receiver, letTimePass } = world.current;
    const seeded = await tenant();
    await webhook();
    await change(seeded);
    expect(await claimDeliveries(db, { limit: 10, slots: 8, free: new Map() })).toHaveLength(1);
    await round();
    expect(receiver.received).toEqual([]);
    await letTimePass();
    await round();
    expect(receiver.received).toHaveLength(1);
  });

  it('is delivered again under the same id when what became of it could not be noted', async () => {
    const { db, round, webhook, tenant, change, receiver, letTimePass } = world.current;
    const seeded = await tenant();
    const made = await webhook();
    await change(seeded);
    let claims = 0;
    const dying = {
      ...db,
      transaction: ((fn, o) =>
        (claims += 1) > 1 ? Promise.reject(new Error('dead')) : db.transaction(fn, o)) as typeof db.transaction,
    };
    await expect(round({ database: dying })).rejects.toThrow('dead');
    await letTimePass();
    await round();
    expect(receiver.received).toHaveLength(2);
    expect(new Set(receiver.received.map(idOf)).size).toBe(1);
    expect(await deliveries(made.webhookId)).toMatchObject([{ state: 'delivered' }]);
  });

  it('goes to one of several workers', async () => {
    const { round, webhook, tenant, change, receiver } = world.current;
    const tenants = await Promise.all(Array.from({ length: 10 }, () => tenant()));
    await webhook();
    for (const one of tenants) for (const to of ['one', 'two']) await change(one, to);
    await Promise.all([round(), round(), round()]);
    expect(receiver.received).toHaveLength(20);
    expect(new Set(receiver.received.map(idOf)).size).toBe(20);
    for (const { tenantId } of tenants)
      expect(receiver.received.filter((one) => tenantOf(one) === tenantId).map(toOf)).toEqual(['one', 'two']);
  });

  it('is seen although its event was committed while the queue ran empty', async () => {
    const { db, webhook, tenant, change, round, receiver } = world.current;
    const seeded = await tenant();
    await webhook();
    await change(seeded, 'one');
    const [claimed] = await claimDeliveries(db, { limit: 1, slots: 8, free: new Map() });
    if (!claimed) throw new Error('nothing was claimed');
    const quiet = { givenUp: () => undefined, disabled: () => undefined };
    let noting: Promise<void> | undefined;
    await db.transaction(async (tx) => {
      await appendEvent(tx, { ...{ cell: cell.id, ...seeded, type: 'tenant.status', data: { from: 'x', to: 'two' } } });
      noting = recordAttempt(db, claimed, { httpStatus: 200, caller: testCaller }, quiet);
      await sleep(100);
    });
    await noting;
    await round();
    expect(receiver.received.map(toOf)).toEqual(['two']);
  });
});

describe('whoever looks after webhooks', () => {
  it('is told once of one that is behind, and when it has caught up', async () => {
    const { db, webhook, tenant, change, receiver, round, letTimePass } = world.current;
    const seeded = await tenant();
    const made = await webhook();
    await change(seeded);
    receiver.answer = answerWith(502);
    await round();
    const told: unknown[] = [];
    const note = (line: unknown) => told.push(line);
    const keeper = { database: db, log: { info: note, error: note } };
    await keepWebhooks(keeper);
    await db.query(
      `update webhook_deliveries set queued_at = now() - interval '1 hour', since = now() - interval '1 hour'
      where webhook_id = $1`,
      [made.webhookId],
    );
    await keepWebhooks(keeper);
    await keepWebhooks(keeper);
    expect(told).toMatchObject([
      { alert: 'webhook-behind', webhookId: made.webhookId, failures: 1, reason: 'answered 502' },
    ]);
    receiver.answer = answerWith(200);
    await letTimePass();
    await round();
    await keepWebhooks(keeper);
    expect(told.slice(1)).toEqual([{ webhookId: made.webhookId }]);
  });

  it('finds neither what was delivered long ago nor what waited for a deleted webhook', async () => {
    const { db, webhook, tenant, change, round, client } = world.current;
    const seeded = await tenant();
    const [old, deleted] = [await webhook(), await webhook()];
    await change(seeded);
    await client.remove(testCaller, deleted.webhookId);
    await round();
    await change(seeded);
    await db.query(
      `update webhook_deliveries set ended_at = now() - interval '8 days' where webhook_id = $1 and state = 'delivered'`,
      [old.webhookId],
    );
    await keepWebhooks({ database: db, log: { info: () => undefined, error: () => undefined } });
    const { rows } = await db.query<{ id: string; state: string }>(
      'select webhook_id as id, state from webhook_deliveries where webhook_id = any ($1)',
      [[old.webhookId, deleted.webhookId]],
    );
    expect(rows).toEqual([{ id: old.webhookId, state: 'pending' }]);
    const secrets = await db.query('select 1 from webhook_secrets where webhook_id = $1', [deleted.webhookId]);
    expect(secrets.rows).toEqual([]);
  });
});
