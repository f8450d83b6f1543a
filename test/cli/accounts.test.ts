import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportOf } from '../../src/cli/error-report.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { acmeAccount, SHARED_TABLE, withAccounts } from '../api/accounts-fixture.ts';
import { acme, createApiFixture, type ApiFixture } from '../api/api-fixture.ts';
import { containing } from '../api/matchers.ts';

const directory = mkdtempSync(join(tmpdir(), 'tenantry-accounts-'));
const before = process.env.TENANTRY_API_URL;
let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture(withAccounts);
  process.env.TENANTRY_API_URL = (await api.listen()).url;
});
afterAll(async () => {
  if (before === undefined) delete process.env.TENANTRY_API_URL;
  else process.env.TENANTRY_API_URL = before;
  rmSync(directory, { recursive: true });
  await api.close();
});

/** `tenantry accounts ...`, within this process: what it prints, and how it ends. */
async function accounts(...args: readonly string[]): Promise<{ code: number | undefined; out: string; err: string }> {
  let [out, err] = ['', ''];
  let code: number | undefined;
  const sink = (write: (text: string) => void) => ({ write, isTTY: false }) as unknown as NodeJS.WriteStream;
  const terminal = { out: sink((text) => (out += text)), err: sink((text) => (err += text)) };
  try {
    const program = buildProgram({ terminal, setExitCode: (given) => (code = given) });
    await program.parseAsync(['accounts', ...args], { from: 'user' });
  } catch (error) {
    const report = reportOf(error);
    code = report.exitCode;
    err += report.headline ?? report.message;
  }
  return { code, out, err };
}

interface Account {
  readonly id: string;
  readonly operationId: string;
}

function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

async function made(cloudType = 'public'): Promise<Account> {
  const options = ['--file', file('account.json', { ...acmeAccount, cloudType }), '--no-wait', '--json'];
  const { out, code } = await accounts('create', ...options);
  expect(code).toBe(0);
  return JSON.parse(out) as Account;
}

async function play({ id, operationId }: Account, ...[states, statuses]: Played): Promise<void> {
  await api.orchestrator.claim(operationId);
  await api.move(id, states, statuses);
  api.orchestrator.end(`tenant.accounts.${id}`);
}
type Played = [Parameters<ApiFixture['move']>[1], Parameters<ApiFixture['move']>[2]];

const activate = (account: Account) => play(account, ['committing', 'succeeded'], ['creating', 'active']);

