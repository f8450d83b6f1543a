import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EventView } from '../../src/client/views.ts';
import { appendEvent } from '../../src/db/events.ts';
import { createApiFixture, acme, type ApiFixture } from './api-fixture.ts';
import { openStream } from './stream-reader.ts';

let api: ApiFixture;
let base: string;
beforeAll(async () => {
  api = await createApiFixture();
  base = (await api.listen()).url;
});
afterAll(() => api.close());

const connections: AbortController[] = [];
afterEach(() => connections.splice(0).forEach((c) => c.abort()));

let counter = 0;
async function createTenant(): Promise<string> {
  const payload = { ...acme, slug: `stream-${(counter += 1)}` };
  return (await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload })).json<{ tenantId: string }>()
    .tenantId;
}
const append = (tenantId: string, stepId: string) =>
  api.database.transaction((tx) =>
    appendEvent(tx, { cell: 'default', tenantId, type: 'step.started', stepId, data: { text: 'a\nb' } }),
  );

/** An open stream: frames as they come. */
async function connect(tenantId: string, lastEventId?: number) {
  const connection = new AbortController();
  connections.push(connection);
  const response = await fetch(`${base}/api/v1/tenants/${tenantId}/events`, {
    signal: connection.signal,
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': `${lastEventId}` }),
    },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const events: (EventView & { frameId: string })[] = [];
  let beats = 0;
  let ended = false;
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        if (frame === ': heartbeat') beats += 1;
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        if (data) events.push({ ...(JSON.parse(data) as EventView), frameId: /^id: (.*)$/m.exec(frame)?.[1] ?? '' });
      }
    }
    ended = true;
  })().catch(() => (ended = true));
  return {
    response,
    events,
    beats: () => beats,
    ended: () => ended,
    reading,
    close: () => connection.abort(),
  };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 5 s: ${what}`);
    await sleep(10);
  }
}

describe('events as JSON', () => {
  it('come in pages, oldest first', async () => {
    const tenantId = await createTenant();
    for (const step of ['a', 'b', 'c']) await append(tenantId, step);
    const page = async (after: number) =>
      (await api.app.inject(`/api/v1/tenants/${tenantId}/events?limit=2&after=${after}`)).json<{
        events: EventView[];
        nextAfter: number;
      }>();
    const seen: EventView[] = [];
    let after = 0;
    for (;;) {
      const { events, nextAfter } = await page(after);
      if (events.length === 0) {
        expect(nextAfter).toBe(after);
        break;
      }
      seen.push(...events);
      after = nextAfter;
    }
    expect(seen.map((e) => e.stepId ?? e.type)).toEqual(['tenant.accepted', 'operation.accepted', 'a', 'b', 'c']);
    expect(seen.every((e, i) => i === 0 || e.id > seen[i - 1]!.id)).toBe(true);
  });

  it.each(['after=-1', 'after=x', 'limit=501', 'foo=1'])('refuse %s', async (query) => {
    const tenantId = await createTenant();
    expect((await api.app.inject(`/api/v1/tenants/${tenantId}/events?${query}`)).statusCode).toBe(400);
  });
});

describe('the live stream', () => {
  // The fixture polls once a minute: what arrives sooner came by notification.
  it('delivers what happened, then what happens', async () => {
    const tenantId = await createTenant();
    const stream = await connect(tenantId);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await until(() => stream.events.length === 2, 'past events');
    await until(() => stream.beats() > 0, 'a heartbeat');
    for (let n = 0; n < 150; n += 1) await append(tenantId, `step-${n}`);
    await until(() => stream.events.length === 152, 'live events');
    expect(stream.events.slice(2).map((e) => e.stepId)).toEqual(Array.from({ length: 150 }, (_, n) => `step-${n}`));
    expect(stream.events.every((e) => e.frameId === String(e.id))).toBe(true);
    expect(stream.events.at(-1)?.data).toEqual({ text: 'a\nb' });
  });

  it('resumes after Last-Event-ID without loss or repetition', async () => {
    const tenantId = await createTenant();
    const first = await connect(tenantId);
    await append(tenantId, 'one');
    await until(() => first.events.length === 3, 'events');
    first.close();
    await first.reading;
    await append(tenantId, 'two');
    const second = await connect(tenantId, first.events.at(-1)?.id);
    await until(() => second.events.length === 1, 'the missed event');
    await append(tenantId, 'three');
    await until(() => second.events.length === 2, 'the next one');
    expect(second.events.map((e) => e.stepId)).toEqual(['two', 'three']);
  });

  it("does not tell of other tenants' events", async () => {
    const [mine, other] = [await createTenant(), await createTenant()];
    const stream = await connect(mine);
    await append(other, 'theirs');
    await append(mine, 'mine');
    await until(() => stream.events.some((e) => e.stepId === 'mine'), 'my event');
    expect(stream.events.every((e) => e.tenantId === mine)).toBe(true);
  });

  it('comes through a lost database connection', async () => {
    const tenantId = await createTenant();
    const stream = await connect(tenantId);
    await until(() => stream.events.length === 2, 'past events');
    await api.database
      .query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%-listener' and datname = current_database()`,
      )
      .catch(() => undefined);
    await append(tenantId, 'after the loss');
    await until(() => stream.events.some((e) => e.stepId === 'after the loss'), 'the event after the loss');
  });

  it('refuses a missing tenant and a bad Last-Event-ID before it begins', async () => {
    expect((await connect(crypto.randomUUID())).response.status).toBe(404);
    const tenantId = await createTenant();
    const answer = await fetch(`${base}/api/v1/tenants/${tenantId}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': 'x' },
    });
    expect(answer.status).toBe(400);
    await answer.body?.cancel();
  });

  it('goes on after the header where the URL has an id too, as a browser that comes again sends both', async () => {
    const tenantId = await createTenant();
    const first = await connect(tenantId);
    await until(() => first.events.length === 2, 'past events');
    const last = `${first.events.at(-1)!.id}`;
    await append(tenantId, 'next');
    const again = await openStream(`${base}/api/v1/tenants/${tenantId}/events?after=0`, { 'last-event-id': last });
    await until(() => again.events.length > 0, 'the next event');
    expect(again.events.map(({ stepId }) => stepId)).toEqual(['next']);
    again.close();
    const empty = await openStream(`${base}/api/v1/tenants/${tenantId}/events?after=${last}`, { 'last-event-id': '' });
    await until(() => empty.events.length > 0, 'the next event');
    expect(empty.events.map(({ stepId }) => stepId)).toEqual(['next']);
    empty.close();
  });

  it("refuses an id beyond the tenant's newest event: another tenant's, or of before a restore", async () => {
    const [mine, other] = [await createTenant(), await createTenant()];
    const newest = async (of: string) =>
      (await api.app.inject(`/api/v1/tenants/${of}/events`)).json<{ nextAfter: number }>().nextAfter;
    const [last, later] = [await newest(mine), await newest(other)];
    const accept = 'text/event-stream';
    const url = `/api/v1/tenants/${mine}/events`;
    const byHeader = await api.app.inject({ url, headers: { accept, 'last-event-id': `${later}` } });
    expect([byHeader.statusCode, byHeader.json()]).toMatchObject([
      400,
      { error: { code: 'INVALID_INPUT', details: { header: 'last-event-id', newest: last } } },
    ]);
    const byQuery = await api.app.inject({ url: `${url}?after=${later}`, headers: { accept } });
    expect([byQuery.statusCode, byQuery.json()]).toMatchObject([400, { error: { details: { parameter: 'after' } } }]);
    const at = await api.app.inject({ method: 'HEAD', url: `${url}?after=${last}`, headers: { accept } });
    expect(at.statusCode).toBe(200);
  });

  it('tells proxies to pass it on as it comes, and which request it answers', async () => {
    const { response } = await connect(await createTenant());
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(response.headers.has('content-encoding')).toBe(false);
  });

  it('cuts off a client that takes in nothing, and is read from the database no further meanwhile', async () => {
    const own = await createApiFixture({ streamTimes: { stallMs: 300 } });
    const { url } = await own.listen();
    const made = await own.app.inject({
      method: 'POST',
      url: '/api/v1/tenants',
      payload: { ...acme, slug: 'stalled' },
    });
    const { tenantId } = made.json<{ tenantId: string }>();
    await own.database.query(
      `insert into events (cell, tenant_id, type, step_id, data)
       select 'default', $1, 'step.started', 's', jsonb_build_object('text', repeat('x', 100000)) from generate_series(1, 300)`,
      [tenantId],
    );
    const { host, hostname, port } = new URL(url);
    const socket = connectSocket(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `GET /api/v1/tenants/${tenantId}/events HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\n\r\n`,
    );
    await once(socket, 'readable');
    // Nothing is read: what the kernels hold is full long before 30 MB.
    await sleep(1_500);
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    await once(socket, 'close');
    expect(received).toBeLessThan(20_000_000);
    await own.close();
  });

  it('ends when the server closes', async () => {
    const tenantId = await createTenant();
    const server = await api.listen();
    const response = await fetch(`${server.url}/api/v1/tenants/${tenantId}/events`, {
      headers: { accept: 'text/event-stream' },
    });
    const body = response.text().catch(() => '');
    await server.close();
    expect(typeof (await body)).toBe('string');
  });
});
