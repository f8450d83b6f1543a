import { randomUUID } from 'node:crypto';
import { accountConfirmed } from './confirmation.ts';
import { requestOf, type AccountOptions } from './account-options.ts';
import { printAccount, printAccounts, printStatus } from './account-output.ts';
import { accountOf, afterRequest, inAccounts, type AccountsContext } from './account-following.ts';
import type { AccountListRequest } from './accounts-client.ts';
import type { Common, Waiting } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { lastEventId } from './following.ts';
import { creationSigns, deletionSigns, mapped } from './late-outcome.ts';
import { printJson } from './output.ts';
import { showPreview } from './preview-output.ts';
import { requested } from './requested.ts';
import type { RemoveOptions } from './tenant-actions.ts';

export type CreateOptions = AccountOptions & { readonly dryRun?: boolean; readonly idempotencyKey?: string };

/** Makes an account and follows that. @throws as the commands on tenants do */
export async function create(context: AccountsContext, options: Waiting & CreateOptions): Promise<ExitCode> {
  const { accounts, api } = context;
  const body = requestOf(options);
  if (options.dryRun === true) return showPreview(context, options, await accounts.previewCreation(body));
  const look = 'tenantry accounts list';
  // Nothing else tells one account from another of the same name: who got no answer sends it again under the same key.
  const key = options.idempotencyKey ?? randomUUID();
  const signs = mapped(creationSigns(api), (found) => accountOf(context, found));
  const account = await requested(context, options, look, () => accounts.create(body, key), signs, key);
  return afterRequest(context, account, 0, options, true);
}

export interface ListOptions {
  readonly cloudType?: string;
  readonly status?: string;
  readonly all?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
}

/** Prints a page of accounts. */
export async function list(context: AccountsContext, options: Common & ListOptions): Promise<ExitCode> {
  const { accounts, terminal } = context;
  const { cloudType, status: provisioningStatus, limit, cursor } = options;
  const includeGone = options.all === true ? 'true' : undefined;
  const asked: AccountListRequest = { cloudType, provisioningStatus, includeGone, limit: limit?.toString(), cursor };
  const page = await accounts.list(asked);
  if (options.json) printJson(terminal, page);
  else printAccounts(terminal, page.accounts);
  if (!options.json && page.nextCursor !== null) terminal.err.write(`more: --cursor ${page.nextCursor}\n`);
  return exitCodes.done;
}

/** Prints an account, with what is done to it. */
export async function show({ accounts, terminal }: AccountsContext, id: string, options: Common): Promise<ExitCode> {
  const account = await accounts.get(id);
  if (options.json) printJson(terminal, account);
  // The account is what was asked for: that the rest cannot be read now is no failure of it.
  else printAccount(terminal, account, await accounts.status(account.id).catch(() => undefined));
  return exitCodes.done;
}

/** Prints how far an account is. */
export async function status({ accounts, terminal }: AccountsContext, id: string, options: Common): Promise<ExitCode> {
  const seen = await accounts.status(id);
  if (options.json) printJson(terminal, seen);
  else printStatus(terminal, seen);
  return exitCodes.done;
}

/** Removes an account and follows that; one that waits for the end of its grace period is not followed. */
export async function remove(
  context: AccountsContext,
  id: string,
  options: Waiting & RemoveOptions,
): Promise<ExitCode> {
  const { accounts, api, subject, terminal } = context;
  const { grace } = options;
  const exported = options.export === true ? ({ export: 'true' } as const) : {};
  if (options.dryRun === true)
    return showPreview(context, options, await accounts.previewDeletion(id, { grace, ...exported }));
  const account = await accounts.get(id);
  const after = options.wait ? await lastEventId(api, account.id) : 0;
  const confirm = options.confirm ?? (await accountConfirmed(context, account, options));
  const send = () => accounts.delete(account.id, confirm, { grace, ...exported });
  const look = `tenantry accounts show ${account.id}`;
  const answer = await requested(context, options, look, send, inAccounts(context, deletionSigns(api)));
  if ('operationId' in answer) {
    const wait = options.wait && answer.deletesAt === null;
    if (answer.finalDump && options.json !== true) terminal.err.write(`${subject.words(answer.finalDump.detail)}\n`);
    return afterRequest(context, answer, after, { ...options, wait }, false);
  }
  if (options.json) printJson(terminal, answer);
  else terminal.out.write(`${answer.id}: nothing was left of it, ${answer.provisioningStatus}\n`);
  return exitCodes.done;
}
