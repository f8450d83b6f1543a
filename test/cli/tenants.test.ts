import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationState } from '../../src/contracts/operation-state.ts';
import type { TenantStatus } from '../../src/contracts/tenant-status.ts';
import type { DriftFinding } from '../../src/contracts/drift.ts';
import { findMoment, recordLook } from '../../src/db/drift.ts';
import { appendEvent } from '../../src/db/events.ts';
import { releaseAllocations } from '../../src/db/allocations.ts';
import { releaseSlug } from '../../src/db/reservations.ts';
import { findTenantBySlug } from '../../src/db/tenants.ts';
import { createApiFixture, type ApiFixture } from '../api/api-fixture.ts';
import { containing } from '../api/matchers.ts';
import { testCaller } from '../support/caller.ts';

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));

let api: ApiFixture;
let url: string;
beforeAll(async () => {
  api = await createApiFixture();
  url = (await api.listen()).url;
});
afterAll(() => api.close());

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `tenantry tenants ...` in a process of its own. */
function tenants(args: readonly string[], apiUrl = url): Promise<Ended> {
  return started(args, apiUrl).ended;
}

/** `tenantry freeze ...`, likewise. */
function freeze(...args: readonly string[]): Promise<Ended> {
  return started(args, url, 'freeze').ended;
}

