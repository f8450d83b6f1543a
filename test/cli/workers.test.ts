import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApiFixture, acme, type ApiFixture } from '../api/api-fixture.ts';

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
let api: ApiFixture;
let url: string;
beforeAll(async () => {
  api = await createApiFixture({ workerWatchTimes: { everyMs: 20, countsMs: 2_000, alertAfterMs: 60_000 } });
  url = (await api.listen()).url;
});
afterAll(() => api.close());

/** What a command prints until it ends, or until it has printed the text. */
async function said(args: readonly string[], text = '\u0000'): Promise<string> {
  const child = spawn(process.execPath, [bin, 'tenants', ...args], {
    env: { ...process.env, TENANTRY_API_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  const state = { ended: false };
  child.stdout.setEncoding('utf8').on('data', (more: string) => (out += more));
  child.on('close', () => (state.ended = true));
  while (!state.ended && !out.includes(text)) await sleep(20);
  child.kill('SIGKILL');
  return out;
}
const notice = 'no worker polls the task queue; nothing is carried out until one is started (`tenantry worker`)';
const creation = (slug: string) => [
  'create',
  '--product',
  acme.product,
  '--slug',
  slug,
  '--name',
  'A',
  '--email',
  acme.contactEmail,
];

it('create, watch and show say that no worker polls, and nothing of workers while one does', async () => {
  api.orchestrator.workers = [];
  await expect.poll(() => api.client.workers().state).toBe('none');
  expect(await said([...creation('following')], notice)).toContain(`waiting: ${notice}\n`);
  expect(await said([...creation('accepted'), '--no-wait'])).toContain(`  waiting:    ${notice}\n`);
  expect(await said(['watch', 'following'], notice)).toContain(`waiting: ${notice}\n`);
  expect(await said(['show', 'following'])).toMatch(/^waiting +no worker polls/m);
  api.orchestrator.workers = [{ identity: 'worker-1', lastAccessAt: new Date() }];
  await expect.poll(() => api.client.workers().state).toBe('polling');
  expect(await said([...creation('polled'), '--no-wait'])).not.toContain('waiting');
  expect(await said(['show', 'polled'])).not.toContain('waiting');
});
