import type { FastifyBaseLogger } from 'fastify';
import { RequestError } from '../../client/request-error.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { AcceptedView, PreviewView, StatusView, TenantWithOutcomeView, WorkersView } from '../../client/views.ts';
import type { Caller } from '../../contracts/caller.ts';
import { accountOf, provisioningOf, type Account } from '../../products/accounts/account.ts';
import { provisioningStatusOf } from '../../products/accounts/provisioning-status.ts';
import { awaitTenant, type SeenTenant } from '../awaited-tenant.ts';
import {
  deletionOf,
  inputOf,
  moveOf,
  pageOf,
  PRODUCT,
  type CreateBody,
  type DeleteQuery,
  type ListQuery,
  type MoveBody,
} from './requests.ts';

/** Who waits for an answer, and until when. */
export interface Waiting {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly log: FastifyBaseLogger;
}

/** An account with the operation that carries a request out. */
export interface AcceptedAccount extends Account, Pick<AcceptedView, 'operationId' | 'finalDump'> {
  /** Of a deletion that nobody has begun: what was accepted, a sentence for people. */
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
  const tenant = await afterCreation(client, waiting, { tenant: accepted.tenant, body, wait });
  return { ...accountIn(client, waiting.caller, tenant), ...carriedOut(client, accepted) };
}

async function afterCreation(
  client: TenantryClient,
  { caller, ...waiting }: Waiting,
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
  return body.cloudType === 'public' ? until(limitsMs.public, isSettled) : until(limitsMs.begun, isBegun);
}

function isBegun({ status }: SeenTenant): boolean {
  return provisioningStatusOf(status) !== 'pending';
}

function isSettled({ status }: SeenTenant): boolean {
  return !['pending', 'creating'].includes(provisioningStatusOf(status));
}

/** Removes an account. Answers it with the operation that does, or alone where nothing was left of it. */
export async function deleteAccount(
  client: TenantryClient,
  { caller, ...waiting }: Waiting,
  id: string,
  query: DeleteQuery,
): Promise<AcceptedAccount | Account> {
  const before = await accountTenant(client, caller, id);
  const outcome = await client.deleteTenant(caller, id, deletionOf(before, query));
  if (outcome.done) return accountIn(client, caller, outcome.tenant);
  const accepted = { ...before, error: undefined, deletesAt: outcome.accepted.deletesAt ?? null };
  const isOver = ({ status }: SeenTenant) => status !== before.status;
  const tenant = await awaitTenant(client, caller, accepted, { ...waiting, limitMs: limitsMs.begun, isOver });
  const { finalDump, message } = outcome.accepted;
  // It says that nobody has begun it.
  const waits = tenant.status === before.status ? { message } : {};
  return { ...accountIn(client, caller, tenant), ...carriedOut(client, outcome.accepted), ...waits, finalDump };
}

/** Moves a public account to a table of its own. */
export async function moveAccount(
  client: TenantryClient,
  caller: Caller,
  id: string,
  body: MoveBody,
): Promise<AcceptedAccount | Account> {
  await accountTenant(client, caller, id);
  const outcome = await client.migrateTenant(caller, id, moveOf(body));
  const account = await readAccount(client, caller, id);
  return outcome.done ? account : { ...account, ...carriedOut(client, outcome.accepted) };
}

/** What {@link moveAccount} would do. */
export async function previewMove(
  client: TenantryClient,
  caller: Caller,
  id: string,
  body: MoveBody,
): Promise<PreviewView> {
  await accountTenant(client, caller, id);
  return client.previewMigration(caller, id, moveOf(body));
}

/** What {@link deleteAccount} would do. */
export async function previewDeletion(
  client: TenantryClient,
  caller: Caller,
  id: string,
  { export: exports, grace: graceMs }: Pick<DeleteQuery, 'export' | 'grace'>,
): Promise<PreviewView> {
  await accountTenant(client, caller, id);
  return client.previewDeletion(caller, id, { exports, graceMs });
}

export async function readAccount(client: TenantryClient, caller: Caller, id: string): Promise<Account> {
  return accountIn(client, caller, await accountTenant(client, caller, id));
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
  return { id, ...provisioningOf({ status, error: rest.error }), ...rest, ...workers };
}

/** @throws RequestError TENANT_NOT_FOUND, of another product's tenant as of an id that nobody has */
async function accountTenant(client: TenantryClient, caller: Caller, id: string): Promise<TenantWithOutcomeView> {
  const noAccount = (cause?: unknown) =>
    new RequestError('TENANT_NOT_FOUND', `there is no account ${id}`, { details: { accountId: id }, cause });
  const tenant = await client.get(caller, id).catch((error: unknown) => {
    throw error instanceof RequestError && error.code === 'TENANT_NOT_FOUND' ? noAccount(error) : error;
  });
  if (tenant.product !== PRODUCT) throw noAccount();
  return tenant;
}

function accountIn(client: TenantryClient, caller: Caller, tenant: SeenTenant): Account {
  return accountOf(tenant, client.cell(caller, tenant.cell));
}

function carriedOut(
  client: TenantryClient,
  { operationId, tenantId }: AcceptedView,
): Pick<AcceptedAccount, 'operationId' | 'statusUrl' | 'workers'> {
  return { operationId, statusUrl: `/accounts/${tenantId}/status`, workers: client.workers() };
}
