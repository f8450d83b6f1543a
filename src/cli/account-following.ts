import { acceptanceOf } from './account-subject.ts';
import type { AcceptedAccount, AccountsClient, ChangedAccount } from './accounts-client.ts';
import type { Accepted, Tenant } from './api-client.ts';
import type { Context, Waiting } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { mapped, type Signs } from './late-outcome.ts';
import { afterAcceptance } from './outcome.ts';

/** An account is a tenant: what follows operations works with both. */
export interface AccountsContext extends Context {
  readonly accounts: AccountsClient;
}

/** Follows what a request for an account began. @param after id of the last event before it */
export function afterRequest(
  context: AccountsContext,
  account: AcceptedAccount,
  after: number,
  options: Waiting,
  isCancellable: boolean,
): Promise<ExitCode> {
  const expected = { name: account.id, good: ['succeeded'], isCancellable } as const;
  return afterAcceptance(context, acceptanceOf(account), after, options, expected);
}

/** What shows that a request was carried out, told of the account. */
export function inAccounts(
  context: AccountsContext,
  signs: Signs<Accepted | Tenant>,
): Signs<AcceptedAccount | ChangedAccount> {
  return mapped(signs, (found) =>
    'operationId' in found ? accountOf(context, found) : context.accounts.get(found.tenantId),
  );
}

/** As {@link AcceptedAccount}, of a request whose answer was lost. */
export async function accountOf(
  { accounts }: AccountsContext,
  { tenantId, operationId }: Pick<Accepted, 'tenantId' | 'operationId'>,
): Promise<AcceptedAccount> {
  return { ...(await accounts.get(tenantId)), operationId, statusUrl: `/accounts/${tenantId}/status` };
}
