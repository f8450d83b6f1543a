import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/* The command line of this release with the API of a later one, which has words that this one does not know. */

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const tenantId = '3f0e7f0a-5f0a-4f0e-8f0a-5f0a4f0e8f0a';
const operationId = 'b7a1f6de-0b5c-4f0e-9a43-0a4a2b1f2c3d';
const at = '2027-01-31T03:00:00.000Z';

const caller = { principal: 'robot', role: 'auditor', requestId: 'r' };
const tenant = {
  ...{ tenantId, product: 'moamalat', tier: null, slug: 'acme', displayName: 'Acme', contactEmail: 'a@acme.example' },
  ...{ cell: 'default', status: 'hibernating', cleanupPending: false, tenantUrl: 'https://acme.example' },
  ...{ createdAt: at, updatedAt: at, activatedAt: at, deletedAt: null },
};
const operation = { operationId, type: 'hibernate', state: 'cooling' };
const status = {
  ...{ tenantId, status: 'hibernating', operation: { ...operation, caller }, outcome: null, currentStep: null },
  ...{ currentSteps: [], stepsDone: [], stepsTotal: 1, startedAt: at, updatedAt: at, cleanupPending: false },
  ...{ tenantUrl: null, workers: { state: 'draining', detail: 'workers drain' } },
  error: { code: 'TOO_COLD', message: 'it froze' },
  attention: {
    ...{ since: at, otherwise: 'it waits', advice: [{ code: 'TOO_COLD', text: 'Warm it.', runbook: 'docs/x.md' }] },
    choices: [{ verb: 'thaw', command: `tenantry tenants thaw ${tenantId}`, effect: 'warms it' }],
  },
};
const event = (id: number, type: string, data: object, stepId: string | null = null) => ({
  ...{ id, at, type, tenantId, operationId, stepId, data, caller },
});
const events = [
  event(1, 'operation.accepted', {}),
  event(2, 'step.cooling', { detail: 'at 4 degrees' }, 'freeze'),
  event(3, 'operation.state', { from: 'accepted', to: 'cooling' }),
  event(4, 'tenant.frozen', {}),
  event(5, 'operation.state', { from: 'cooling', to: 'frozen' }),
];
const refusal = { code: 'TOO_WARM', message: 'it cannot be frozen now', requestId: operationId };
const closed = {
  ...{ operationId, tenantId, type: 'hibernate', state: 'frozen', onFailure: 'thaw', workflowId: 'w', runId: null },
  ...{ generation: 1, cancelRequestedAt: null, caller, acceptedAt: at, claimedAt: at, closedAt: at, updatedAt: at },
};

let server: Server;
let url: string;
/** Whether the operation is closed when it is asked for. */
let isClosed = false;
beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = new URL(request.url ?? '', url).pathname;
  const json = (body: unknown, code = 200) =>
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.method !== 'GET') json({ error: refusal }, 409);
  else if (request.headers.accept === 'text/event-stream') {
    isClosed = true;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const one of events) response.write(`data: ${JSON.stringify(one)}\n\n`);
  } else if (path.endsWith('/status')) json(status);
  else if (path.endsWith('/events')) json({ events: isClosed ? events : [], nextAfter: 5 });
  else if (path.includes('/operations/')) json(isClosed ? closed : { ...closed, state: 'cooling', closedAt: null });
  else if (path === '/api/v1/products')
    json({
      products: [{ name: 'p', tiers: [], places: ['freezer'], domains: [], reservedSlugs: [], fields: [] }],
    });
  else if (path === '/api/v1/tenants')
    json({ tenants: [{ ...tenant, outcome: null, openOperation: operation }], nextCursor: null });
  else json(tenant);
}

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, TENANTRY_API_URL: url } });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, out, err };
}

describe("a later release's words are shown as they are", () => {
  it('by list, show and products, for people and for programs', async () => {
    const [list, show, json, products] = await Promise.all([
      run('tenants', 'list'),
      run('tenants', 'show', tenantId),
      run('tenants', 'show', tenantId, '--json'),
      run('products'),
    ]);
    for (const { code, err } of [list, show, json, products]) expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(list.out).toMatch(/acme +hibernating +- +- +hibernate cooling .*https:\/\/acme.example \(hibernating\)/);
    expect(show.out).toMatch(/status +hibernating/);
    expect(show.out).toContain('hibernate cooling');
    expect(show.out).toContain('robot (auditor)');
    expect(show.out).toContain('TOO_COLD: it froze');
    expect(show.out).toContain('TOO_COLD: Warm it. See docs/x.md');
    expect(show.out).toContain(`tenantry tenants thaw ${tenantId}`);
    expect(JSON.parse(json.out)).toMatchObject({ status: 'hibernating', workers: { state: 'draining' } });
  });

  it('by a follower, which leaves when the operation is closed, whatever its last state is called', async () => {
    isClosed = false;
    const watch = await run('tenants', 'watch', tenantId);
    expect(watch.err).toBe('');
    // Not the success that it knows.
    expect(watch.code).toBe(1);
    for (const line of [
      'freeze  cooling: at 4 degrees',
      'operation.state cooling',
      'tenant.frozen',
      'operation.state frozen',
    ])
      expect(watch.out).toContain(line);
    expect(watch.out).toContain('the tenant is hibernating');
    expect((await run('tenants', 'events', tenantId)).out).toContain('tenant.frozen');
  });

  it('of a refusal too; that nothing was changed is not said, because another program may have answered', async () => {
    const { code, err } = await run('tenants', 'retry', tenantId, '--no-wait');
    expect(code).toBe(7);
    expect(err).toContain('TOO_WARM: it cannot be frozen now');
  });
});
