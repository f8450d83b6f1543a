import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { accountSubject } from '../../../src/cli/account-subject.ts';
import type { Account, AccountsClient } from '../../../src/cli/accounts-client.ts';
import type { ApiClient } from '../../../src/cli/api-client.ts';
import { accountConfirmed, confirmedSlug } from '../../../src/cli/confirmation.ts';
import type { Context } from '../../../src/cli/context.ts';
import { reportOf } from '../../../src/cli/error-report.ts';
import { tenantSubject } from '../../../src/cli/subject.ts';

function terminal(typed: string | undefined, isTTY = true, more: object = {}, preview: object | null = {}) {
  const input = Object.assign(new PassThrough(), { isTTY });
  if (typed !== undefined) input.end(typed);
  let said = '';
  const err = Object.assign(new PassThrough(), { isTTY });
  err.on('data', (text: Buffer) => (said += text.toString()));
  const tenant = {
    slug: 'acme',
    product: 'mate',
    displayName: 'Acme',
    status: 'active',
    tenantUrl: 'https://acme.example',
    activatedAt: '2026-01-31T03:00:12.000Z',
    ...more,
  };
  const previewDeletion = () => (preview ? Promise.resolve(preview) : Promise.reject(new Error('unavailable')));
  const api = { get: () => Promise.resolve(tenant), previewDeletion } as unknown as ApiClient;
  const context = { api, subject: tenantSubject, terminal: { out: err, err, input } };
  return { context: context as unknown as Context, said: () => said };
}

describe('a deletion without --confirm', () => {
  it('asks for the slug on a terminal, and says what would be removed', async () => {
    const { context, said } = terminal('acme\n');
    expect(await confirmedSlug(context, 'id', {})).toBe('acme');
    expect(said()).toContain('mate/acme (Acme, active, https://acme.example)');
  });

  it('says what is kept of the data, and that nothing is known to be kept where the API does not tell', async () => {
    const kept = terminal('acme\n', true, {}, { finalDump: { detail: 'a final dump is kept for 30 days' } });
    await confirmedSlug(kept.context, 'id', {});
    expect(kept.said()).toContain('\nA final dump is kept for 30 days.\n');
    const older = terminal('acme\n');
    await confirmedSlug(older.context, 'id', {});
    expect(older.said()).toContain('No final dump is known of: the data is gone for good.');
    const silent = terminal('acme\n', true, {}, null);
    expect(await confirmedSlug(silent.context, 'id', {})).toBe('acme');
  });

  it.each([
    [
      undefined,
      172_800,
      'It begins in 2 days; until then the tenant stays as it is, and `tenantry tenants cancel` keeps it.',
    ],
    [undefined, 0, 'It begins at once, and cannot be taken back.'],
    ['12h', 43_200, 'It begins in 12 hours; until then'],
    ['0', 0, 'It begins at once, and cannot be taken back.'],
    // Of a tenant that a stuck operation left broken nothing waits, whatever was asked for.
    ['12h', 0, 'It begins at once, and cannot be taken back.'],
    ['90m', undefined, 'It begins in 90 minutes; until then'],
    [undefined, undefined, 'It begins when its grace period is over, which the API does not tell here; until then'],
  ])('with --grace %s, and %s s by the API, says when it begins', async (grace, graceSeconds, begins) => {
    const { context, said } = terminal('acme\n', true, {}, { graceSeconds });
    await confirmedSlug(context, 'id', grace === undefined ? {} : { grace });
    expect(said()).toContain(begins);
  });

  it('says that the slug stays reserved after a tenant that was ever active, and is free after any other', async () => {
    const active = terminal('acme\n');
    await confirmedSlug(active.context, 'id', {});
    expect(active.said()).toContain('Its slug acme stays reserved for 30 days: until then no tenant');
    const failed = terminal('acme\n', true, { status: 'failed', activatedAt: null });
    await confirmedSlug(failed.context, 'id', {});
    expect(failed.said()).toContain('Its slug acme is free again afterwards.');
    expect(failed.said()).toContain('mate/acme (Acme, failed) ');
  });

  it.each([
    ['another slug', 'acne\n'],
    ['an empty line', '\n'],
    ['the end of the input', ''],
  ])('is not done after %s', async (_what, typed) => {
    await expect(confirmedSlug(terminal(typed).context, 'id', {})).rejects.toThrow('nothing was changed');
  });

  it('is interrupted by Ctrl-C at the question: exit code 130, nothing changed', async () => {
    const error: unknown = await confirmedSlug(terminal('\x03').context, 'id', {}).catch((thrown: unknown) => thrown);
    expect(reportOf(error)).toMatchObject({ exitCode: 130, code: 'INTERRUPTED' });
    expect(reportOf(error).message).toContain('nothing was changed');
  });

  it('asks nobody where nobody can answer: the API refuses', async () => {
    expect(await confirmedSlug(terminal(undefined, false).context, 'id', {})).toBeUndefined();
    expect(await confirmedSlug(terminal(undefined).context, 'id', { json: true })).toBeUndefined();
  });
});

describe('a deletion of an account without --confirm', () => {
  const id = '3f0e7f0a-5f0a-4f0e-8f0a-5f0a4f0e8f0a';
  const account = {
    id,
    name: 'ACME',
    cloudType: 'private',
    provisioningStatus: 'active',
    tableName: `t-${id}`,
  } as Account;
  const asked = (typed: string, isTTY = true, graceSeconds = 0) => {
    const { context, said } = terminal(
      typed,
      isTTY,
      {},
      { finalDump: { detail: 'a final dump is kept' }, graceSeconds },
    );
    const { api, terminal: on } = context;
    const accounts = api as unknown as AccountsClient;
    return {
      said,
      answer: accountConfirmed({ accounts, subject: accountSubject(accounts), terminal: on }, account, {}),
    };
  };

  it('asks for its id, not for its name, and says what would be removed', async () => {
    const { said, answer } = asked(`${id}\n`);
    expect(await answer).toBe(id);
    expect(said()).toContain(`This removes account ${id} (ACME, private, active, t-${id}) with all its rows.`);
    expect(said()).toContain('It begins at once, and cannot be taken back.\nA final dump is kept.\n');
    await expect(asked('ACME\n').answer).rejects.toThrow('nothing was changed');
    expect(await asked('', false).answer).toBeUndefined();
    const waits = asked(`${id}\n`, true, 604_800);
    await waits.answer;
    expect(waits.said()).toContain(
      'in 7 days; until then the account stays as it is, and `tenantry accounts cancel` keeps it',
    );
  });
});
