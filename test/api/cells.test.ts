import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { registerCells } from '../../src/cli/cells.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { registerSlugs } from '../../src/cli/slugs.ts';
import type { Platform } from '../../src/contracts/platform.ts';
import { quarantineSlug } from '../../src/db/reservations.ts';
import { checkUse } from '../../src/doctor/use-checks.ts';
import { lostCellProblems } from '../../src/lost-cells.ts';
import { exampleCell } from '../support/platform.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

const both = [exampleCell({ id: 'first' }), exampleCell({ id: 'second' })] as const;
const [first, second] = both;
const only = (...cells: Platform['cells']): Platform => ({ version: 1, cells });

let api: ApiFixture;
let tenantId: string;
beforeAll(async () => {
  api = await createApiFixture({ platform: only(first, second) });
  const payload = { ...acme, slug: 'moved', cell: 'second' };
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
  tenantId = answer.json<{ tenantId: string }>().tenantId;
});
afterAll(() => api.close());
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** A command in this process, on the database of the test. */
async function run(platform: Platform, ...args: string[]) {
  const said: string[] = [];
  for (const stream of ['log', 'error'] as const)
    vi.spyOn(console, stream).mockImplementation((text: unknown) => said.push(String(text)));
  const { database } = api;
  const program = buildProgram({
    registrars: [
      (to) => registerCells(to, async () => ({ database, platform, close: async () => undefined })),
      (to) => registerSlugs(to, async () => ({ ...database, close: async () => undefined })),
    ],
  });
  await program.parseAsync(args, { from: 'user' });
  return { code: process.exitCode ?? 0, said: said.join('\n') };
}

describe('a cell that is in use', () => {
  it('is missed by worker and doctor when the platform description lacks it', async () => {
    expect(await lostCellProblems(api.database, only(first, second))).toEqual([]);
    const [problem = ''] = await lostCellProblems(api.database, only(first));
    expect(problem).toContain('cell "second" is not in the platform description, and has 1 tenant, 1 open operation');
    const found = await checkUse(api.database, only(first));
    expect(found).toEqual([expect.objectContaining({ verdict: 'problem', detail: `${problem}; no worker starts` })]);
  });

  it('is told by doctor to be left or empty once it takes no tenants', async () => {
    const closed = both.map((cell) => ({ ...cell, acceptsTenants: false }));
    expect((await checkUse(api.database, only(...closed))).map(({ subject, verdict }) => [subject, verdict])).toEqual([
      ['cell first: takes no new tenants', 'ok'],
      ['cell second: takes no new tenants', 'warning'],
    ]);
  });

  it('is listed with its tenants, and by exit code when it is not described', async () => {
    const known = await run(only({ ...first, acceptsTenants: false }, second), 'cells', '--json');
    expect(known.code).toBe(0);
    expect((JSON.parse(known.said) as { cells: object[] }).cells).toMatchObject([
      { cell: 'first', acceptsTenants: false, isEmpty: true, tenants: [] },
      {
        cell: 'second',
        acceptsTenants: true,
        isEmpty: false,
        left: { tenants: 1, openOperations: 1 },
        tenants: [{ tenantId }],
      },
    ]);
    const lost = await run(only(first), 'cells');
    expect([lost.code, lost.said]).toEqual([1, expect.stringContaining('second  NOT IN THE PLATFORM DESCRIPTION')]);
  });
});

describe('the slug of a removed tenant', () => {
  const release = ['slugs', 'release', 'moamalat/moved', '--reason', 'moves to the first cell', '--by', 'ann'];
  it('is released on record, and only once nobody has it', async () => {
    expect(await run(only(first), ...release)).toMatchObject({
      code: 4,
      said: expect.stringContaining('in use') as string,
    });
    await quarantineSlug(api.database, { product: 'moamalat', slug: 'moved', tenantId });
    expect(await run(only(first), ...release)).toMatchObject({ code: 0 });
    const { rows } = await api.database.query(`select tenant_id, data from audit_entries where action = 'releaseSlug'`);
    expect(rows).toEqual([
      {
        tenant_id: tenantId,
        data: expect.objectContaining({ slug: 'moved', by: 'ann', reason: 'moves to the first cell' }) as object,
      },
    ]);
    expect(await run(only(first), ...release)).toMatchObject({ code: 3 });
  });
});
