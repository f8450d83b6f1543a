import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { examplePlatform } from '../support/platform.ts';

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tenantry-api-'));
const children: ChildProcess[] = [];

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  await migrate(testDatabase.controlUrl);
  writeFileSync(join(directory, 'platform.json'), JSON.stringify(examplePlatform()));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await testDatabase.drop();
});
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

function serve(overrides: Record<string, string> = {}) {
  const child = spawn(process.execPath, [bin, 'api'], {
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      DATABASE_URL: testDatabase.controlUrl,
      // Nobody listens there.
      TEMPORAL_ADDRESS: '127.0.0.1:9',
      PLATFORM_CONFIG: join(directory, 'platform.json'),
      TENANTRY_PAYLOAD_KEY: Buffer.alloc(32, 1).toString('base64'),
      TENANTRY_API_PORT: '0',
      ...overrides,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let err = '';
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const url = new Promise<string>((done, failed) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      const found = /"url":"(http:[^"]+)","msg":"the API listens"/.exec(err)?.[1];
      if (found !== undefined) done(found);
    });
    void ended.then((code) => failed(new Error(`the API ended with ${code}: ${err}`)));
  });
  url.catch(() => undefined);
  return { child, url, ended, err: () => err };
}

describe('tenantry api', () => {
  it('answers 503 ORCHESTRATOR_UNAVAILABLE while Temporal is away, with nothing half written, and ends at SIGTERM', async () => {
    const api = serve();
    const url = await api.url;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = (await (await fetch(`${url}/readyz`)).json()) as { checks: Record<string, { ok: boolean }> };
    expect(ready.checks).toMatchObject({ postgresql: { ok: true }, temporal: { ok: false }, workers: { ok: false } });
    const answer = await fetch(`${url}/api/v1/tenants`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ product: 'moamalat', slug: 'acme', displayName: 'Acme', contactEmail: 'a@acme.example' }),
    });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'ORCHESTRATOR_UNAVAILABLE' } });
    const database = createDatabase({ url: testDatabase.controlUrl });
    const { rows } = await database.query(`select
      (select count(*)::int from tenants where status <> 'deleted') as tenants,
      (select count(*)::int from operations where state <> 'withdrawn') as operations,
      (select count(*)::int from reservations) as reservations,
      (select count(*)::int from allocations) as allocations`);
    await database.close();
    expect(rows).toEqual([{ tenants: 0, operations: 0, reservations: 0, allocations: 0 }]);
    api.child.kill('SIGTERM');
    expect(await api.ended, api.err()).toBe(0);
  });

  it('refuses an address that others can reach, and settings that it cannot use, with exit code 2', async () => {
    const open = serve({ TENANTRY_API_HOST: '0.0.0.0' });
    expect(await open.ended).toBe(2);
    expect(open.err()).toContain('does not listen on 0.0.0.0');
    const unset = serve({ DATABASE_URL: '', TENANTRY_PAYLOAD_KEY: 'short' });
    expect(await unset.ended).toBe(2);
    expect(unset.err()).toMatch(/DATABASE_URL[^]*TENANTRY_PAYLOAD_KEY/);
  });
});
