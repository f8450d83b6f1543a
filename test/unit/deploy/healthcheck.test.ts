import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from 'node:http';
import { startHealthServer } from '../../../src/worker/health.ts';

const script = fileURLToPath(new URL('../../../bin/healthcheck.js', import.meta.url));
let server: Server;
let ready = false;
let port = '';

beforeAll(async () => {
  server = await startHealthServer(0, () => ready);
  const address = server.address();
  port = typeof address === 'object' && address !== null ? String(address.port) : '';
});
afterAll(() => server.close());

async function check(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said: said.trim() };
}

describe('the health check of a container', () => {
  it('asks a worker where its variable says that it answers', async () => {
    expect(await check(['worker'], { TENANTRY_WORKER_HEALTH_PORT: port })).toEqual({
      code: 0,
      said: '200 {"ok":true}',
    });
    const readyz = ['worker', '/readyz'];
    expect(await check(readyz, { TENANTRY_WORKER_HEALTH_PORT: port })).toEqual({ code: 1, said: '503 {"ok":false}' });
    ready = true;
    expect(await check(readyz, { TENANTRY_WORKER_HEALTH_PORT: port })).toEqual({ code: 0, said: '200 {"ok":true}' });
  });

  it('asks the API at its port', async () => {
    expect(await check(['api'], { TENANTRY_API_PORT: port })).toMatchObject({ code: 0 });
  });

  it.each([
    ['nobody answers', ['api'], { TENANTRY_API_PORT: '1' }, /ECONNREFUSED|bad port/],
    ['a worker has no port', ['worker'], {}, /TENANTRY_WORKER_HEALTH_PORT is not set/],
    ['a process that there is not', ['constructor'], {}, /usage/],
    ['no process', [], {}, /usage/],
    ['no path', ['api', 'readyz'], {}, /usage/],
  ])('fails and says why: %s', async (_why, args, env, says) => {
    const { code, said } = await check(args, env);
    expect(said).toMatch(says);
    expect(code).toBe(1);
  });
});
