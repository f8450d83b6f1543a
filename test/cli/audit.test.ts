import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { reportOf } from '../../src/cli/error-report.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { acme, createApiFixture, type ApiFixture } from '../api/api-fixture.ts';

let api: ApiFixture;
let apiUrl: string;
beforeAll(async () => {
  api = await createApiFixture();
  apiUrl = (await api.listen()).url;
  for (const slug of ['one', 'two'])
    await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
});
afterAll(() => api.close());
afterEach(() => vi.unstubAllEnvs());

/** `tenantry audit ...` in this process: what it prints. @throws what the command throws */
async function audit(...args: readonly string[]) {
  vi.stubEnv('TENANTRY_API_URL', apiUrl);
  const said = { out: '', err: '' };
  const to = (name: 'out' | 'err') => ({ write: (text: string) => (said[name] += text) });
  const terminal = { out: to('out'), err: to('err') } as never;
  await buildProgram({ terminal, setExitCode: () => undefined }).parseAsync(['audit', ...args], { from: 'user' });
  return said;
}

it('the audit is listed page by page, and filtered', async () => {
  const { out, err } = await audit('list', '--outcome', 'done', '--limit', '1');
  expect(out).toMatch(/^\S+ done createTenant by local-operator from 127\.0\.0\.1 tenant \S+ .*"slug":"two"/);
  const cursor = /^more: --cursor (\S+)\n$/.exec(err)?.[1] ?? '';
  expect((await audit('list', '--outcome', 'done', '--cursor', cursor)).out).toContain('"slug":"one"');
  const { entries } = JSON.parse((await audit('list', '--tenant', 'one', '--json')).out) as { entries: object[] };
  expect(entries).toHaveLength(3);
  expect(await audit('list', '--principal', 'nobody')).toEqual({ out: '', err: 'nothing matches\n' });
  const refused = await audit('list', '--from', 'yesterday', '--to', '2026-02-30').catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'INVALID_INPUT' });
  expect(reportOf(refused).message).toMatch(/^--from: must be a date.*2026-01-31T00:00:00Z; --to: must be a date/);
});

it('a date bounds the audit at its midnight, UTC', async () => {
  await api.database.query(
    `insert into audit_entries (at, action, outcome, caller, data)
     select t::timestamptz, 'dated', 'done', '{"principal":"eve","role":"platform-admin","requestId":"r"}', '{}'
     from unnest(array['2026-01-30T23:59:59Z', '2026-01-31T00:00:00Z', '2026-02-01T00:00:00Z']) t`,
  );
  const { out } = await audit('list', '--principal', 'eve', '--from', '2026-01-31', '--to', '2026-02-01');
  expect(out).toMatch(/^2026-01-31T00:00:00\S+ done dated [^\n]*\n$/);
});

it('all of it is written as lines of JSON', async () => {
  await api.database.query(
    `insert into audit_entries (action, outcome, caller, data)
     select 'many', 'done', '{"principal":"ann","role":"platform-admin","requestId":"r"}', jsonb_build_object('n', n)
     from generate_series(1, 450) n`,
  );
  const lines = (await audit('export', '--principal', 'ann')).out.trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { data: { n: number } }).data.n)).toEqual(
    Array.from({ length: 450 }, (_, i) => 450 - i),
  );
});
