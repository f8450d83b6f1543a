import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSystem, type System } from './system.ts';

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'tenantry-curl-'));
let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system.stop();
  rmSync(directory, { recursive: true, force: true });
});

it("is a tenant's whole life by curl alone, as the README prints it", async () => {
  const before = (await system.inventory()).filter(({ residue }) => residue === undefined);
  const envFile = join(directory, 'env');
  writeFileSync(
    envFile,
    Object.entries(system.parts.env)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(''),
  );
  const script = readmeBlock().replace('.sandbox/env', envFile);
  // The emulated AWS runs in this process: it must not be blocked.
  const { stdout: printed } = await run('bash', ['-e', '-o', 'pipefail', '-c', script], { timeout: 220_000 }).catch(
    (error: unknown) => {
      throw new Error(`the script failed, and had printed: ${printedBy(error)}`, { cause: error });
    },
  );
  const ends = [...printed.matchAll(/^"outcome".*"state":"([\w-]+)"$/gm)].map(([, state]) => state);
  const good = 'succeeded';
  expect(ends, printed).toEqual([good, good, 'rolled-back', good, good, good, good, good, good]);
  expect(printed).toContain('"jws"');
  const after = (await system.inventory()).filter(({ residue }) => residue === undefined);
  expect(after.map(({ kind, id }) => `${kind} ${id}`)).toEqual(before.map(({ kind, id }) => `${kind} ${id}`));
}, 240_000);

function readmeBlock(): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const block = readme.split(/^```.*$/m).find((text) => text.includes('curl -sS'));
  if (block === undefined) throw new Error('README.md has no block that asks by curl');
  return block;
}

function printedBy(error: unknown): string {
  return error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
}