describe('tenantry accounts', () => {
  it('create takes every field as an option, and follows the account until it is active', async () => {
    const license = JSON.stringify(acmeAccount.licenses[0]);
    const running = accounts(
      ...['create', '--name', acmeAccount.name, '--master-account', 'acme-master', '--cloud-type', 'public'],
      ...['--technical-user-name', 'Ada', '--technical-user-email', 'ada@acme.example'],
      ...['--address', file('addresses.json', acmeAccount.addresses), '--license', license, '--json'],
    );
    await expect.poll(() => api.orchestrator.open.size).toBe(1);
    const [run] = [...api.orchestrator.open.values()];
    await activate({ id: run!.tenantId, operationId: run!.operationId });
    const { code, out, err } = await running;
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({
      ...{ id: run!.tenantId, name: acmeAccount.name, masterAccountName: 'acme-master', tableName: SHARED_TABLE },
      ...{ provisioningStatus: 'active', addresses: acmeAccount.addresses, licenses: acmeAccount.licenses },
      technicalUser: { name: 'Ada', email: 'ada@acme.example' },
    });
  });

  it('create names what is missing and wrong by its options, with exit code 2, and what --dry-run would make', async () => {
    const missing = await accounts('create', '--name', 'Acme', '--license', '{"endDate":"soon"}');
    expect(missing.code).toBe(2);
    for (const said of ['--master-account: is required', '--cloud-type: is required', '--license 0.endDate: must be'])
      expect(missing.err).toContain(said);
    expect(missing.err).not.toContain('body.');
    expect(await accounts('create', '--license', 'nowhere.json')).toMatchObject({
      code: 2,
      err: containing('cannot be read'),
    });
    expect(await accounts('create', '--file', file('list.json', []))).toMatchObject({
      code: 2,
      err: containing('JSON object'),
    });
    const preview = await accounts('create', '--file', file('account.json', acmeAccount), '--dry-run');
    expect(preview).toMatchObject({ code: 0, out: containing('would be done (nothing was changed)') });
  });

  it('an option goes before the same field of the file', async () => {
    const path = file('account.json', acmeAccount);
    const { out } = await accounts(
      'create',
      '--file',
      path,
      '--name',
      'Other',
      '--technical-user-name',
      'Bob',
      '--no-wait',
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({
      name: 'Other',
      technicalUser: { name: 'Bob', email: acmeAccount.technicalUser.email },
    });
  });

  it('list, show, status and watch tell of an account, and of no tenant of another product', async () => {
    const account = await made('private');
    const pending = await accounts('status', account.id);
    expect(pending).toMatchObject({ code: 0, out: containing('provision accepted') });
    await activate(account);
    const { out: listed } = await accounts('list', '--cloud-type', 'private', '--status', 'active');
    expect(listed).toMatch(
      new RegExp(`^ACCOUNT +CLOUD TYPE +STATUS[^]*${account.id} +private +active +acme-master +app-prod-account-`),
    );
    const { out: shown } = await accounts('show', account.id);
    for (const line of [
      /^name +ACME Corporation$/m,
      /^table +app-prod-account-/m,
      /^license +ent-1 prod-1 svc-1, 2026-01-01 to/m,
      /^address +billing, 1 Main Street, Berlin, DE$/m,
    ])
      expect(shown).toMatch(line);
    expect(JSON.parse((await accounts('status', account.id, '--json')).out)).toMatchObject({
      id: account.id,
      provisioningStatus: 'active',
    });
    expect(await accounts('watch', account.id)).toMatchObject({
      code: 0,
      out: containing('succeeded; the tenant is active'),
    });
    const created = await api.app.inject({
      method: 'POST',
      url: '/api/v1/tenants',
      payload: { ...acme, slug: 'no-account' },
    });
    const { tenantId } = created.json<{ tenantId: string }>();
    for (const command of ['show', 'status', 'watch', 'delete'])
      expect(await accounts(command, tenantId)).toMatchObject({
        code: 3,
        err: containing(`there is no account ${tenantId}`),
      });
    expect(await accounts('show', 'acme')).toMatchObject({ code: 2, err: containing('<account>: must be a UUID') });
  });

  it('delete needs the id, says what it would do, and follows until nothing is left', async () => {
    const account = await made();
    await activate(account);
    expect(await accounts('delete', account.id)).toMatchObject({ code: 2, err: containing(`confirm=${account.id}`) });
    expect(await accounts('delete', account.id, '--confirm', 'acme-master')).toMatchObject({ code: 2 });
    expect(await accounts('delete', account.id, '--dry-run')).toMatchObject({
      code: 0,
      out: containing('would be done (nothing was changed)'),
    });
    const running = accounts('delete', account.id, '--confirm', account.id);
    const run = await runOf(account.id);
    await play(run, ['committing', 'succeeded'], ['deleted']);
    expect(await running).toMatchObject({ code: 0, out: containing('succeeded; the tenant is deleted') });
    expect(await accounts('delete', account.id, '--confirm', account.id)).toMatchObject({ code: 4 });
  });
});

async function runOf(id: string): Promise<Account> {
  for (let n = 0; n < 500; n += 1) {
    const run = api.orchestrator.open.get(`tenant.accounts.${id}`);
    if (run) return { id, operationId: run.operationId };
    await sleep(10);
  }
  throw new Error(`no run of account ${id} within 5 s`);
}