function started(args: readonly string[], apiUrl = url, group = 'tenants') {
  const child = spawn(process.execPath, [bin, group, ...args], {
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
  const says = async (text: string) => {
    while (!out.includes(text)) await sleep(20);
  };
  return { process: child, ended, says };
}

let counter = 0;
const freshSlug = () => `cli-${(counter += 1)}`;
const identity = (slug: string) => [
  '--product',
  'moamalat',
  '--slug',
  slug,
  '--name',
  'Acme Corp',
  '--email',
  'ops@acme.example',
];
const create = (slug: string, ...more: string[]) => tenants(['create', ...identity(slug), ...more]);

async function tenantOf(slug: string): Promise<{ tenantId: string; operationId: string }> {
  for (let n = 0; n < 1_500; n += 1) {
    const tenant = await findTenantBySlug(api.database, { product: 'moamalat', slug });
    const run = api.orchestrator.open.get(`tenant.moamalat.${slug}`);
    if (tenant && run) return { tenantId: tenant.id, operationId: run.operationId };
    await sleep(20);
  }
  throw new Error(`no run for ${slug} within 30 s`);
}

const tenantNow = async (slug: string) => ({
  tenant: await findTenantBySlug(api.database, { product: 'moamalat', slug }),
});

/** Plays the worker of a tenant's first operation. */
async function play(
  slug: string,
  states: readonly OperationState[],
  statuses: readonly TenantStatus[],
): Promise<string> {
  const { tenantId, operationId } = await tenantOf(slug);
  await api.orchestrator.claim(operationId);
  const step = (type: 'step.started' | 'step.ready', data: Record<string, unknown>) =>
    api.database.transaction((tx) =>
      appendEvent(tx, { cell: 'default', tenantId, operationId, type, stepId: 'create_schema', data }),
    );
  await step('step.started', { kind: 'postgres-schema', generation: 1, attempt: 1 });
  await step('step.ready', { durationMs: 1234 });
  await api.move(tenantId, states, statuses);
  return tenantId;
}
const made = async (slug: string) => {
  const answer = await create(slug, '--no-wait', '--json');
  expect(answer).toMatchObject({ code: 0, err: '' });
  return JSON.parse(answer.out) as { tenantId: string; operationId: string };
};

describe('tenants update and scale', () => {
  it('change what is chosen, follow that to its end, and say when nothing had to be done or it cannot be', async () => {
    const slug = freshSlug();
    await made(slug);
    await play(slug, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    const image = ['--set', `services.backend.image=elsewhere/app@sha256:${'0'.repeat(64)}`];
    const refused = await tenants(['update', slug, ...image]);
    expect(refused).toMatchObject({ code: 2, err: containing('--set services.backend.image: must be of one of') });
    expect(await tenants(['scale', slug, '--service', 'backend', '--count', '1'])).toMatchObject({
      ...{ code: 0, out: 'nothing had to be changed; the tenant is active\n', err: '' },
    });
    const previewed = await tenants(['update', slug, '--set', 'services.backend.count=3', '--dry-run']);
    expect(previewed).toMatchObject({ code: 0, err: '' });
    expect(previewed.out).toContain('deploy_backend (ecs-service)\n           desiredCount: 1 -> 3\n');
    const [ended] = await Promise.all([
      tenants(['update', slug, '--set', 'services.backend.count=3', '--set', 'services.frontend.count=2']),
      play(slug, ['committing', 'succeeded'], ['active']),
    ]);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toMatch(/succeeded; the tenant is active\nhttps:/);
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    const scaled = await tenants(['scale', slug, '--service', 'frontend', '--count', '4', '--no-wait', '--json']);
    expect(JSON.parse(scaled.out)).toMatchObject({ status: 'active', message: containing('the change is accepted') });
    const other = await tenants(['scale', slug, '--service', 'frontend', '--count', '5', '--json']);
    expect([other.code, JSON.parse(other.err)]).toMatchObject([4, { error: { code: 'OPERATION_IN_PROGRESS' } }]);
    const { tenant } = await tenantNow(slug);
    expect(tenant?.settings).toEqual({ services: { backend: { count: 3 }, frontend: { count: 4 } } });
  });
});

describe('tenants update --name and --email', () => {
  it('say what was changed at once, and that nothing was where it is so already', async () => {
    const slug = freshSlug();
    await made(slug);
    await play(slug, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    const change = ['update', slug, '--email', 'new@acme.example'];
    const changed = await tenants(change);
    expect(changed).toMatchObject({ code: 0, err: '' });
    expect(changed.out).toMatch(/^contact changed from \S+@\S+ to new@acme.example; the tenant is active\n$/);
    expect((await tenants(change)).out).toBe('nothing had to be changed; the tenant is active\n');
    expect((await tenants(['update', slug, '--name', 'Other'])).out).toMatch(/^name changed from .+ to Other; /);
  });

  it('only at the version, or the tag, that the command names', async () => {
    const slug = freshSlug();
    const { tenantId } = await made(slug);
    const { headers } = await api.app.inject(`/api/v1/tenants/${tenantId}`);
    const named = (name: string, ...more: string[]) => tenants(['update', slug, '--name', name, ...more]);
    const refused = await named('A', '--if-version', '2');
    expect(refused).toMatchObject({ code: 4, err: containing('its settings are at version 1, not 2') });
    const changed = await named('A', '--if-version', '1');
    expect(changed).toMatchObject({ code: 0, err: 'settings version 1\n', out: containing('name changed') });
    const etag = headers.etag as string;
    expect(await named('B', '--if-match', etag)).toMatchObject({ code: 4, err: containing('PRECONDITION_FAILED') });
    expect(await named('B', '--if-match', etag, '--if-version', '1')).toMatchObject({ code: 2 });
  });
});

describe('tenants rotate', () => {
  it('says beforehand what becomes of each login, follows the rotation, and wants an active tenant', async () => {
    const slug = freshSlug();
    await made(slug);
    expect(await tenants(['rotate', slug])).toMatchObject({ code: 4, err: containing('OPERATION_IN_PROGRESS') });
    const tenantId = await play(slug, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    const previewed = await tenants(['rotate', slug, '--dry-run']);
    expect(previewed).toMatchObject({ code: 0, err: '', out: containing('postgres-login') });
    const rotating = tenants(['rotate', slug, '--reason', 'a laptop was stolen', '--json']);
    const { operationId } = await tenantOf(slug);
    await api.orchestrator.claim(operationId);
    await api.move(tenantId, ['committing', 'succeeded'], ['active']);
    const ended = await rotating;
    expect([ended.code, JSON.parse(ended.out)]).toMatchObject([
      0,
      { status: 'active', operation: { operationId, type: 'rotate', state: 'succeeded' } },
    ]);
  });
});

describe('freeze', () => {
  it('sets, lists and lifts; meanwhile every operation is refused with why and by whom', async () => {
    const about = ['--product', 'moamalat', '--reason', 'database upgrade'];
    expect(await freeze('set', ...about, '--dry-run')).toMatchObject({
      ...{ code: 0, err: '', out: containing('would be frozen: moamalat in every cell; tenants: ') },
    });
    const set = await freeze('set', ...about, '--json');
    const { freezeId } = JSON.parse(set.out) as { freezeId: string };
    expect(await freeze('list')).toMatchObject({
      code: 0,
      out: containing(`${freezeId}  moamalat in every cell, since`),
    });
    const refused = await create(freshSlug(), '--no-wait');
    expect(refused).toMatchObject({ code: 4, err: containing('FROZEN') });
    expect(refused.err).toContain('by local-operator: database upgrade');
    expect(await freeze('lift', freezeId)).toMatchObject({ code: 0, out: containing(`lifted: ${freezeId}`) });
  });
});

describe('tenants create', () => {
  it('follows the operation until the tenant is active: a line per event, exit code 0', async () => {
    const slug = freshSlug();
    const [ended] = await Promise.all([create(slug), play(slug, ['committing', 'succeeded'], ['creating', 'active'])]);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toMatch(/\d\d:\d\d:\d\d {2}create_schema {2}making\n/);
    expect(ended.out).toMatch(/create_schema {2}ready in 1\.2 s\n/);
    expect(ended.out.endsWith(`succeeded; the tenant is active\nhttps://${slug}.moamalat-pro.com\n`)).toBe(true);
    expect(ended.out).not.toContain('\u001b');
  });

  it('exits 1 when it was rolled back, and --json prints one document', async () => {
    const slug = freshSlug();
    const [ended, tenantId] = await Promise.all([
      create(slug, '--json', '--on-failure', 'rollback'),
      play(slug, ['rolling-back', 'rolled-back'], ['creating', 'failed']),
    ]);
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.out)).toMatchObject({ tenantId, status: 'failed', operation: { state: 'rolled-back' } });
  });

  it('exits 1 when it is stuck', async () => {
    const slug = freshSlug();
    const [ended] = await Promise.all([create(slug), play(slug, ['rolling-back', 'stuck'], ['creating', 'failed'])]);
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('stuck; the tenant is failed');
    expect(ended.out).toMatch(/^you can +tenantry tenants retry [0-9a-f-]{36}$/m);
    expect(ended.out).toContain(` --confirm ${slug}\n`);
  });

  it('says how to go on while it holds, and keeps following', async () => {
    const slug = freshSlug();
    const following = started(['create', ...identity(slug)]);
    const tenantId = await play(slug, ['holding'], ['creating']);
    await following.says('\nit is on hold until ');
    await api.move(tenantId, ['running', 'committing', 'succeeded'], ['active']);
    const ended = await following.ended;
    expect(ended.code).toBe(0);
    expect(ended.out).toMatch(
      /\nit is on hold until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(in 30 min\), then it rolls back\n/,
    );
    expect(ended.out).toContain(`in another terminal: tenantry tenants retry ${tenantId}\n`);
  });

  it('--until-hold leaves with exit code 6 when it holds, and says what can be done', async () => {
    const slug = freshSlug();
    const [ended, tenantId] = await Promise.all([create(slug, '--until-hold'), play(slug, ['holding'], ['creating'])]);
    expect(ended.code).toBe(6);
    expect(ended.out).toMatch(new RegExp(`^you can +tenantry tenants retry ${tenantId}$`, 'm'));
    const watched = await tenants(['watch', slug, '--until-hold', '--json']);
    expect(watched.code).toBe(6);
    expect(watched.out.trimEnd().split('\n').at(-1)).toMatch(/"from":"running","to":"holding"|"to":"creating"/);
  });

  it('--no-wait returns once it is accepted, and says how to follow it', async () => {
    const slug = freshSlug();
    const ended = await create(slug, '--no-wait');
    const { tenantId, operationId } = await tenantOf(slug);
    expect(ended).toMatchObject({ code: 0, err: '' });
    for (const line of [
      `accepted: tenant ${tenantId}, operation ${operationId}`,
      `  address:    https://${slug}.moamalat-pro.com (not live yet)`,
      `  follow it:  tenantry tenants watch moamalat/${slug}`,
    ])
      expect(ended.out.split('\n')).toContain(line);
    expect((await api.client.get(testCaller, tenantId)).status).toBe('pending');
  });

  it('exits 2 for bad input, 4 for a taken slug, 5 without Temporal or API; says code and details on stderr', async () => {
    const slug = freshSlug();
    await made(slug);
    const bad = await create('www', '--no-wait');
    expect(bad).toMatchObject({ code: 2, out: '' });
    expect(bad.err).toMatch(
      /^error: INVALID_INPUT: --slug: "www" is reserved\nwhat to do: Fix .* See docs\/runbook\.md#invalid_input\nrequest: [0-9a-f-]{36}\n$/,
    );
    expect(await create(slug, '--no-wait')).toMatchObject({ code: 4, err: containing('SLUG_TAKEN') });
    api.orchestrator.unreachable = true;
    const away = await create(freshSlug(), '--no-wait');
    api.orchestrator.unreachable = false;
    expect(away).toMatchObject({ code: 5, err: containing('ORCHESTRATOR_UNAVAILABLE') });
    expect(await tenants(['list'], 'http://127.0.0.1:2')).toMatchObject({
      code: 5,
      out: '',
      err: containing('TENANTRY_API_URL'),
    });
    expect((await tenants(['list'], 'ftp://nowhere')).code).toBe(2);
    expect((await tenants(['create', '--slug', 'x'])).code).toBe(2);
    expect((await tenants(['frobnicate'])).code).toBe(2);
  });

  it('names options, not fields of the API: the caller typed --email, not body.contactEmail', async () => {
    const asked = ['create', '--product', 'moamalat', '--slug', freshSlug(), '--name', 'A', '--email', 'nowhere'];
    const bad = await tenants(asked);
    expect(bad.code).toBe(2);
    expect(bad.err).toMatch(/^error: INVALID_INPUT: --email: /);
    expect(bad.err).not.toMatch(/contactEmail|body\./);
    const json = await tenants([...asked, '--json']);
    expect(JSON.parse(json.err)).toMatchObject({
      error: { details: { fields: [{ field: 'body.contactEmail', option: '--email' }] } },
    });
    expect((await tenants(['list', '--limit', '0'])).err).toMatch(/^error: --limit "0": .* from 1 to 200\n/);
  });

  it('leaves at Ctrl-C with exit code 130, and says that the operation continues and how to follow or cancel it', async () => {
    const slug = freshSlug();
    const child = started(['create', ...identity(slug)]);
    const { tenantId } = await tenantOf(slug);
    await child.says(tenantId);
    child.process.kill('SIGINT');
    const ended = await child.ended;
    expect(ended.code).toBe(130);
    expect(ended.err).toContain('the operation continues');
    expect(ended.err).toContain(`tenantry tenants watch ${tenantId}\n`);
    expect(ended.err).toContain(`tenantry tenants cancel ${tenantId}\n`);
    const watching = started(['watch', tenantId, '--json']);
    await watching.says('operation.accepted');
    watching.process.kill('SIGINT');
    const watched = await watching.ended;
    expect(watched.code).toBe(130);
    expect(JSON.parse(watched.err)).toMatchObject({ error: { code: 'INTERRUPTED', details: { tenantId } } });
  });
});

describe('tenants show, list, events', () => {
  it('print for people and for programs', async () => {
    const slug = freshSlug();
    const { tenantId } = await made(slug);
    const shown = await tenants(['show', tenantId]);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toMatch(new RegExp(`^tenant +${tenantId}$`, 'm'));
    expect(shown.out).toMatch(/^operation +provision accepted/m);
    expect(JSON.parse((await tenants(['show', tenantId, '--json'])).out)).toMatchObject({
      tenantId,
      slug,
      stepsTotal: 14,
    });
    expect((await tenants(['list', '--status', 'pending'])).out).toContain(slug);
    const page = JSON.parse((await tenants(['list', '--json', '--limit', '1'])).out) as {
      tenants: unknown[];
      nextCursor: string;
    };
    expect(page.tenants).toHaveLength(1);
    expect((await tenants(['list', '--limit', '1'])).err).toContain(`--cursor ${page.nextCursor}`);
    const lines = (await tenants(['events', tenantId, '--json'])).out.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      'tenant.accepted',
      'operation.accepted',
    ]);
    for (const name of [slug, `moamalat/${slug}`, slug.toUpperCase()])
      expect((await tenants(['show', name])).out).toContain(tenantId);
    expect(await tenants(['show', `mate/${slug}`])).toMatchObject({
      code: 3,
      err: containing('there is no tenant mate/'),
    });
    expect((await tenants(['show', crypto.randomUUID()])).code).toBe(3);
    expect((await tenants(['show', '../../metrics'])).code).toBe(2);
  });
});

describe('drift of a tenant', () => {
  it('is in show with the command that brings it back, in list, and in events with what came and went', async () => {
    const slug = freshSlug();
    await made(slug);
    const tenantId = await play(slug, ['committing', 'succeeded'], ['creating', 'active']);
    const before = await tenants(['show', tenantId]);
    expect(before.out).not.toMatch(/^drift/m);
    const finding = { stepId: 'create_dns', is: 'changed', field: 'ttl', wanted: 60, found: 5 } as const;
    const look = async (findings: readonly DriftFinding[]) => {
      const moment = await findMoment(api.database, tenantId);
      if (moment) await recordLook(api.database, { moment, findings, unseen: [], isSwept: true }, testCaller);
    };
    await look([{ ...finding, remedy: 'repair', source: 'look' }]);
    const { out } = await tenants(['show', tenantId]);
    expect(out).toMatch(/^drift +1 difference from what was applied since /m);
    expect(out).toContain(
      `create_dns: ttl\n    wanted  60\n    found   5\n    to do   tenantry tenants repair moamalat/${slug}`,
    );
    expect((await tenants(['list', '--slug', slug])).out).toMatch(/DRIFT[^]*active +- +1 /);
    await look([]);
    const { out: told } = await tenants(['events', tenantId]);
    expect(told).toContain('create_dns  drift appeared: changed: ttl: 60 -> 5');
    expect(told).toContain('create_dns  drift gone again: changed: ttl: 60 -> 5');
    expect((await tenants(['show', tenantId])).out).toMatch(/^drift +nothing differs \(looked at /m);
  });
});

describe('show of a tenant', () => {
  it('says what was chosen for it, and of a suspended one since when, by whom and why', async () => {
    const slug = freshSlug();
    await made(slug);
    const tenantId = await play(slug, ['committing', 'succeeded'], ['creating', 'active']);
    await api.client.changeMode(testCaller, tenantId, 'suspend', { reason: 'invoice 17 is unpaid' });
    await api.move(tenantId, ['running', 'committing', 'succeeded'], ['suspending', 'suspended']);
    const { out } = await tenants(['show', tenantId]);
    expect(out).toMatch(/^suspended +since .* by a test \(.*\): invoice 17 is unpaid$/m);
    expect(out).toMatch(/^settings +none chosen: the product's/m);
  });
});

describe('a slug that several tenants of one product had', () => {
  it('names the one that has it now, and says that there were earlier ones', async () => {
    const slug = freshSlug();
    const first = await made(slug);
    expect((await tenants(['cancel', slug])).code).toBe(0);
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    const second = await made(slug);
    await play(slug, ['rolling-back', 'cancelled'], ['creating', 'failed']);
    await api.database.transaction(async (tx) => {
      await releaseSlug(tx, { product: 'moamalat', slug, tenantId: second.tenantId });
      await releaseAllocations(tx, second.tenantId);
    });
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    const now = await made(slug);
    const shown = await tenants(['show', slug]);
    expect(shown).toMatchObject({ code: 0, out: containing(now.tenantId) });
    expect(shown.err).toMatch(new RegExp(`^note: ${slug} is tenant ${now.tenantId}; 2 earlier ones had this slug: `));
    expect(await tenants(['show', slug, '--json'])).toMatchObject({ code: 0, err: '' });
    expect((await tenants(['show', second.tenantId])).out).toMatch(/^status +failed \(creation cancelled\)$/m);
    for (const { tenantId } of [first, second]) expect((await tenants(['show', tenantId])).out).toContain(tenantId);
  });
});

describe('the list', () => {
  it('leaves out tenants of which nothing is left, unless --all asks, and says of each how it ended', async () => {
    const [there, gone] = [freshSlug(), freshSlug()];
    await made(there);
    await made(gone);
    await play(gone, ['rolling-back', 'cancelled'], ['creating', 'failed']);
    const shown = await tenants(['list', '--limit', '200']);
    expect(shown.out).toContain(` ${there} `);
    expect(shown.out).not.toContain(` ${gone} `);
    const all = await tenants(['list', '--limit', '200', '--all']);
    expect(all.out).toContain(` ${there} `);
    expect(all.out).toMatch(new RegExp(` ${gone} +failed \\(creation cancelled\\) `));
  });
});

describe('the address of a tenant', () => {
  it('is labeled until it is live, and left out once there is nothing behind it', async () => {
    const [planned, live, gone] = [freshSlug(), freshSlug(), freshSlug()];
    for (const slug of [planned, live, gone]) await made(slug);
    await play(live, ['committing', 'succeeded'], ['creating', 'active']);
    await play(gone, ['rolling-back', 'cancelled'], ['creating', 'failed']);
    const listed = (await tenants(['list', '--limit', '200', '--all'])).out;
    expect(listed).toMatch(new RegExp(` https://${planned}\\S+ \\(not live yet\\)$`, 'm'));
    expect(listed).toMatch(new RegExp(` https://${live}\\S+$`, 'm'));
    expect(listed).toMatch(new RegExp(` ${gone} .* -$`, 'm'));
    expect((await tenants(['show', planned])).out).toMatch(/^url +https:\S+ \(not live yet\)$/m);
    expect((await tenants(['show', live])).out).toMatch(/^url +https:\S+$/m);
    expect((await tenants(['show', gone])).out).not.toContain('https:');
  });
});

describe('with --json a failure', () => {
  it.each([
    ['of usage', ['create'], 2, 'USAGE'],
    ['of an unknown option', ['list', '--color'], 2, 'USAGE'],
    ['of the API', ['show', '3f0e7f0a-5f0a-4f0e-8f0a-5f0a4f0e8f0a'], 3, 'TENANT_NOT_FOUND'],
    ['of a name', ['show', 'nobody-has-this'], 3, 'TENANT_NOT_FOUND'],
    ['of input', ['list', '--cursor', 'x'], 2, 'INVALID_INPUT'],
  ])('%s is one line of JSON on stderr, and nothing on stdout', async (_what, args, code, errorCode) => {
    const ended = await tenants([...args, '--json']);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toMatch(/^[^\n]+\n$/);
    const { error } = JSON.parse(ended.err) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code: errorCode, message: expect.any(String) as string });
    for (const key of Object.keys(error)) expect(['code', 'message', 'details', 'requestId']).toContain(key);
  });

  it('to reach the API is one too', async () => {
    const ended = await tenants(['list', '--json'], 'http://127.0.0.1:2');
    expect(ended).toMatchObject({ code: 5, out: '' });
    expect(JSON.parse(ended.err)).toMatchObject({ error: { code: 'API_UNREACHABLE' } });
  });
});

describe('tenants watch', () => {
  it('prints a line of JSON per event and ends with the operation', async () => {
    const slug = freshSlug();
    const { tenantId } = await made(slug);
    const [ended] = await Promise.all([
      tenants(['watch', tenantId, '--json']),
      play(slug, ['committing', 'succeeded'], ['creating', 'active']),
    ]);
    expect(ended).toMatchObject({ code: 0, err: '' });
    const events = ended.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; data: { to?: string } });
    expect(events[0]?.type).toBe('operation.accepted');
    expect(events.filter((e) => e.type === 'operation.state').map((e) => e.data.to)).toEqual([
      'running',
      'committing',
      'succeeded',
    ]);
    // Afterwards it shows the same picture, at once.
    const again = await tenants(['watch', tenantId, '--json']);
    expect(again.code).toBe(0);
    expect(again.out.startsWith(ended.out)).toBe(true);
  });
});

