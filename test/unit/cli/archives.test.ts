import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Archives } from '../../../src/archives/archives.ts';
import { registerArchives } from '../../../src/cli/archives.ts';
import { buildProgram } from '../../../src/cli/program.ts';

/** Archives that note what they are to load. */
function noting(): { readonly loads: unknown[]; readonly archives: Archives } {
  const loads: unknown[] = [];
  const archives: Archives = {
    list: () => Promise.resolve([]),
    show: () => Promise.reject(new Error('not asked')),
    urls: () => Promise.resolve([]),
    load: (...asked) => {
      loads.push(['load', ...asked]);
      return Promise.resolve({ schema: 's', tables: 1, rows: 2 });
    },
    loadRows: (...asked) => {
      loads.push(['loadRows', ...asked]);
      return Promise.resolve({ table: 't', rows: 3 });
    },
    close: () => Promise.resolve(),
  };
  return { loads, archives };
}

let printed: string[];
beforeEach(() => {
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function run(archives: Archives, ...words: string[]): Promise<void> {
  const register = (program: Command) => registerArchives(program, () => Promise.resolve(archives));
  const program = buildProgram({ registrars: [register], json: true });
  await program.parseAsync(['archives', 'load', ...words], { from: 'user' });
}

describe('tenantry archives load', () => {
  it('loads a schema into a database, and rows into a table', async () => {
    const { archives, loads } = noting();
    await run(archives, 'id-1', '--database', 'postgres://db/x', '--schema', 'again');
    await run(archives, 'id-1', '--table', 'restored', '--only', 'orders', '--cell', 'riyadh-1');
    expect(loads).toEqual([
      ['load', 'id-1', { database: 'postgres://db/x', schema: 'again' }, undefined],
      ['loadRows', 'id-1', { table: 'restored', only: 'orders' }, 'riyadh-1'],
    ]);
    expect(printed).toEqual(['loaded into schema s: 1 table with 2 rows', 'loaded into table t: 3 rows']);
  });

  it('reads rows of a folder with the credentials that write them', async () => {
    const { archives, loads } = noting();
    const folder = mkdtempSync(join(tmpdir(), 'archive-'));
    const manifest = join(folder, 'manifest.json');
    writeFileSync(manifest, '{}');
    await run(archives, manifest, '--table', 'restored');
    expect(loads).toEqual([['loadRows', manifest, { table: 'restored', only: undefined }, undefined]]);
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['nothing', []],
    ['a database without a schema', ['--database', 'postgres://db/x']],
    ['a schema without a database', ['--schema', 'again']],
    ['both', ['--database', 'postgres://db/x', '--schema', 'again', '--table', 'restored']],
    ['a table of the dump alone', ['--database', 'postgres://db/x', '--schema', 'again', '--only', 'orders']],
  ])('is refused when it is to load into %s', async (_what, words) => {
    const { archives, loads } = noting();
    await expect(run(archives, 'id-1', ...words)).rejects.toThrow('name --database and --schema');
    expect(loads).toEqual([]);
  });
});
