import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startChild, type Child } from '../../sandbox/parts/child.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
let directory: string;
let sandbox: Child;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tenantry-sandbox-end-'));
  sandbox = await tenantry('sandbox', '--dir', directory);
  await vi.waitFor(() => expect(sandbox.output()).toContain('Ctrl-C stops everything'), { timeout: 150_000 });
}, 180_000);
afterEach(async () => {
  await sandbox.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

function tenantry(...args: string[]): Promise<Child> {
  const { AWS_ENDPOINT_URL: _, ...env } = process.env;
  return startChild({
    name: `tenantry ${args.join(' ')}`,
    ...{ command: process.execPath, args: ['bin/tenantry.js', ...args], cwd: checkout, env },
    stopTimeoutMs: 25_000,
  });
}

/** What a shell prints that reads the file as people are told to. */
function source(): Promise<string> {
  const script = `set -a; . ${join(directory, 'env')}; set +a; echo "at $AWS_ENDPOINT_URL"`;
  return new Promise((resolve) => execFile('sh', ['-c', script], (_, stdout, stderr) => resolve(stdout + stderr)));
}

it('a sandbox that is stopped says what is gone, and leaves no addresses behind', { timeout: 120_000 }, async () => {
  expect(await source()).toMatch(/^at http:\/\/\S+\n$/);
  for (const line of sandbox
    .output()
    .split('\n')
    .filter((text) => /starting its parts|embedded:/.test(text)))
    expect(line).toMatch(/^ {2}\d\d:\d\d:\d\d {2}\S/);
  sandbox.kill('SIGINT');
  expect(await sandbox.exited).toEqual({ code: 130, signal: null });
  expect(sandbox.output()).toMatch(
    /\d\d:\d\d:\d\d {2}stopped\. gone with all their data: .*PostgreSQL.*; the next start begins anew\. Logs stay in .+logs\n$/,
  );
  expect(existsSync(join(directory, 'env'))).toBe(false);
  const template = await tenantry('sandbox', 'template', 'crash', '--dir', directory);
  expect((await template.exited).code).toBe(1);
  expect(template.output()).toContain(`no sandbox runs in ${directory}`);
});

it('a sandbox that was killed is not taken for one that runs', { timeout: 120_000 }, async () => {
  sandbox.kill('SIGKILL');
  await sandbox.exited;
  const said = `the sandbox in ${directory} is not running any more: start one again (npm start)`;
  expect(await source()).toContain(said);
  const template = await tenantry('sandbox', 'template', 'crash', '--dir', directory);
  expect((await template.exited).code).toBe(1);
  expect(template.output()).toContain(said);
  expect(template.output()).not.toMatch(/ECONNREFUSED|^\s+at /m);
});
