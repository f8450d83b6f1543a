import type { Conditional } from '../../client/precondition.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { AcceptedView, ChangeOutcome, PreviewView } from '../../client/views.ts';
import type { Caller } from '../../contracts/caller.ts';
import type { Account } from '../../products/accounts/account.ts';
import { mergePatch } from '../../products/settings.ts';
import type { SeenTenant } from '../awaited-tenant.ts';
import { accountIn, accountTenant, carriedOut, type AcceptedAccount } from './accounts.ts';
import {
  changedOf,
  changeOf,
  deletionOf,
  moveOf,
  type ChangeBody,
  type DeleteQuery,
  type MoveBody,
} from './requests.ts';
import { previewInTerms } from './terms.ts';

/** An account that no operation has to change. */
export interface ChangedAccount extends Account {
  /** Fields of it that were changed at once. Empty: it was so already. */
  readonly changed: readonly string[];
}

type Outcome = AcceptedAccount | ChangedAccount;

/** Removes an account. */
export async function deleteAccount(
  client: TenantryClient,
  caller: Caller,
  id: string,
  query: DeleteQuery & Conditional,
): Promise<Outcome> {
  const before = await accountTenant(client, caller, id);
  const outcome = await client.deleteTenant(caller, id, deletionOf(query));
  // Why it failed before is no reason for what it is at now.
  return answerOf(client, caller, { ...before, error: undefined }, outcome);
}

/** Moves a public account to a table of its own. */
export async function moveAccount(
  client: TenantryClient,
  caller: Caller,
  id: string,
  body: MoveBody,
  condition: Conditional,
): Promise<Outcome> {
  const before = await accountTenant(client, caller, id);
  return answerOf(client, caller, before, await client.migrateTenant(caller, id, { ...moveOf(body), ...condition }));
}

/** Changes what an account says of itself, by a merge patch (RFC 7396). */
export async function changeAccount(
  client: TenantryClient,
  caller: Caller,
  id: string,
  patch: ChangeBody,
  condition: Conditional,
): Promise<Outcome> {
  const before = await accountTenant(client, caller, id);
  const outcome = await client.changeTenant(caller, id, { ...changeOf(patch), ...condition });
  return answerOf(client, caller, { ...before, settings: mergePatch(before.settings, patch) }, outcome);
}

/** Cancels the open operation of an account, or tries it again. */
export async function controlAccount(
  client: TenantryClient,
  caller: Caller,
  id: string,
  verb: 'cancel' | 'retry',
): Promise<AcceptedAccount> {
  const before = await accountTenant(client, caller, id);
  const accepted = await client[verb](caller, id);
  // What the request itself has closed is over; what its run makes of it is a matter of time.
  const tenant = accepted.openOperation === null ? await accountTenant(client, caller, id) : before;
  return acceptedAccount(client, caller, { ...tenant, openOperation: accepted.openOperation }, accepted);
}

/** What a request for an account would do. */
export async function previewed(
  client: TenantryClient,
  caller: Caller,
  id: string,
  preview: () => Promise<PreviewView>,
): Promise<PreviewView> {
  await accountTenant(client, caller, id);
  return previewInTerms(await preview());
}

/** @param tenant as it was before the request, with what the request makes of its settings: what a run has done since is a matter of time */
function answerOf(client: TenantryClient, caller: Caller, tenant: SeenTenant, outcome: ChangeOutcome): Outcome {
  if (outcome.done) return { ...accountIn(client, caller, outcome.tenant), changed: changedOf(outcome.changed) };
  const { openOperation, deletesAt = null } = outcome.accepted;
  return acceptedAccount(client, caller, { ...tenant, openOperation, deletesAt }, outcome.accepted);
}

function acceptedAccount(
  client: TenantryClient,
  caller: Caller,
  tenant: SeenTenant,
  accepted: AcceptedView,
): AcceptedAccount {
  const { finalDump, message, status } = accepted;
  return {
    ...accountIn(client, caller, { ...tenant, status }),
    ...carriedOut(client, accepted),
    message,
    ...(finalDump && { finalDump }),
  };
}
