import { createInterface } from 'node:readline/promises';
import { QUARANTINE_DAYS } from '../contracts/slug-quarantine.ts';
import { graceMsOf } from '../contracts/grace.ts';
import { addressText } from './addresses.ts';
import type { Account, AccountsClient } from './accounts-client.ts';
import type { Preview, Tenant } from './api-client.ts';
import type { Terminal } from './output.ts';
import type { Subject } from './subject.ts';
import { durationText, oneLine } from './text.ts';
import type { Common, Context } from './context.ts';

/** The caller did not confirm: nothing was asked of the API. */
export class NotConfirmedError extends Error {
  override readonly name = 'NotConfirmedError';
}

/** Ctrl-C at the question: nothing was asked of the API. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/**
 * Asks for the slug of a tenant on a terminal. Where nobody can answer it is undefined, and the API refuses.
 * @throws NotConfirmedError when something else is typed
 * @throws InterruptedError at Ctrl-C
 */
export async function confirmedSlug(
  { api, subject, terminal }: Context,
  tenantId: string,
  options: Common & { readonly grace?: string },
): Promise<string | undefined> {
  if (!isAskable(terminal, options)) return undefined;
  const tenant = await api.get(tenantId);
  const { slug, product, displayName, status } = tenant;
  const known = [oneLine(displayName), status, addressText(tenant)].filter((part) => part !== undefined);
  const { begins, kept } = await expected(subject, options, api.previewDeletion(tenantId, { grace: options.grace }));
  terminal.err.write(
    `This removes ${product}/${slug} (${known.join(', ')}) with all its resources and data.\n${begins}\n${kept}.\n${slugNotice(tenant)}\n`,
  );
  return typed(terminal, slug, 'Type its slug to confirm: ');
}

/**
 * Asks for the id of an account on a terminal; as {@link confirmedSlug}.
 * @throws NotConfirmedError, InterruptedError
 */
export async function accountConfirmed(
  {
    accounts,
    subject,
    terminal,
  }: Pick<Context, 'subject' | 'terminal'> & { readonly accounts: Pick<AccountsClient, 'previewDeletion'> },
  { id, name, cloudType, provisioningStatus, tableName }: Account,
  options: Common & { readonly grace?: string },
): Promise<string | undefined> {
  if (!isAskable(terminal, options)) return undefined;
  const known = [oneLine(name), cloudType, provisioningStatus, tableName].filter((part) => part !== null);
  const { begins, kept } = await expected(subject, options, accounts.previewDeletion(id, { grace: options.grace }));
  terminal.err.write(`This removes account ${id} (${known.join(', ')}) with all its rows.\n${begins}\n${kept}.\n`);
  return typed(terminal, id, 'Type its id to confirm: ');
}

type Askable = Terminal & { readonly input: NodeJS.ReadStream };

function isAskable(terminal: Terminal, { json }: Common): terminal is Askable {
  return json !== true && terminal.input?.isTTY === true && terminal.err.isTTY;
}

async function typed({ input, err }: Askable, word: string, question: string): Promise<string> {
  const answer = await ask(input, err, question);
  if (answer?.trim() !== word) throw new NotConfirmedError('not confirmed: nothing was changed');
  return word;
}

/** When it begins, and what is kept of the data, in sentences. An API of an earlier release keeps nothing, and tells neither. */
async function expected(
  subject: Subject,
  { grace }: { readonly grace?: string },
  preview: Promise<Preview>,
): Promise<{ readonly begins: string; readonly kept: string }> {
  const seen = await preview.catch(() => undefined);
  const kept = seen
    ? (seen.finalDump?.detail ?? 'no final dump is known of: the data is gone for good')
    : 'what is kept of its data could not be asked';
  return { begins: beginning(subject, grace, seen?.graceSeconds), kept: capitalized(subject.words(kept)) };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * When it begins, and whether it can be taken back.
 * @param seconds as the API counts them for this deletion; undefined: it does not say
 */
function beginning({ group, noun }: Subject, grace: string | undefined, seconds: number | null | undefined): string {
  const counted = typeof seconds === 'number' ? seconds : grace === undefined ? undefined : graceSecondsOf(grace);
  const stays = `until then the ${noun} stays as it is, and \`tenantry ${group} cancel\` keeps it.`;
  if (counted === undefined)
    return `It begins when its grace period is over, which the API does not tell here; ${stays}`;
  if (counted === 0) return 'It begins at once, and cannot be taken back.';
  return `It begins in ${durationText(counted)}; ${stays}`;
}

function graceSecondsOf(grace: string): number | undefined {
  const ms = graceMsOf(grace);
  return ms === undefined ? undefined : ms / 1_000;
}

/** What becomes of the slug: somebody may still hold links to a tenant that was ever active. */
function slugNotice({ slug, activatedAt }: Tenant): string {
  return activatedAt === null
    ? `Its slug ${slug} is free again afterwards.`
    : `Its slug ${slug} stays reserved for ${QUARANTINE_DAYS} days: until then no tenant can be created with it.`;
}

/** Undefined when the input ends. @throws InterruptedError at Ctrl-C */
async function ask(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  question: string,
): Promise<string | undefined> {
  const lines = createInterface({ input, output });
  const given = new AbortController();
  lines.on('SIGINT', () => given.abort(new InterruptedError('interrupted: nothing was changed')));
  lines.on('close', () => given.abort());
  try {
    return await lines.question(question, { signal: given.signal });
  } catch {
    output.write('\n');
    if (given.signal.reason instanceof InterruptedError) throw given.signal.reason;
    return undefined;
  } finally {
    lines.close();
  }
}
