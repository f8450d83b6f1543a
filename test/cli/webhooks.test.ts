import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { reportOf } from '../../src/cli/error-report.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { createApiFixture, type ApiFixture } from '../api/api-fixture.ts';
import { seedTenant, type Seeded } from '../db/fixtures.ts';

let api: ApiFixture;
let tenant: Seeded;
let apiUrl: string;
beforeAll(async () => {
  api = await createApiFixture();
  apiUrl = (await api.listen()).url;
  tenant = await seedTenant(api.database);
});
afterAll(() => api.close());
afterEach(() => vi.unstubAllEnvs());

/** `tenantry webhooks ...` in this process: what it prints. @throws what the command throws */
async function webhooks(...args: readonly string[]): Promise<string> {
  vi.stubEnv('TENANTRY_API_URL', apiUrl);
  let out = '';
  const stream = { write: (text: string) => (out += text) };
  const program = buildProgram({ terminal: { out: stream, err: stream } as never, setExitCode: () => undefined });
  await program.parseAsync(['webhooks', ...args], { from: 'user' });
  return out;
}

const json = async <T>(...args: readonly string[]) => JSON.parse(await webhooks(...args, '--json')) as T;
const url = 'https://hooks.example.com/tenantry';
interface Made {
  readonly webhookId: string;
  readonly secret: string;
}

it('a webhook is made, looked at, changed, rotated and deleted by command', async () => {
  const made = await json<Made>('create', url, '--tenant', tenant.slug, '--event', 'tenant.status', 'operation.state');
  const { webhookId } = made;
  const shown = await webhooks('show', webhookId);
  expect(shown).toMatch(new RegExp(`^of +tenant ${tenant.tenantId}$`, 'm'));
  expect(shown).toMatch(/^events +tenant\.status, operation\.state$/m);
  expect(shown).not.toContain(made.secret);
  expect(await webhooks('list', '--tenant', tenant.tenantId)).toContain(webhookId);
  expect(await webhooks('change', webhookId, '--all-events', '--disable')).toMatch(
    /^state +disabled: disabled by local-operator$/m,
  );
  expect(await webhooks('change', webhookId, '--enable', '--description', 'portal')).toMatch(/^state +enabled$/m);
  const rotated = await webhooks('rotate', webhookId, '--overlap', '1h');
  expect(rotated).toMatch(/^secret +whsec_/m);
  expect(rotated).not.toContain(made.secret);
  expect(rotated).toMatch(/^earlier secret +signs too until \S+/m);
  expect(await webhooks('rotate', webhookId, '--overlap', '0')).toMatch(/^earlier secret +signs no more$/m);
  expect(await webhooks('delete', webhookId, '--dry-run')).toContain('nothing is changed');
  const inVain = await webhooks('rotate', webhookId, '--dry-run');
  expect(inVain).not.toContain('whsec_');
  expect(await webhooks('create', url, '--dry-run')).not.toContain('whsec_');
  expect(await webhooks('delete', webhookId)).toMatch(
    /^state +deleted\ndropped +\d+ waiting messages?, 0 dead letters$/m,
  );
  await expect(webhooks('show', webhookId)).rejects.toMatchObject({ code: 'WEBHOOK_NOT_FOUND' });
});

it('deliveries are listed page by page, and replayed', async () => {
  const { webhookId } = await json<Made>('create', url, '--product', 'moamalat');
  const { tenantId } = await seedTenant(api.database);
  const ofTenant = ['deliveries', webhookId, '--limit', '1', '--state', 'pending', '--tenant', tenantId];
  const page = await webhooks(...ofTenant);
  expect(page).toMatch(/operation\.accepted/);
  const [, cursor = ''] = /^more: --cursor (\S+)$/m.exec(page) ?? [];
  const next = await webhooks(...ofTenant, '--cursor', cursor);
  expect(next).toMatch(/tenant\.accepted/);
  expect(next).not.toContain('more:');
  const [{ deliveryId }] = (await json<{ deliveries: [{ deliveryId: string }] }>('deliveries', webhookId)).deliveries;
  expect(await webhooks('replay', webhookId, deliveryId)).toContain(deliveryId);
  expect(await webhooks('replay', webhookId, '--dead', '--tenant', tenantId)).toBe('sent again: 0\n');
  for (const wrong of [[webhookId], [webhookId, deliveryId, '--dead'], [webhookId, deliveryId, '--tenant', tenantId]])
    await expect(webhooks('replay', ...wrong)).rejects.toMatchObject({ code: 'tenantry.usage' });
});

it('what a webhook refuses is named as the command line calls it', async () => {
  const { webhookId } = await json<Made>('create', url);
  const said = (...args: string[]) => webhooks(...args).catch((error: unknown) => reportOf(error).message);
  expect(await said('create', 'ftp://x')).toMatch(/^<url>: /);
  expect(await said('rotate', webhookId, '--overlap', '99d')).toMatch(/^--overlap: must be 0, or such as /);
  expect(await said('show', 'nope')).toMatch(/^<webhook>: /);
});
