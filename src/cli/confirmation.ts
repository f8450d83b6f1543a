import { createInterface } from 'node:readline/promises';
import { QUARANTINE_DAYS } from '../contracts/slug-quarantine.ts';
import { graceMsOf } from '../contracts/grace.ts';
import { addressText } from './addresses.ts';
import type { Tenant } from './api-client.ts';
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
  if (options.json === true || !terminal.input?.isTTY || !terminal.err.isTTY) return undefined;
  const tenant = await api.get(tenantId);
  const { slug, product, displayName, status } = tenant;
  const known = [oneLine(displayName), status, addressText(tenant)].filter((part) => part !== undefined);
  // An API of an earlier release keeps nothing, and does not say so.
  const kept = await api.previewDeletion(tenantId).then(
    ({ finalDump }) => finalDump?.detail ?? 'no final dump is known of: the data is gone for good',
    () => 'what is kept of its data could not be asked',
  );
  terminal.err.write(
    `This removes ${product}/${slug} (${known.join(', ')}) with all its resources and data.\n${beginning(options.grace)}\n${capitalized(kept)}.\n${slugNotice(tenant)}\n`,
  );
  const typed = await ask(terminal.input, terminal.err, 'Type its slug to confirm: ');
  if (typed?.trim() !== slug) throw new NotConfirmedError('not confirmed: nothing was changed');
  return slug;
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
