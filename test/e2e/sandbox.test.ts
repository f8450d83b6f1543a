import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startChild, type Child } from '../../sandbox/parts/child.ts';
import { freePort } from '../../sandbox/parts/ports.ts';
import { createApiClient, type ApiClient } from '../../src/cli/api-client.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tenantry-sandbox-'));
const parts = [
  { name: 'PostgreSQL', command: /\bpostgres -D /, holdsData: true },
  { name: 'Temporal', command: /\bserver start-dev /, holdsData: true },
  { name: 'the worker', command: /tenantry\.js worker/, holdsData: false },
  { name: 'the api', command: /tenantry\.js api/, holdsData: false },
];

let sandbox: Child;
let api: ApiClient;

beforeAll(async () => {
  const port = await freePort();
  sandbox = await run(['sandbox', '--demo', '--dir', directory], { TENANTRY_API_PORT: String(port) });
  api = createApiClient(`http://127.0.0.1:${port}`);
  await untilPrinted('Ctrl-C stops everything');
}, 180_000);
afterAll(async () => {
  await sandbox.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('a sandbox that stays up', () => {
  it('refuses another one its directory, and leaves its files alone', async () => {
    const env = readFileSync(join(directory, 'env'), 'utf8');
    const second = await run(['sandbox', '--dir', directory]);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output()).toContain(`a sandbox runs in ${directory} already (process ${sandbox.pid})`);
    expect(readFileSync(join(directory, 'env'), 'utf8')).toBe(env);
  });

  it("runs the README's block as it is printed", () => {
    const lines = readmeBlock().replace('.sandbox/env', join(directory, 'env')).trim().split('\n');
    const script = lines.map((line) => `${line}\necho "exit code $?"`).join('\n');
    const printed = execFileSync('bash', ['-c', script], { cwd: checkout, encoding: 'utf8', stdio: 'pipe' });
    const codes = [...printed.matchAll(/^exit code (\d+)$/gm)].map(([, code]) => Number(code));
    // One was cancelled, and one held.
    expect(codes, printed).toEqual([0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
    expect(printed).toMatch(/ globex +failed/);
    expect(printed).toMatch(/ initech +active/);
  }, 240_000);

  it.each(parts)(
    'starts $name again when it is killed, says so, and loses nothing',
    async ({ name, command, holdsData }) => {
      const { tenantId, operationId } = await create(`kill-${name.replaceAll(/\W/g, '-').toLowerCase()}`);
      process.kill(pidOf(command), 'SIGKILL');
      await untilPrinted(`${name} ended by itself (SIGKILL): starting it again`);
      await untilPrinted(holdsData ? `${name} answers again` : `${name} was started again`);
      await expect
        .poll(() => api.status(tenantId).then(({ operation }) => operation), { timeout: 90_000, interval: 500 })
        .toMatchObject({ operationId, state: 'succeeded' });
      const { tenants } = await api.list({ product: 'moamalat', limit: '200' });
      expect(tenants.find(({ slug }) => slug === 'acme')).toMatchObject({ status: 'active' });
    },
  );

  it('keeps what each part prints in a file of its own, the log of worker and API as lines of JSON', () => {
    for (const part of ['worker', 'api']) {
      const lines = readFileSync(join(directory, 'logs', `${part}.log`), 'utf8')
        .trim()
        .split('\n');
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(JSON.parse(line)).toMatchObject({ msg: expect.any(String) as string });
    }
    expect(readFileSync(join(directory, 'logs', 'postgres.log'), 'utf8')).toContain('database system is ready');
  });

  it('ends with a word on the AWS emulator when that is killed, because what it held is lost', async () => {
    process.kill(pidOf(/ -m ministack/), 'SIGKILL');
    expect(await sandbox.exited).toEqual({ code: 1, signal: null });
    expect(sandbox.output()).toContain('the AWS emulator ended by itself (SIGKILL), and all that it held is lost');
    expect(processes().filter(({ args }) => args.includes(directory))).toEqual([]);
  });
});

/** The commands for another terminal. */
function readmeBlock(): string {
  const blocks = readFileSync(join(checkout, 'README.md'), 'utf8').split(/^```.*$/m);
  const block = blocks.find((text) => text.includes('. .sandbox/env'));
  if (block === undefined) throw new Error('README.md has no block that sources .sandbox/env');
  return block;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Child> {
  return startChild({
    name: `tenantry ${args.join(' ')}`,
    command: process.execPath,
    args: ['bin/tenantry.js', ...args],
    cwd: checkout,
    env: { ...process.env, ...env },
    stopTimeoutMs: 25_000,
  });
}

/** A moment in which an operation is at work; the API may have been killed just before. */
async function create(slug: string) {
  const request = { product: 'moamalat', slug, displayName: slug, contactEmail: `admin@${slug}.example` };
  return api.create({ ...request, onFailure: 'hold' as const });
}

async function untilPrinted(text: string): Promise<void> {
  await vi.waitFor(() => expect(sandbox.output()).toContain(text), { timeout: 120_000, interval: 100 });
}

function pidOf(command: RegExp): number {
  const found = processes().find(({ parent, args }) => parent === sandbox.pid && command.test(args));
  if (!found) throw new Error(`no process of the sandbox matches ${command}`);
  return found.pid;
}

function processes() {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return text.split('\n').map((line) => {
    const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), parent: Number(parent), args };
  });
}
