import type { FastifyBaseLogger } from 'fastify';
import { tenantTag } from '../../client/precondition.ts';
import { RequestError } from '../../client/request-error.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { KeyedCaller } from '../../client/request-key.ts';
import type { AcceptedView, StatusView, TenantWithOutcomeView, WorkersView } from '../../client/views.ts';
import type { Caller } from '../../contracts/caller.ts';
import { accountOf, provisioningOf, type Account } from '../../products/accounts/account.ts';
import { provisioningStatusOf } from '../../products/accounts/provisioning-status.ts';
import { awaitTenant, type SeenTenant } from '../awaited-tenant.ts';
import { attentionInTerms, outcomeInTerms } from './terms.ts';
import { inputOf, pageOf, PRODUCT, type CreateBody, type ListQuery } from './requests.ts';

/** Who waits for an answer, and until when. */
export interface Waiting {
  readonly caller: KeyedCaller;
  /** In ms, as the caller prefers; undefined: as `wait` or the cloud type has it. */
  readonly waitMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly log: FastifyBaseLogger;
}

/** An account with the operation that carries a request out. */
export interface AcceptedAccount extends Account, Pick<AcceptedView, 'operationId' | 'finalDump'> {
  /** What was accepted, a sentence for people; not of a creation. */
  readonly message?: string;
  readonly statusUrl: string;
  readonly workers: WorkersView;
}

/** In ms: what a caller asked for, what a public account usually takes, and what a worker takes to begin. */
const limitsMs = { asked: 25_000, public: 10_000, begun: 2_000 } as const;

/** Makes an account, and waits for it: as long as the caller says, or its cloud type. Answers it as it was seen last. */
export async function createAccount(
  client: TenantryClient,
  waiting: Waiting,
  body: CreateBody,
  wait: boolean | undefined,
): Promise<AcceptedAccount> {
  const accepted = await client.createTenant(waiting.caller, inputOf(body));
  const { openOperation } = accepted;
  const tenant = await afterCreation(client, waiting, { tenant: { ...accepted.tenant, openOperation }, body, wait });
  return { ...accountIn(client, waiting.caller, tenant), ...carriedOut(client, accepted) };
}

async function afterCreation(
  client: TenantryClient,
  { caller, waitMs, ...waiting }: Waiting,
  {
    tenant,
    body,
    wait,
  }: { readonly tenant: SeenTenant; readonly body: CreateBody; readonly wait: boolean | undefined },
): Promise<SeenTenant> {
  const until = (limitMs: number, isOver: (seen: SeenTenant) => boolean) =>
    awaitTenant(client, caller, tenant, { ...waiting, limitMs, isOver });
  if (wait === false) return tenant;
  if (wait === true) return until(limitsMs.asked, isSettled);
  if (waitMs !== undefined) return until(waitMs, isSettled);
  return body.cloudType === 'public' ? until(limitsMs.public, isSettled) : until(limitsMs.begun, isBegun);
}

function isBegun({ status }: SeenTenant): boolean {
  return provisioningStatusOf(status) !== 'pending';
}

function isSettled({ status }: SeenTenant): boolean {
  return !['pending', 'creating'].includes(provisioningStatusOf(status));
}

/** @returns also the tag of what is chosen for it, as {@link tenantTag} */
export async function readAccount(
  client: TenantryClient,
  caller: Caller,
  id: string,
): Promise<{ readonly account: Account; readonly tag: string }> {
  const tenant = await accountTenant(client, caller, id);
  return { account: accountIn(client, caller, tenant), tag: tenantTag(tenant) };
}

export async function listAccounts(
  client: TenantryClient,
  caller: Caller,
  query: ListQuery,
): Promise<{ accounts: Account[]; nextCursor: string | null }> {
  const { tenants, nextCursor } = await client.list(caller, pageOf(query));
  return { accounts: tenants.map((tenant) => accountIn(client, caller, tenant)), nextCursor };
}

type AccountStatus = Omit<StatusView, 'tenantId' | 'status'> &
  Pick<Account, 'id' | 'provisioningStatus' | 'provisioningError'> & { readonly workers?: WorkersView };

export async function readStatus(client: TenantryClient, caller: Caller, id: string): Promise<AccountStatus> {
  await accountTenant(client, caller, id);
  const { tenantId: _tenantId, status, ...rest } = await client.status(caller, id);
  const workers = rest.outcome === null ? { workers: client.workers() } : {};
  const told = {
    outcome: outcomeInTerms(rest.outcome),
    ...(rest.attention && { attention: attentionInTerms(rest.attention) }),
  };
  return { id, ...provisioningOf({ status, error: rest.error }), ...rest, ...told, ...workers };
}

/** @throws RequestError TENANT_NOT_FOUND, of another product's tenant as of an id that nobody has */
export async function accountTenant(
  client: TenantryClient,
  caller: Caller,
  id: string,
): Promise<TenantWithOutcomeView> {
  const noAccount = (cause?: unknown) =>
    new RequestError('TENANT_NOT_FOUND', `there is no account ${id}`, { details: { accountId: id }, cause });
  const tenant = await client.get(caller, id).catch((error: unknown) => {
    throw error instanceof RequestError && error.code === 'TENANT_NOT_FOUND' ? noAccount(error) : error;
  });
  if (tenant.product !== PRODUCT) throw noAccount();
  return tenant;
}

export function accountIn(client: TenantryClient, caller: Caller, tenant: SeenTenant): Account {
  return accountOf(tenant, client.cell(caller, tenant.cell));
}

export function carriedOut(
  client: TenantryClient,
  { operationId, tenantId }: AcceptedView,
): Pick<AcceptedAccount, 'operationId' | 'statusUrl' | 'workers'> {
  return { operationId, statusUrl: `/accounts/${tenantId}/status`, workers: client.workers() };
}
