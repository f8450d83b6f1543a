import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../src/cli/api-client.ts';
import { followOperation } from '../../src/cli/following.ts';
import { UnknownOutcomeError } from '../../src/cli/unknown-outcome.ts';
import { createApiFixture, acme, type ApiFixture } from '../api/api-fixture.ts';
import { anyString, containing, matching } from '../api/matchers.ts';
import { testCaller } from '../support/caller.ts';

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
let api: ApiFixture;
let url: string;
beforeAll(async () => {
  api = await createApiFixture();
  url = (await api.listen()).url;
});
afterAll(() => api.close());
const servers: Server[] = [];
const rules: string[] = [];
afterEach(() => {
  for (const rule of rules.splice(0)) api.proxy.removeRule(rule);
  for (const server of servers.splice(0)) server.close();
  api.orchestrator.updateFault = undefined;
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
function tenants(args: readonly string[], apiUrl = url): Promise<Ended> {
  return started(args, apiUrl).ended;
}

function started(args: readonly string[], apiUrl = url) {
  const child = spawn(process.execPath, [bin, 'tenants', ...args], {
    env: { ...process.env, TENANTRY_API_URL: apiUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Ended>((done, failed) => {
    child.on('error', failed);
    child.on('close', (code) => done({ code, out, err }));
  });
  return { ended, output: () => out };
}
const creation = (slug: string) =>
  [
    'create',
    '--product',
    acme.product,
    '--slug',
    slug,
    '--name',
    acme.displayName,
    '--email',
    acme.contactEmail,
  ] as const;

const unsigned = { error: { code: 'SLUG_TAKEN', message: 'taken', requestId: 'req-1' } };
const foreign = { error: { code: 'CONFLICT', message: 'no', requestId: 'b7a1f6de-0b5c-4f0e-9a43-0a4a2b1f2c3d' } };
const ways = {
  cut: undefined,
  'html 502': [502, '<html></html>'],
  'html 404': [404, '<html></html>'],
  'html 408': [408, '<html></html>'],
  'html 429': [429, '<html></html>'],
  'json 409 of another program': [409, '{"error":"conflict"}'],
  'json 409 without an id of ours': [409, JSON.stringify(unsigned)],
  'json 409 with a code of another program': [409, JSON.stringify(foreign)],
  'json 200 of another form': [200, '{"ok":true}'],
} as const;

/** An API whose every mutation ends like this. */
async function broken(how: keyof typeof ways): Promise<string> {
  const answer = ways[how];
  const server = createServer((request, response) => {
    if (answer === undefined) request.socket.destroy();
    else response.writeHead(answer[0], { 'content-type': 'text/html' }).end(answer[1]);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function claimed(slug: string) {
  const { tenantId, operationId } = await api.client.createTenant(testCaller, { ...acme, slug });
  await api.orchestrator.claim(operationId);
  return { tenantId, operationId };
}

/** PostgreSQL gives the API no events. */
function loseEvents(): string {
  const rule = api.proxy.addRule({
    match: { application: 'api', startsWith: 'select id, at, cell' },
    fault: { type: 'cut', when: 'before' },
    times: null,
  });
  rules.push(rule);
  return rule;
}

describe('a request that changes something', () => {
  it.each(Object.keys(ways) as (keyof typeof ways)[])(
    "whose answer is not the API's own (%s) is said to be unknown, with the command that shows it: exit code 7",
    async (how) => {
      const ended = await tenants([...creation('unknown'), '--no-wait'], await broken(how));
      expect(ended).toMatchObject({
        code: 7,
        out: '',
        err: containing('whether the request was carried out is not known'),
      });
      // One plain sentence, not the checker's own list.
      expect(ended.err).not.toMatch(/[[{]\n|invalid_type/);
      expect(ended.err).toMatch(
        /look before you send anything again: tenantry tenants list --product moamalat --slug unknown\n$/,
      );
    },
  );

  it('that the API answers with a defect of its own is unknown, too', async () => {
    const match = { application: 'api', contains: ['insert into tenants'] };
    rules.push(api.proxy.addRule({ match, fault: { type: 'error', when: 'before', code: '42804' } }));
    const ended = await tenants([...creation('defect'), '--no-wait', '--json']);
    expect(ended.code).toBe(7);
    expect(JSON.parse(ended.err)).toMatchObject({ error: { code: 'OUTCOME_UNKNOWN', details: { look: anyString } } });
  });

  it('that was never sent is said to be so: exit code 5', async () => {
    const nobody = await broken('cut');
    await new Promise((closed) => servers.pop()?.close(closed));
    const ended = await tenants([...creation('unsent'), '--no-wait'], nobody);
    expect(ended).toMatchObject({ code: 5, err: containing('is the API up?') });
  });

  it('that the API answers OUTCOME_UNKNOWN shows its advice, and exits 7', async () => {
    const { tenantId, operationId } = await claimed('unclear');
    api.orchestrator.updateFault = 'before';
    const ended = await tenants(['cancel', tenantId, '--no-wait']);
    expect(ended).toMatchObject({ code: 7, out: '', err: matching(/^error: OUTCOME_UNKNOWN: /) });
    expect(ended.err).toContain(operationId);
    expect(ended.err).not.toContain('nothing was changed');
  });
});

describe('a request under the key that the command gives it', () => {
  it('is sent again when its answer is lost, and its outcome is known: exit code 0', async () => {
    const keys: unknown[] = [];
    const before = createServer((request, response) => {
      const { 'idempotency-key': key, 'content-type': type = 'application/json' } = request.headers;
      const isCreation = request.method === 'POST';
      if (isCreation) keys.push(key);
      void (async () => {
        const body = isCreation ? await text(request) : undefined;
        const headers = { 'content-type': type, ...(typeof key === 'string' && { 'idempotency-key': key }) };
        const answer = await fetch(`${url}${request.url ?? ''}`, {
          ...{ method: request.method ?? 'GET', headers },
          ...(body && { body }),
        });
        const said = await answer.text();
        if (isCreation && keys.length === 1) request.socket.destroy();
        else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(said);
      })();
    });
    servers.push(before);
    await new Promise<void>((done) => before.listen(0, '127.0.0.1', done));
    const apiUrl = `http://127.0.0.1:${(before.address() as AddressInfo).port}`;
    const ended = await tenants([...creation('cut-once'), '--no-wait', '--json'], apiUrl);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    const { rows } = await api.database.query<{ id: string }>(`select id from tenants where slug = 'cut-once'`);
    expect(rows.map(({ id }) => id)).toEqual([(JSON.parse(ended.out) as { tenantId: string }).tenantId]);
  });

  it('is known to be taken although Temporal answered the first time too late', async () => {
    const { tenantId, operationId } = await claimed('late-verdict');
    api.orchestrator.updateFault = 'after';
    expect(await tenants(['cancel', tenantId, '--no-wait'])).toMatchObject({ code: 0, err: '' });
    expect(api.orchestrator.taken.filter((one) => one.operationId === operationId)).toHaveLength(1);
  });
});

describe('a request that the API cannot say the outcome of', () => {
  /** The next commit that holds this text is delivered so late, and PostgreSQL does not say what became of it for as long. */
  const deliverLate = (within: string, effectAfterMs: number) => {
    const match = { application: 'api', startsWith: 'commit', contains: [within] };
    rules.push(api.proxy.addRule({ match, fault: { type: 'late', effectAfterMs } }));
    const findingOut = { application: 'api', startsWith: 'select pg_xact_status' };
    rules.push(api.proxy.addRule({ match: findingOut, fault: { type: 'cut', when: 'before' }, times: null }));
  };

  it('is followed as soon as it shows that it was carried out', { timeout: 60_000 }, async () => {
    deliverLate('lands-late', 9_000);
    const creating = tenants(creation('lands-late'));
    const found = async () =>
      (await api.database.query<{ id: string }>('select id from tenants where slug = $1', ['lands-late'])).rows[0]?.id;
    await expect.poll(found, { timeout: 40_000 }).toBeDefined();
    const tenantId = (await found()) ?? '';
    await api.move(tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
    const ended = await creating;
    expect(ended).toMatchObject({ code: 0, err: containing('looking until then') });
    expect(ended.out).toContain('succeeded; the tenant is active');
  });

  it('is said not to be carried out only after it could have been: exit code 5', { timeout: 90_000 }, async () => {
    deliverLate('never-lands', 23_000);
    const startedMs = Date.now();
    const ended = await tenants([...creation('never-lands'), '--json']);
    expect(Date.now() - startedMs).toBeGreaterThan(30_000);
    expect(ended.code).toBe(5);
    expect(JSON.parse(ended.err)).toMatchObject({ error: { code: 'NOT_CARRIED_OUT' } });
  });

  it('says, without waiting, until when it may take effect: exit code 7', { timeout: 60_000 }, async () => {
    deliverLate('no-wait', 9_000);
    const ended = await tenants([...creation('no-wait'), '--no-wait']);
    expect(ended.code).toBe(7);
    expect(ended.err).toMatch(/it may take effect until [0-9-]+ [0-9:]+ UTC \(in \d+ s\): that a look before then/);
  });
});

const outageLine = /stream of events ended|cannot be reached/;

describe('an operation that was accepted', () => {
  it('is followed to its end through an outage of PostgreSQL, with one line about it', async () => {
    const { tenantId, operationId } = await api.client.createTenant(testCaller, { ...acme, slug: 'through' });
    const watching = started(['watch', tenantId]);
    await api.orchestrator.claim(operationId);
    await expect.poll(watching.output).toContain('running');
    const rule = loseEvents();
    await api.move(tenantId, [], ['creating']);
    await expect.poll(watching.output).toMatch(outageLine);
    // More than one attempt to follow falls into the outage.
    const hits = api.proxy.hits(rule);
    await expect.poll(() => api.proxy.hits(rule)).toBeGreaterThan(hits + 2);
    api.proxy.removeRule(rule);
    await api.move(tenantId, ['committing', 'succeeded'], ['active']);
    const ended = await watching.ended;
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toContain('succeeded; the tenant is active');
    expect(ended.out.split('\n').filter((line) => outageLine.test(line))).toHaveLength(1);
    expect(ended.out).not.toContain('nothing was changed');
  });

  it('that cannot be followed any longer goes on: its id and the command that follows it', async () => {
    const { tenantId, operationId } = await claimed('goes-on');
    loseEvents();
    const followed = followOperation(createApiClient(url), {
      tenantId,
      operationId,
      after: 0,
      onEvent: () => undefined,
      giveUpAfterMs: 1_500,
    });
    const error = await followed.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(error).toMatchObject({
      message: `operation ${operationId} continues, but cannot be followed`,
      look: `tenantry tenants watch ${tenantId}`,
      cause: { code: 'DATABASE_UNAVAILABLE', message: anyString },
    });
  });

  it('whose API fails is not said to have changed nothing: exit code 7', async () => {
    const { tenantId } = await claimed('api-fails');
    // The look before the request passes, the following after it does not.
    const rule = api.proxy.addRule({
      match: { application: 'api', startsWith: 'select id, at, cell' },
      fault: { type: 'error', when: 'before', code: '42804' },
      times: null,
      skip: 1,
    });
    rules.push(rule);
    const ended = await tenants(['cancel', tenantId]);
    expect(ended.code).toBe(7);
    expect(ended.err).toMatch(/operation [0-9a-f-]{36} continues, but cannot be followed\n {2}because: /);
    expect(ended.err).toContain(`tenantry tenants watch ${tenantId}`);
  });
});
