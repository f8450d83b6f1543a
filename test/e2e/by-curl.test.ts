import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSystem, type System } from './system.ts';

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
  const printed = execFileSync('bash', ['-e', '-o', 'pipefail', '-c', script], { encoding: 'utf8', timeout: 400_000 });
  const ends = [...printed.matchAll(/^"state":"([\w-]+)"$/gm)].map(([, state]) => state);
  const good = 'succeeded';
  expect(ends, printed).toEqual([good, good, 'rolled-back', good, good, good, good, good, good]);
  const after = (await system.inventory()).filter(({ residue }) => residue === undefined);
  expect(after.map(({ kind, id }) => `${kind} ${id}`)).toEqual(before.map(({ kind, id }) => `${kind} ${id}`));
}, 420_000);

function readmeBlock(): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const block = readme.split(/^```.*$/m).find((text) => text.includes('curl -sS'));
  if (block === undefined) throw new Error('README.md has no block that asks by curl');
  return block;
}
