import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../sandbox/parts/ports.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { startSystem, type System } from './system.ts';
import { wholeTraces } from './traces.ts';

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'tenantry-curl-'));
let system: System;
let collector: OtlpReceiver;
beforeAll(async () => {
  collector = await startOtlpReceiver();
  system = await startSystem({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
});
afterAll(async () => {
  await system.stop();
  await collector.stop();
  rmSync(directory, { recursive: true, force: true });
});

it("is a tenant's whole life by curl alone, as the README prints it", async () => {
  const before = await things();
  const printed = await runAsPrinted(readmeBlock('tenants=$TENANTRY_API_URL'));
  const good = 'succeeded';
  expect(endsIn(printed), printed).toEqual([good, good, 'rolled-back', good, good, good, good, good, good]);
  expect(printed).toContain('"jws"');
  await expectTraces();
  expect(await things()).toEqual(before);
}, 240_000);

it('is the life of an account of each tier by curl and the example service, as the README prints it', async () => {
  const before = await things();
  const script = readmeBlock('accounts=$TENANTRY_API_URL').replaceAll('8080', String(await freePort()));
  const printed = await runAsPrinted(`trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${script}`);
  expect(endsIn(printed), printed).toEqual(Array(5).fill('succeeded'));
  const answers = printed.split('\n').filter((line) => line.startsWith('[{'));
  expect(answers.map((line) => JSON.parse(line) as unknown)).toEqual([
    [{ id: expect.any(String) as string, text: 'a note' }],
    [{ id: expect.any(String) as string, text: 'another note' }],
  ]);
  const accounts = printed.split('\n').filter((line) => /^\{"id".*"tableName"/.test(line));
  const seen = accounts.map((line) => JSON.parse(line) as { cloudType: string; tableName: string | null });
  // Each as it was made, the public one moved, each as its deletion was accepted and when it was gone.
  expect(seen.map(({ cloudType, tableName }) => `${cloudType} ${kindOf(tableName)}`)).toEqual([
    'public shared',
    'private own',
    'public shared',
    'private own',
    ...['private own', 'private none', 'private own', 'private none'],
  ]);
  expect(await things()).toEqual(before);
}, 240_000);

/** Each operation of the tenant's life is one trace, from its request to its calls of AWS, with nothing beside it. */
async function expectTraces(): Promise<void> {
  const traces = await wholeTraces(collector, 9);
  expect(traces.map(({ root, type, outcome }) => `${root}: ${String(type)} ${String(outcome)}`)).toEqual([
    'POST /api/v1/tenants: provision succeeded',
    'PATCH /api/v1/tenants/:tenantId: update succeeded',
    'PATCH /api/v1/tenants/:tenantId: update rolled-back',
    'POST /api/v1/tenants/:tenantId/scale: update succeeded',
    'POST /api/v1/tenants/:tenantId/suspend: suspend succeeded',
    'POST /api/v1/tenants/:tenantId/resume: resume succeeded',
    'POST /api/v1/tenants/:tenantId/rotate: rotate succeeded',
    'POST /api/v1/tenants/:tenantId/repair: repair succeeded',
    'DELETE /api/v1/tenants/:tenantId: deprovision succeeded',
  ]);
  for (const { orphans, awsCalls, services } of traces) {
    expect(orphans).toEqual([]);
    expect(awsCalls.length).toBeGreaterThan(0);
    expect(services).toEqual(['tenantry-api', 'tenantry-worker']);
  }
  expect(traces[0]?.awsCalls).toContain('ecs.CreateService');
}

function kindOf(tableName: string | null): string {
  if (tableName === null) return 'none';
  return tableName.startsWith('app-prod-account-') ? 'own' : 'shared';
}

/** All that exists, but for what AWS keeps of what is gone. */
async function things(): Promise<string[]> {
  const items = (await system.inventory()).filter(({ residue }) => residue === undefined);
  return items.map(({ kind, id }) => `${kind} ${id}`);
}

/** What a block of the README prints in this system. */
async function runAsPrinted(block: string): Promise<string> {
  const envFile = join(directory, 'env');
  writeFileSync(
    envFile,
    Object.entries(system.parts.env)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(''),
  );
  const script = block.replace('.sandbox/env', envFile);
  // The emulated AWS runs in this process: it must not be blocked.
  const { stdout } = await run('bash', ['-e', '-o', 'pipefail', '-c', script], { timeout: 220_000 }).catch(
    (error: unknown) => {
      throw new Error(`the script failed, and had printed: ${printedBy(error)}`, { cause: error });
    },
  );
  return stdout;
}

function endsIn(printed: string): (string | undefined)[] {
  return [...printed.matchAll(/^"outcome".*"state":"([\w-]+)"$/gm)].map(([, state]) => state);
}

function readmeBlock(begin: string): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const block = readme.split(/^```.*$/m).find((text) => text.includes(begin));
  if (block === undefined) throw new Error(`README.md has no block with ${begin}`);
  return block;
}

function printedBy(error: unknown): string {
  return error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
}
