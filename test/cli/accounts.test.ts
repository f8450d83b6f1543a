import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inAccountWords } from '../../src/cli/account-words.ts';
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
    const report = reportOf(error, inAccountWords);
    code = report.exitCode;
    err += [report.headline, ...(report.more ?? [])].join('\n');
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

  it('an option replaces the same field of the file', async () => {
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
      out: containing('succeeded; the account is active'),
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
    expect(await running).toMatchObject({ code: 0, out: containing('succeeded; the account is deleted') });
    expect(await accounts('delete', account.id, '--confirm', account.id)).toMatchObject({ code: 4 });
  });
});

describe('what is under way of an account', () => {
  it('a move is shown, is told in words of accounts, and answers the account with its operation as JSON', async () => {
    const account = await made();
    await activate(account);
    const running = accounts('move', account.id, '--json');
    const run = await runOf(account.id);
    await api.orchestrator.claim(run.operationId);
    await api.move(account.id, ['running'], ['migrating']);
    expect((await accounts('show', account.id)).out).toMatch(/^under way +move running \(/m);
    expect((await accounts('status', account.id)).out).toMatch(/^operation +move running \(/m);
    const listed = await accounts('operations', account.id);
    expect(listed.out).toMatch(
      new RegExp(`${run.operationId} +move +running +.*\n${account.operationId} +provision +succeeded`),
    );
    const { err } = await accounts('delete', account.id, '--confirm', account.id);
    expect(err).toContain('OPERATION_IN_PROGRESS');
    expect(err).not.toMatch(/\btenants?\b/);
    await api.move(account.id, ['committing', 'succeeded'], ['active']);
    const { code, out } = await running;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ...{ id: account.id, provisioningStatus: 'active', operationId: run.operationId },
      outcome: { operationId: run.operationId, type: 'migrate', state: 'succeeded' },
    });
    expect((await accounts('show', account.id)).out).not.toContain('under way');
  });

  it('cancel, events, settings and dry runs are the ones of tenants, in words of accounts', async () => {
    const account = await made();
    await activate(account);
    const preview = await accounts('move', account.id, '--dry-run');
    expect(preview).toMatchObject({ code: 0, out: containing('would be done (nothing was changed)') });
    const accepted = await accounts('move', account.id, '--no-wait');
    expect(accepted.out).toContain(`follow it:  tenantry accounts watch ${account.id}`);
    const cancelled = await accounts('cancel', account.id);
    expect(cancelled).toMatchObject({ code: 0, out: containing('cancelled; the account is active') });
    expect(accepted.out + cancelled.out + preview.out).not.toMatch(/\btenants?\b(?!-activation)/);
    const again = await accounts('cancel', account.id);
    expect(again.code).toBe(4);
    expect((await accounts('events', account.id)).out).toContain('account.status creating');
    expect(JSON.parse((await accounts('settings', account.id)).out)).toMatchObject({ name: acmeAccount.name });
    for (const args of [['retry'], ['repair', '--dry-run'], ['abandon', '--reason', 'a test'], ['certificate']])
      expect(await accounts(args[0]!, randomUUID(), ...args.slice(1))).toMatchObject({
        code: 3,
        err: containing('there is no account'),
      });
  });

  it('a file that is larger than the API takes is refused before anything is sent', async () => {
    const large = file('large.json', { ...acmeAccount, name: 'x'.repeat(16_000_000) });
    for (const more of [[], ['--dry-run']]) {
      const { code, err } = await accounts('create', '--file', large, ...more);
      expect(code).toBe(2);
      expect(err).toMatch(
        /PAYLOAD_TOO_LARGE: the request has 160\d+ bytes of JSON, .* 65536 at most: nothing was sent/,
      );
    }
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
