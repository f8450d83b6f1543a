import type { ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inCallContext } from '../../src/aws/call-context.ts';
import { createProbe, type ProbeAnswer } from '../../src/aws/probe.ts';
import { exampleCell } from '../support/platform.ts';

const zone = 'moamalat-pro.com';
const host = `acme.${zone}`;
let server: https.Server;
let ca: string;
const seen: { host: string | undefined; servername: string | false | undefined; path: string | undefined }[] = [];
let bytesWritten = 0;

beforeAll(async () => {
  const certificate = await generate([{ name: 'commonName', value: `*.${zone}` }], {
    keySize: 2048,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: `*.${zone}` }] }],
  });
  ca = certificate.cert;
  server = https.createServer({ key: certificate.private, cert: certificate.cert }, (request, response) => {
    const socket = request.socket as typeof request.socket & { servername?: string | false };
    seen.push({ host: request.headers.host, servername: socket.servername, path: request.url });
    if (request.url === '/redirect') response.writeHead(302, { location: 'https://elsewhere.example.com/' }).end();
    else if (request.url === '/slow') return;
    else if (request.url === '/endless') endless(response);
    else response.writeHead(request.url === '/broken' ? 503 : 200).end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Writes for as long as somebody reads. */
function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(16 * 1024);
  const write = () => {
    while (!response.destroyed) {
      bytesWritten += chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', write);
        return;
      }
    }
  };
  response.writeHead(200);
  write();
}

function probeOf(options: { ca?: string | undefined; timeoutMs?: number } = {}) {
  const [lb] = exampleCell().loadBalancers;
  const port = (server.address() as AddressInfo).port;
  const cell = exampleCell({
    loadBalancers: [{ ...lb!, connect: { host: '127.0.0.1', port, ca: 'ca' in options ? options.ca : ca } }],
  });
  const probe = createProbe(cell, options.timeoutMs);
  const ask = (path: string, name = host): Promise<ProbeAnswer> =>
    probe.ask({ loadBalancerArn: lb!.arn, host: name, path });
  return { probe, ask };
}

describe('probe', () => {
  it("asks the load balancer with the tenant's host as Host and SNI", async () => {
    expect(await probeOf().ask('/health')).toEqual({ status: 200 });
    expect(seen.at(-1)).toEqual({ host, servername: host, path: '/health' });
  });

  it('reports what status came, and follows no redirect', async () => {
    expect(await probeOf().ask('/broken')).toEqual({ status: 503 });
    const before = seen.length;
    expect(await probeOf().ask('/redirect')).toEqual({ status: 302 });
    expect(seen.length).toBe(before + 1);
  });

  it("verifies the certificate for the tenant's host, with the CA that the platform names", async () => {
    expect(await probeOf({ ca: undefined }).ask('/')).toMatchObject({
      error: expect.stringMatching(/self-signed/) as string,
      isCertificateInvalid: true,
    });
    for (const other of ['acme.example.com', `acme.notes.${zone}`]) {
      expect(await probeOf().ask('/', other)).toMatchObject({
        error: expect.stringMatching(/altnames|does not match/i) as string,
        isCertificateInvalid: true,
      });
    }
  });

  it('reads no more of a body than it may', async () => {
    expect(await probeOf().ask('/endless')).toEqual({ status: 200 });
    const afterAnswer = bytesWritten;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(bytesWritten - afterAnswer).toBeLessThan(8 * 1024 * 1024);
    expect(bytesWritten).toBeLessThan(16 * 1024 * 1024);
  });

  it('gives up in time, and when the activity is cancelled', async () => {
    expect(await probeOf({ timeoutMs: 100 }).ask('/slow')).toEqual({ error: 'no answer within 100 ms' });
    const context = { beforeMutation: () => Promise.resolve(), signal: AbortSignal.timeout(50) };
    const startedAtMs = performance.now();
    const answer = await inCallContext(context, () => probeOf({ timeoutMs: 60_000 }).ask('/slow'));
    expect(answer).toHaveProperty('error');
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  });

  it('asks nobody but a load balancer of the cell', async () => {
    const before = seen.length;
    const { probe } = probeOf();
    const elsewhere = { loadBalancerArn: 'arn:aws:elasticloadbalancing:::other', host, path: '/' };
    expect(await probe.ask(elsewhere)).toMatchObject({ error: expect.stringContaining('no load balancer') as string });
    expect(seen.length).toBe(before);
  });
});
