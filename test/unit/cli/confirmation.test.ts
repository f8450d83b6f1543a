import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/cli/accounts-client.ts';
import type { ApiClient } from '../../../src/cli/api-client.ts';
import { accountConfirmed, confirmedSlug } from '../../../src/cli/confirmation.ts';
import type { Context } from '../../../src/cli/context.ts';
import { reportOf } from '../../../src/cli/error-report.ts';

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
  return { context: { api, terminal: { out: err, err, input } } as unknown as Context, said: () => said };
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
    [undefined, "after the installation's grace period (7 days by default); until then the tenant stays as it is"],
    ['12h', 'It begins in 12h; until then'],
    ['0', 'It begins at once, and cannot be taken back.'],
  ])('with --grace %s says when it begins', async (grace, begins) => {
    const { context, said } = terminal('acme\n');
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
  const asked = (typed: string, isTTY = true) => {
    const { context, said } = terminal(typed, isTTY, {}, { finalDump: { detail: 'a final dump is kept' } });
    return { said, answer: accountConfirmed({ ...context, accounts: context.api }, account, { grace: '0' }) };
  };

  it('asks for its id, not for its name, and says what would be removed', async () => {
    const { said, answer } = asked(`${id}\n`);
    expect(await answer).toBe(id);
    expect(said()).toContain(`This removes account ${id} (ACME, private, active, t-${id}) with all its rows.`);
    expect(said()).toContain('It begins at once, and cannot be taken back.\nA final dump is kept.\n');
    await expect(asked('ACME\n').answer).rejects.toThrow('nothing was changed');
    expect(await asked('', false).answer).toBeUndefined();
  });
});
