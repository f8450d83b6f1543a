import { createInterface } from 'node:readline/promises';
import { QUARANTINE_DAYS } from '../contracts/slug-quarantine.ts';
import { graceMsOf } from '../contracts/grace.ts';
import { addressText } from './addresses.ts';
import type { Account, AccountsClient } from './accounts-client.ts';
import type { Preview, Tenant } from './api-client.ts';
import type { Terminal } from './output.ts';
import { oneLine } from './text.ts';
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
  { api, terminal }: Context,
  tenantId: string,
  options: Common & { readonly grace?: string },
): Promise<string | undefined> {
  if (!isAskable(terminal, options)) return undefined;
  const tenant = await api.get(tenantId);
  const { slug, product, displayName, status } = tenant;
  const known = [oneLine(displayName), status, addressText(tenant)].filter((part) => part !== undefined);
  const kept = await keptOf(api.previewDeletion(tenantId));
  terminal.err.write(
    `This removes ${product}/${slug} (${known.join(', ')}) with all its resources and data.\n${beginning(options.grace)}\n${kept}.\n${slugNotice(tenant)}\n`,
  );
  return typed(terminal, slug, 'Type its slug to confirm: ');
}

/**
 * Asks for the id of an account on a terminal; as {@link confirmedSlug}.
 * @throws NotConfirmedError, InterruptedError
 */
export async function accountConfirmed(
  { accounts, terminal }: Pick<Context, 'terminal'> & { readonly accounts: Pick<AccountsClient, 'previewDeletion'> },
  { id, name, cloudType, provisioningStatus, tableName }: Account,
  options: Common & { readonly grace?: string },
): Promise<string | undefined> {
  if (!isAskable(terminal, options)) return undefined;
  const known = [oneLine(name), cloudType, provisioningStatus, tableName].filter((part) => part !== null);
  const kept = await keptOf(accounts.previewDeletion(id));
  terminal.err.write(
    `This removes account ${id} (${known.join(', ')}) with all its rows.\n${beginning(options.grace)}\n${kept}.\n`,
  );
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

/** An API of an earlier release keeps nothing, and does not say so. */
async function keptOf(preview: Promise<Preview>): Promise<string> {
  const kept = await preview.then(
    ({ finalDump }) => finalDump?.detail ?? 'no final dump is known of: the data is gone for good',
    () => 'what is kept of its data could not be asked',
  );
  return capitalized(kept);
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** When it begins, and whether it can be taken back. */
function beginning(grace: string | undefined): string {
  if (grace !== undefined && graceMsOf(grace) === 0) return 'It begins at once, and cannot be taken back.';
  const period = grace === undefined ? "after the installation's grace period (7 days by default)" : `in ${grace}`;
  return `It begins ${period}; until then the tenant stays as it is, and \`tenantry tenants cancel\` keeps it.`;
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
