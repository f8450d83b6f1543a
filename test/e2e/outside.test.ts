import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild } from '../../sandbox/parts/child.ts';
import { examplePlatform } from '../support/platform.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const tsc = join(checkout, 'node_modules', 'typescript', 'bin', 'tsc');

/** A project of somebody else's, which has Tenantry as a linked package, and an SDK client that Tenantry does not use. */
let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'tenantry-outside-'));
  cpSync(join(checkout, 'examples', 'notes'), project, { recursive: true });
  mkdirSync(join(project, 'node_modules', '@aws-sdk'), { recursive: true });
  symlinkSync(checkout, join(project, 'node_modules', 'tenantry'));
  const client = join('node_modules', '@aws-sdk', 'client-sqs');
  symlinkSync(join(checkout, client), join(project, client));
  write('package.json', { type: 'module' });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const write = (file: string, content: object) => writeFileSync(join(project, file), JSON.stringify(content));

describe('a product outside the repository', () => {
  it('is type-checked by the built types, in stricter ways than our own', () => {
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { cwd: checkout, stdio: 'pipe' });
    const compilerOptions = {
      ...{ target: 'ES2023', module: 'NodeNext', noEmit: true, allowImportingTsExtensions: true },
      ...{ strict: true, exactOptionalPropertyTypes: true, noUnusedLocals: true, noUncheckedIndexedAccess: true },
      skipLibCheck: true,
    };
    write('tsconfig.json', { compilerOptions });
    // A tier and a place that the product does not have, to see that the types are there.
    writeFileSync(
      join(project, 'wrong.ts'),
      `import { defineProduct } from 'tenantry';
       defineProduct({ name: 'x', places: [], tiers: ['a'], blueprint: ({ tier, host }) => (tier === 'b' ? [] : [host]) });`,
    );
    writeFileSync(
      join(project, 'wrong-accounts.ts'),
      `import type { AccountsRouter } from 'tenantry/accounts';
       export const scanned = (router: AccountsRouter) => router.scan('x');
       export const text = async (router: AccountsRouter): Promise<number | undefined> =>
         (await router.get<{ text: string }>('x', { Key: { SK: 'A' } })).Item?.text;`,
    );
    const said = typeCheck();
    expect(said.split('\n').filter((line) => /^\S/.test(line) && !/^wrong(-accounts)?\.ts\(/.test(line))).toEqual([]);
    expect(said).toContain(`'"a"' and '"b"' have no overlap`);
    expect(said).toContain(`Property 'host' does not exist`);
    expect(said).toContain(`Property 'scan' does not exist`);
    expect(said).toContain(`Type 'string' is not assignable to type 'number'`);
  });

  it('is loaded by the command line from the folder that it stands in, with its kinds and its migrations', async () => {
    const platform = examplePlatform({
      domains: { notes: 'notes.moamalat-pro.com' },
      templateServices: { notes: { app: 'notes-template-app' } },
    });
    write('platform.json', platform);
    const nowhere = 'postgresql://nobody@127.0.0.1:1/none';
    const doctor = await startChild({
      name: 'tenantry doctor',
      command: process.execPath,
      args: [join(checkout, 'bin', 'tenantry.js'), 'doctor'],
      cwd: project,
      env: {
        ...process.env,
        ...{ DATABASE_URL: nowhere, TENANT_DATABASE_URL: nowhere, PLATFORM_CONFIG: 'platform.json' },
        ...{ TEMPORAL_ADDRESS: '127.0.0.1:1', TENANTRY_PAYLOAD_KEY: Buffer.alloc(32).toString('base64') },
        ...{ AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
      },
      stopTimeoutMs: 5_000,
    });
    await doctor.exited;
    expect(doctor.output()).toMatch(/product notes.*can be resolved for tenants below notes\.moamalat-pro\.com/);
  });
});

/** What tsc says; empty when all is in order. */
function typeCheck(): string {
  try {
    return execFileSync(process.execPath, [tsc, '-p', '.'], { cwd: project, encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
