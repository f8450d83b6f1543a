import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
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
  await expect(audit('list', '--from', 'yesterday')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
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
