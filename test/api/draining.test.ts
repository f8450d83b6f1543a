import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { startApiServer } from '../../src/api/server.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { createApiFixture, payloadKey, type ApiFixture } from './api-fixture.ts';

const quiet = { codec: new EncryptionCodec([payloadKey]), log: pino({ level: 'silent' }) };
let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

/** Sends the head of a request whose body is still to come. */
async function beginRequest(url: string) {
  const { hostname, host, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(
    `POST /api/v1/tenants HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{`,
  );
  await sleep(100);
  return socket;
}

describe('an API that is closed', () => {
  it('says that it is not ready before it stops listening', async () => {
    const server = await startApiServer({ ...quiet, client: api.client, port: 0, drainDelayMs: 3_000 });
    const look = async () => {
      const answer = await fetch(`${server.url}/readyz`);
      return {
        status: answer.status,
        body: (await answer.json()) as object,
        connection: answer.headers.get('connection'),
      };
    };
    expect((await look()).body).not.toHaveProperty('draining');
    const closing = server.close();
    const [ready, health] = await Promise.all([look(), fetch(`${server.url}/healthz`)]);
    expect(ready).toMatchObject({ status: 503, body: { ok: false, draining: true }, connection: 'close' });
    expect(health.status).toBe(200);
    await closing;
    await expect(fetch(`${server.url}/readyz`)).rejects.toThrow('fetch failed');
  });

  it('answers the request that it has, and then ends', async () => {
    const server = await api.listen();
    const socket = await beginRequest(server.url);
    const closing = server.close();
    await sleep(100);
    socket.write('}');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\nconnection: close\r\n/i);
    await closing;
  });

  it('does not wait for clients that have gone', async () => {
    const server = await api.listen();
    const socket = await beginRequest(server.url);
    socket.destroy();
    await sleep(100);
    const began = performance.now();
    await server.close();
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
