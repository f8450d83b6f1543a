import { requestOf, type AccountOptions } from './account-options.ts';
import { afterRequest, inAccounts, type AccountsContext } from './account-following.ts';
import type { AcceptedAccount, ChangedAccount } from './accounts-client.ts';
import type { Waiting } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { lastEventId } from './following.ts';
import { changeSigns } from './late-outcome.ts';
import { printJson } from './output.ts';
import { showPreview } from './preview-output.ts';
import { requested } from './requested.ts';

export type UpdateOptions = Omit<AccountOptions, 'cloudType'> & { readonly dryRun?: boolean };

/** Changes what an account says of itself, and follows that. @throws as the commands on tenants do */
export async function update(
  context: AccountsContext,
  id: string,
  options: Waiting & UpdateOptions,
): Promise<ExitCode> {
  const { accounts } = context;
  const patch = requestOf(options);
  if (options.dryRun === true) return showPreview(context, options, await accounts.previewChange(id, patch));
  return changed(context, id, options, (accountId) => accounts.change(accountId, patch));
}

export interface MoveOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
}

/** Moves an account to a table of its own, and follows that. */
export async function move(context: AccountsContext, id: string, options: Waiting & MoveOptions): Promise<ExitCode> {
  const { accounts } = context;
  const { reason } = options;
  if (options.dryRun === true) return showPreview(context, options, await accounts.previewMove(id, { reason }));
  return changed(context, id, options, (accountId) => accounts.move(accountId, { reason }));
}

async function changed(
  context: AccountsContext,
  id: string,
  options: Waiting,
  send: (id: string) => Promise<AcceptedAccount | ChangedAccount>,
): Promise<ExitCode> {
  const { accounts, api, terminal } = context;
  const account = await accounts.get(id);
  const after = options.wait ? await lastEventId(api, account.id) : 0;
  const look = `tenantry accounts show ${account.id}`;
  const signs = inAccounts(context, changeSigns(api));
  const answer = await requested(context, options, look, () => send(account.id), signs);
  if ('operationId' in answer) return afterRequest(context, answer, after, options, true);
  if (options.json) printJson(terminal, answer);
  else terminal.out.write(`${changesText(answer.changed)}; the account is ${answer.provisioningStatus}\n`);
  return exitCodes.done;
}

function changesText(changed: readonly string[] = []): string {
  return changed.length === 0 ? 'nothing had to be changed' : `changed at once: ${changed.join(', ')}`;
}
