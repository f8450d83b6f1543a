import { operationTypeAskedBy } from '../contracts/operation-table.ts';
import { tenantStatuses } from '../contracts/tenant-status.ts';
import { provisioningStatusOf } from '../products/accounts/provisioning-status.ts';
import { inAccountWords } from '../products/accounts/words.ts';
import type { AcceptedAccount, AccountsClient } from './accounts-client.ts';
import type { Status, TenantEvent } from './api-client.ts';
import { isOneOf } from './one-of.ts';
import type { Acceptance } from './outcome.ts';
import { statusText } from './output.ts';
import type { Subject } from './subject.ts';

/** Accounts, by their ids. */
export function accountSubject(accounts: AccountsClient): Subject {
  const withOperation = async (id: string, operationId: string, more: object = {}) => ({
    ...(await accounts.get(id)),
    operationId,
    statusUrl: `/accounts/${id}/status`,
    ...more,
  });
  return {
    noun: 'account',
    group: 'accounts',
    words: inAccountWords,
    statusText: (status, outcome) => statusText(wordOf(status), outcome),
    event: eventOfAccount,
    operationText,
    idOf: async (_context, id) => (await accounts.get(id)).id,
    control: async (_context, id, verb) => acceptanceOf(await accounts.control(id, verb)),
    previewControl: (_context, id, verb) => accounts.previewControl(id, verb),
    certificate: (_context, id) => accounts.certificate(id),
    // It is accepted: that the account cannot be read now is no failure of it.
    accepted: (accepted) => withOperation(accepted.tenantId, accepted.operationId).catch(() => accepted),
    ended: (status) => withOperation(status.tenantId, status.operation.operationId, ofOperation(status)),
    unchanged: ({ tenantId }) => accounts.get(tenantId),
  };
}

function wordOf(status: string): string {
  return isOneOf(tenantStatuses, status) ? provisioningStatusOf(status) : status;
}

/** A tenant's status may change where the account's does not: it is `active` while it is moved. */
export function eventOfAccount(event: TenantEvent): TenantEvent | undefined {
  const { data, type } = event;
  if (type === 'tenant.details') return { ...event, data: renamed(data) };
  if (type !== 'tenant.status' || typeof data.to !== 'string') return event;
  const to = wordOf(data.to);
  if (typeof data.from !== 'string') return { ...event, data: { ...data, to } };
  const from = wordOf(data.from);
  return from === to ? undefined : { ...event, data: { ...data, from, to } };
}

const fieldOfDetail: Readonly<Record<string, string>> = {
  displayName: 'name',
  contactEmail: 'technicalUser.email',
};

function renamed(data: TenantEvent['data']): TenantEvent['data'] {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [fieldOfDetail[name] ?? name, value]));
}

/** The account's own word, where the API has the tenant's. */
export function operationText(type: string): string {
  return type === operationTypeAskedBy('migrate') ? 'move' : type;
}

/** What was accepted, as what follows operations takes it. */
export function acceptanceOf(account: AcceptedAccount): Acceptance {
  const { id: tenantId, operationId, provisioningStatus: status, deletesAt, workers } = account;
  return { tenantId, operationId, status, tenantUrl: null, deletesAt, workers, document: account };
}

/** How the operation went. */
function ofOperation({ attention, error, leftovers, operation, outcome }: Status) {
  return { operation, outcome, error, leftovers, attention };
}
