import { NO_PUBLIC_ADDRESS } from '../../src/webhooks/destination.ts';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { attempt, type AttemptDeps } from '../../src/webhooks/attempt.ts';
import { post } from '../../src/webhooks/post.ts';
import { answerWith, startReceiver, type Receiver } from './receiver.ts';

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const nobody: AttemptDeps['resolve'] = () => Promise.reject(new Error('nothing is to be resolved'));
const deps: AttemptDeps = {
  policy: { allowLoopback: true },
  resolve: nobody,
  times: { connectMs: 1_000, answerMs: 600, drainMs: 300 },
};
const send = (over: Partial<AttemptDeps> = {}, url = receiver.url) =>
  attempt(
    { ...deps, ...over },
    { url, headers: { 'webhook-id': 'msg_1', 'content-type': 'application/json' }, body: '{"ö":1}' },
  );

it('sends the body with its headers, and is done when it is answered well', async () => {
  expect(await send()).toEqual({ httpStatus: 200 });
  expect(receiver.received).toMatchObject([
    { path: '/hook', body: '{"ö":1}', headers: { 'webhook-id': 'msg_1', 'content-length': '8' } },
  ]);
});

it.each([
  [500, {}, { httpStatus: 500, error: 'answered 500' }],
  [404, {}, { httpStatus: 404, error: 'answered 404' }],
  [410, {}, { httpStatus: 410, isGone: true }],
  [429, { 'retry-after': '30' }, { httpStatus: 429, pauseSeconds: 30 }],
])('tells what %s means', async (status, headers, outcome) => {
  receiver.answer = answerWith(status, headers);
  expect(await send()).toMatchObject(outcome);
});

it.each([301, 302, 303, 307, 308])('follows no redirect: %s', async (status) => {
  receiver.answer = answerWith(status, { location: `${receiver.url}/elsewhere` });
  expect(await send()).toMatchObject({ httpStatus: status, error: `answered ${status}: redirects are not followed` });
  expect(receiver.received).toHaveLength(1);
});

it('gives up on a receiver that hangs, and on one that trickles its head', async () => {
  receiver.answer = () => undefined;
  const late = { httpStatus: null, error: 'did not answer in time', isSlow: true };
  expect(await send()).toEqual(late);
  receiver.answer = (_received, response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\n');
    const trickle = setInterval(() => response.socket?.write('x: y\r\n'), 50);
    response.socket?.on('close', () => clearInterval(trickle));
  };
  expect(await send()).toEqual(late);
});

it('drops the rest of an answer: without end, too long, or cut off', async () => {
  receiver.answer = (_received, response) => {
    const trickle = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(trickle));
  };
  const begun = Date.now();
  expect(await send()).toEqual({ httpStatus: 200 });
  expect(Date.now() - begun).toBeLessThan(2_000);
  let written = 0;
  receiver.answer = (_received, response) => {
    const pour = () => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) written += 1;
    };
    response.on('drain', pour);
    pour();
  };
  expect(await send({ times: { ...deps.times, drainMs: 60_000 } })).toEqual({ httpStatus: 200 });
  expect(written).toBeLessThan(1_000);
  receiver.answer = (_received, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('half');
    setTimeout(() => response.destroy(), 20);
  };
  expect(await send()).toEqual({ httpStatus: 200 });
});

it.each<[string, Receiver['answer']]>([
  ['closes without an answer', (_received, response) => response.socket?.destroy()],
  ['closes in the middle of its head', (_received, response) => response.socket?.end('HTTP/1.1 200 OK\r\nx: ')],
  [
    'switches protocols',
    (_received, response) =>
      response.socket?.end('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  ],
  ['answers something else than HTTP', (_received, response) => response.socket?.end('220 smtp.example ESMTP\r\n')],
  [
    'answers with a head that is too long',
    (_received, response) => void response.writeHead(200, { x: 'y'.repeat(64 * 1024) }).end(),
  ],
])('is not done when the receiver %s', async (_what, answer) => {
  receiver.answer = answer;
  const outcome = await send();
  expect(outcome).toMatchObject({ httpStatus: null, error: expect.any(String) as string });
  expect(outcome.isSlow).toBeUndefined();
  // Nothing of it is an address.
  expect(outcome.error).not.toMatch(/127\.0\.0\.1|\d{4,5}/);
});

it('says when nobody listens', async () => {
  const { url } = receiver;
  await receiver.close();
  expect(await send({}, url)).toEqual({ httpStatus: null, error: 'refused the connection' });
});

it('connects to the addresses that were looked at, whatever the name leads to by now', async () => {
  const url = new URL(receiver.url.replace('127.0.0.1', 'hooks.invalid'));
  const { signal } = new AbortController();
  const addresses = [{ address: '127.0.0.1', family: 4 }] as const;
  const answer = await post({ url, addresses, headers: {}, body: '', signal }, () => undefined);
  answer.resume();
  expect(answer.statusCode).toBe(200);
  expect(receiver.received).toMatchObject([{ headers: { host: url.host } }]);
});

it('asks for a name once an attempt: one that is public first and private a moment later gets nothing', async () => {
  const { port } = new URL(receiver.url);
  // Of the unicast space, and given to nobody.
  const answers = [{ address: '2d00::1', family: 6 } as const, { address: '127.0.0.1', family: 4 } as const];
  let asked = 0;
  const resolve: AttemptDeps['resolve'] = () => Promise.resolve(answers.slice(asked, (asked += 1)));
  const rebound: AttemptDeps = { policy: deps.policy, resolve, times: { connectMs: 300, answerMs: 400, drainMs: 100 } };
  const request = { url: `https://hooks.example.com:${port}/hook`, headers: {}, body: '' };
  const first = await attempt(rebound, request);
  expect(first.error).not.toBe(NO_PUBLIC_ADDRESS);
  expect(asked).toBe(1);
  const second = await attempt(rebound, request);
  expect(second.error).toBe(NO_PUBLIC_ADDRESS);
  expect(asked).toBe(2);
  expect(receiver.connections).toBe(0);
});

it('waits for a resolver that does not answer no longer than for a connection', async () => {
  let isCancelled = false;
  const resolve: AttemptDeps['resolve'] = (_host, signal) =>
    new Promise((_done, failed) =>
      signal.addEventListener('abort', () => {
        isCancelled = true;
        failed(new Error('cancelled'));
      }),
    );
  const times = { connectMs: 50, answerMs: 10_000, drainMs: 50 };
  expect(await send({ resolve, times }, 'https://hooks.example.com/')).toEqual({
    httpStatus: null,
    error: 'could not be reached in time',
    isSlow: true,
  });
  expect(isCancelled).toBe(true);
});

it('sends nothing over TLS to whom nobody vouches for', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
  let requests = 0;
  const server = createTlsServer({ key, cert }, (_request, response) => {
    requests += 1;
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  expect(await send({}, `https://localhost:${port}/`)).toEqual({
    httpStatus: null,
    error: 'has a certificate that it signed itself',
  });
  expect(requests).toBe(0);
  server.close();
});

it.each(['ENOTFOUND', 'ENODATA'])(
  'says of a name that ends in %s what it says of one that leads inside',
  async (code) => {
    const resolve = () => Promise.reject(Object.assign(new Error(code), { code }));
    const outcome = await attempt({ ...deps, resolve }, { url: 'https://a.example/', headers: {}, body: '' });
    expect(outcome.error).toBe(NO_PUBLIC_ADDRESS);
  },
);
