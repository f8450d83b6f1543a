import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inAccountWords } from '../../src/products/accounts/words.ts';
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

const accounts = (...args: readonly string[]) => tenantry('accounts', ...args);

/** A way to the API that loses the answer of every request that changes something. */
async function lossyWay(): Promise<{ url: string; close: () => void }> {
  const target = process.env.TENANTRY_API_URL ?? '';
  const server = createServer((request, response) => {
    void (async () => {
      const { 'idempotency-key': key } = request.headers;
      const body = request.method === 'GET' ? undefined : await text(request);
      const answer = await fetch(`${target}${request.url ?? ''}`, {
        method: request.method ?? 'GET',
        headers: { 'content-type': 'application/json', ...(typeof key === 'string' && { 'idempotency-key': key }) },
        ...(body !== undefined && { body }),
      });
      const said = await answer.text();
      if (body !== undefined) request.socket.destroy();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(said);
    })();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** `tenantry ...`, within this process: what it prints, and how it ends. */
async function tenantry(...args: readonly string[]): Promise<{ code: number | undefined; out: string; err: string }> {
  let [out, err] = ['', ''];
  let code: number | undefined;
  const sink = (write: (text: string) => void) => ({ write, isTTY: false }) as unknown as NodeJS.WriteStream;
  const terminal = { out: sink((text) => (out += text)), err: sink((text) => (err += text)) };
  try {
    const program = buildProgram({ terminal, setExitCode: (given) => (code = given) });
    await program.parseAsync(args, { from: 'user' });
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
    const user = '--technical-user-name and --technical-user-email: are required';
    const others = ['--master-account: is required', '--cloud-type: is required', '--license 0.endDate: must be'];
    for (const said of [user, ...others]) expect(missing.err).toContain(said);
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
      new RegExp(`^ACCOUNT +CLOUD TYPE +STATUS[^]*${account.id} +private +active +- +acme-master +app-prod-account-`),
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
    expect(await accounts('delete', account.id)).toMatchObject({
      ...{ code: 2, err: containing(`the id of account ${account.id}`) },
    });
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
    expect((await accounts('show', account.id)).out).toMatch(
      new RegExp(`^under way +move running \\(${run.operationId}\\), since 2\\d{3}-.* UTC \\(\\d+ s ago\\)`, 'm'),
    );
    expect((await accounts('list')).out).toMatch(new RegExp(`^${account.id} +public +active +move running +acme`, 'm'));
    expect((await accounts('status', account.id)).out).toMatch(/^operation +move running \(.*\nsince +2\d{3}-/m);
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
    expect((await accounts('list')).out).toMatch(new RegExp(`^${account.id} +public +active +- +acme`, 'm'));
  });

  it('cancel and retry answer the account, as the request left it', async () => {
    const account = await made();
    await activate(account);
    const { operationId } = JSON.parse((await accounts('move', account.id, '--no-wait', '--json')).out) as Account;
    await api.orchestrator.claim(operationId);
    await api.move(account.id, ['running', 'rolling-back', 'stuck'], ['migrating']);
    const { code, out } = await accounts('retry', account.id, '--no-wait', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ...{ id: account.id, operationId, provisioningStatus: 'active', message: containing('the retry is accepted') },
      openOperation: { operationId, type: 'migrate', state: 'stuck' },
    });
    const other = await made();
    const cancelled = JSON.parse((await accounts('cancel', other.id, '--no-wait', '--json')).out) as unknown;
    expect(cancelled).toMatchObject({ id: other.id, provisioningStatus: 'deleted', openOperation: null });
    const preview = await accounts('cancel', randomUUID(), '--dry-run');
    expect(preview).toMatchObject({ code: 3, err: containing('there is no account') });
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

describe('tenantry accounts update', () => {
  it('merges what its options and its file say, and follows that', async () => {
    const account = await made();
    await activate(account);
    const patch = file('patch.json', { technicalUser: { username: 'ada' }, licenses: null, name: 'of the file' });
    const options = ['--file', patch, '--name', 'Nova', '--technical-user-name', 'Bob', '--address', '[]'];
    const preview = await accounts('update', account.id, ...options, '--dry-run');
    expect(preview).toMatchObject({ code: 0, out: containing('would be done (nothing was changed)') });
    expect((await accounts('show', account.id)).out).toMatch(/^name +ACME Corporation$/m);
    const running = accounts('update', account.id, ...options);
    await play(await runOf(account.id), ['committing', 'succeeded'], ['active']);
    expect(await running).toMatchObject({ code: 0, out: containing('succeeded; the account is active') });
    expect(JSON.parse((await accounts('show', account.id, '--json')).out)).toMatchObject({
      ...{ name: 'Nova', masterAccountName: 'acme-master', addresses: [], licenses: [] },
      technicalUser: { ...acmeAccount.technicalUser, name: 'Bob', username: 'ada' },
    });
  });

  it('answers the account as it will be at once, and what is so already without an operation', async () => {
    const account = await made();
    await activate(account);
    const license = { ...acmeAccount.licenses[0], serviceId: 'other' };
    const asked = ['update', account.id, '--license', JSON.stringify([license])];
    const { operationId } = JSON.parse((await accounts(...asked, '--no-wait', '--json')).out) as Account;
    expect((await runOf(account.id)).operationId).toBe(operationId);
    expect(await accounts('update', account.id, '--name', 'Other')).toMatchObject({
      code: 4,
      err: containing('OPERATION_IN_PROGRESS'),
    });
    await play({ id: account.id, operationId }, ['committing', 'succeeded'], ['active']);
    for (const same of [asked, ['update', account.id]])
      expect(await accounts(...same)).toMatchObject({
        code: 0,
        out: 'nothing had to be changed; the account is active\n',
      });
    expect(JSON.parse((await accounts(...asked, '--json')).out)).toMatchObject({ licenses: [license], changed: [] });
  });

  it('names what it may not change by its options', async () => {
    const account = await made();
    await activate(account);
    const whole = await accounts('update', account.id, '--file', file('account.json', acmeAccount));
    expect(whole).toMatchObject({ code: 2, err: containing('--file: unknown field "cloudType"; known: name,') });
    expect(await accounts('update', account.id, '--name', '', '--license', '[{}]')).toMatchObject({
      code: 2,
      err: containing('--name: must not be blank'),
    });
    for (const bad of ['[1]', '"text"', file('bad.json', 7)])
      expect(await accounts('update', account.id, '--license', bad)).toMatchObject({
        code: 2,
        err: containing('--license'),
      });
    expect(await accounts('update', randomUUID(), '--name', 'Nobody')).toMatchObject({ code: 3 });
  });
});

describe('tenantry tenants create', () => {
  it('asks for no slug where the tenants of a product have their ids, and for one elsewhere', async () => {
    const identity = ['--name', 'Acme', '--email', 'ops@acme.example'];
    const { out } = await tenantry(
      ...['tenants', 'create', '--product', 'accounts', '--tier', 'public', ...identity, '--no-wait'],
    );
    expect(out).toMatch(/^accepted: tenant (\S+), [^]*follow it: {2}tenantry tenants watch \1$/m);
    const refused = await tenantry('tenants', 'create', '--product', 'moamalat', ...identity, '--no-wait');
    expect(refused).toMatchObject({ code: 2, err: containing('--slug: is required') });
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

describe('tenantry accounts create whose answer is lost', () => {
  it('names the key under which the same command finds the account, and makes no second one', async () => {
    const name = 'Lost & found';
    const options = ['--file', file('lost.json', { ...acmeAccount, name }), '--no-wait'];
    const way = await lossyWay();
    const direct = process.env.TENANTRY_API_URL;
    process.env.TENANTRY_API_URL = way.url;
    const lost = await accounts('create', ...options).finally(() => {
      process.env.TENANTRY_API_URL = direct;
      way.close();
    });
    expect([lost.code, lost.out]).toEqual([7, '']);
    const key = /--idempotency-key '([0-9a-f-]{36})'/.exec(lost.err)?.[1] ?? 'none';
    const ids = async () => {
      const sql = 'select id from tenants where display_name = $1';
      return (await api.database.query<{ id: string }>(sql, [name])).rows.map(({ id }) => id);
    };
    expect(await ids()).toHaveLength(1);
    const again = await accounts('create', ...options, '--json', '--idempotency-key', key);
    expect([again.code, again.err]).toEqual([0, '']);
    expect(await ids()).toEqual([(JSON.parse(again.out) as Account).id]);
    const other = await accounts('create', ...options, '--name', 'Another', '--idempotency-key', key);
    expect([other.code, other.err]).toEqual([2, containing('IDEMPOTENCY_KEY_REUSED')]);
    const preview = await accounts('create', ...options.slice(0, 2), '--dry-run', '--idempotency-key', key);
    expect(preview.code).toBe(2);
  });
});