describe('tenants cancel, retry, delete', () => {
  it('cancel waits for the outcome and exits 0 when it was taken back', async () => {
    const { tenantId } = await made(freshSlug());
    const ended = await tenants(['cancel', tenantId]);
    expect(ended).toMatchObject({ code: 0, out: containing('cancelled; the tenant is deleted') });
    expect((await tenants(['cancel', tenantId])).code).toBe(4);
  });

  it('retry of something that was stuck waits for what comes next, not for what was', async () => {
    const slug = freshSlug();
    await made(slug);
    const tenantId = await play(slug, ['rolling-back', 'stuck'], ['creating', 'failed']);
    const retried = tenants(['retry', tenantId]);
    while (!api.orchestrator.taken.some((t) => t.verb === 'retry')) await sleep(20);
    await sleep(300);
    await api.move(tenantId, ['rolling-back', 'rolled-back']);
    const ended = await retried;
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('rolled-back; the tenant is failed (rolled back)');
    const gone = await tenants(['delete', tenantId, '--confirm', slug]);
    expect(gone).toMatchObject({ code: 0, out: containing('nothing was left of it') });
  });

  it('abandon wants a reason and a stuck operation, and exits 0 once it is closed', async () => {
    const slug = freshSlug();
    await made(slug);
    const tenantId = await play(slug, [], ['creating']);
    expect((await tenants(['abandon', tenantId])).code).toBe(2);
    const cancel = await tenants(['preview', 'cancel', tenantId]);
    expect(cancel).toMatchObject({ code: 0, err: '', out: containing('(running) rolls back: ') });
    expect(await tenants(['abandon', tenantId, '--reason', 'x'])).toMatchObject({
      code: 4,
      err: containing('NOT_STUCK'),
    });
    await api.move(tenantId, ['rolling-back', 'stuck'], ['failed']);
    const dry = await tenants(['abandon', tenantId, '--reason', 'kept for the auditors', '--dry-run']);
    expect(dry).toMatchObject({ code: 0, out: containing('the tenant is failed afterwards (nothing was changed)\n') });
    expect(await tenants(['abandon', tenantId, '--reason', 'kept for the auditors'])).toMatchObject({
      code: 0,
      out: containing('abandoned: operation'),
    });
  });

  it('delete wants confirmation and exits 0 once the tenant is gone', async () => {
    const slug = freshSlug();
    await made(slug);
    const tenantId = await play(slug, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    expect(await tenants(['delete', tenantId])).toMatchObject({
      code: 2,
      err: containing('CONFIRMATION_REQUIRED'),
    });
    const deleting = tenants(['delete', tenantId, '--confirm', slug, '--json']);
    const { operationId } = await tenantOf(slug);
    await api.orchestrator.claim(operationId);
    await api.move(tenantId, ['committing', 'succeeded'], ['deleted']);
    const ended = await deleting;
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.out)).toMatchObject({
      status: 'deleted',
      operation: { type: 'deprovision', state: 'succeeded' },
    });
  });

  it('delete says at its end until when the slug stays reserved, as watch and show do afterwards', async () => {
    const slug = freshSlug();
    await made(slug);
    const tenantId = await play(slug, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    const deleting = tenants(['delete', slug, '--confirm', slug]);
    const { operationId } = await tenantOf(slug);
    await api.orchestrator.claim(operationId);
    await api.move(tenantId, ['committing', 'succeeded'], ['deleted']);
    const { deletedAt } = await api.client.get(testCaller, tenantId);
    const until = new Date(Date.parse(deletedAt ?? '') + 30 * 86_400_000).toISOString();
    const date = `${until.slice(0, 10)} ${until.slice(11, 19)} UTC (in 30 days)`;
    const ended = await deleting;
    expect(ended).toMatchObject({ code: 0, out: containing(`its slug ${slug} stays reserved until ${date}\n`) });
    expect(ended.out).not.toContain('https:');
    expect((await tenants(['watch', tenantId])).out).toContain(`stays reserved until ${date}`);
    expect((await tenants(['show', tenantId])).out).toMatch(
      new RegExp(`^slug +${slug} stays reserved until ${date.replace(/[()]/g, '.')}$`, 'm'),
    );
  });

  it('retry, cancel and delete say with --no-wait how to follow them', async () => {
    const [held, active] = [freshSlug(), freshSlug()];
    await made(held);
    await made(active);
    await play(held, ['holding'], ['creating']);
    await play(active, ['committing', 'succeeded'], ['creating', 'active']);
    api.orchestrator.end(`tenant.moamalat.${active}`);
    for (const [slug, ...words] of [
      [held, 'retry', held],
      [held, 'cancel', held],
      [active, 'delete', active, '--confirm', active],
    ] as const) {
      const ended = await tenants([...words, '--no-wait']);
      expect(ended).toMatchObject({ code: 0, out: containing(`\n  follow it:  tenantry tenants watch ${slug}\n`) });
    }
  });
});
