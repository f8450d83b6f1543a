import type { Caller } from '../contracts/caller.ts';
import { ISOLATION_STEP, isolationWorkflowId } from '../contracts/isolation.ts';
import { StepError } from '../contracts/step-error.ts';
import { findPlacement, takeRulePriorityIn } from '../db/allocations.ts';
import type { Queryable } from '../db/database.ts';
import { findIsolation, requestIsolation, requestLifting, type UnsettledIsolation } from '../db/isolations.ts';
import { findLastOperation, findOpenOperation, lockOperation } from '../db/operations.ts';
import { lockTenant, type TenantRow } from '../db/tenants.ts';
import { isolationView } from './isolation-view.ts';
import type { Kept, Once } from './once.ts';
import { orUnknown } from './outcome-unknown.ts';
import { inVain } from './preview.ts';
import { existingTenant } from './reading.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps, IsolateTenantInput } from './requests.ts';
import type { IsolatedView, IsolationPreviewView } from './views.ts';

/**
 * Accepts that a notice answers at a tenant's host from now on, whatever is being done to the tenant, and whatever is frozen. A tenant
 * for which that is wanted already stays as it is, and its notice is looked at again.
 * @throws RequestError TENANT_NOT_FOUND, TENANT_NOT_ISOLATABLE
 */
export async function isolate(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: IsolateTenantInput,
  once: Once<IsolatedView>,
): Promise<IsolatedView> {
  const write = (tx: Queryable) => writeWish(deps, tx, { caller, tenantId, ...input });
  const tenant = await accept(deps, tenantId, once, { write, answer: isolated, reason: input.reason });
  await startOrLeave(deps, tenant);
  return isolated(tenant);
}

function isolated(tenant: TenantRow): IsolatedView {
  return answer(tenant, tenant.isolation?.isSettled === true);
}

/** What {@link isolate} would make; nothing is changed. */
export async function previewIsolation(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: IsolateTenantInput,
): Promise<IsolationPreviewView> {
  await existingTenant(deps.database, tenantId);
  const { rule } = await inVain(deps.database, (tx) => writeWish(deps, tx, { caller, tenantId, ...input }));
  return { dryRun: true, tenantId, rule };
}

/** Accepts that the notice goes. @throws RequestError TENANT_NOT_FOUND */
export async function liftIsolation(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  once: Once<IsolatedView>,
): Promise<IsolatedView> {
  const write = (tx: Queryable) => writeLifting(tx, caller, tenantId);
  const tenant = await accept(deps, tenantId, once, { write, answer: notIsolated });
  if (tenant.isolation) await startOrLeave(deps, tenant);
  return notIsolated(tenant);
}

function notIsolated(tenant: TenantRow): IsolatedView {
  return answer(tenant, tenant.isolation === null);
}

/** What {@link liftIsolation} would remove; nothing is changed. */
export async function previewLifting(deps: ClientDeps, tenantId: string): Promise<IsolationPreviewView> {
  const tenant = await existingTenant(deps.database, tenantId);
  const isolation = await findIsolation(deps.database, tenantId);
  if (!tenant.isolation || !isolation) return { dryRun: true, tenantId, rule: null };
  const { loadBalancerArn, host, outputs } = isolation;
  return { dryRun: true, tenantId, rule: { loadBalancerArn, host, status: 503, priority: outputs?.priority ?? null } };
}

/** Starts the run of what is not as wanted, unless one is open. @throws OrchestratorUnreachableError */
export async function startIsolation(
  { orchestrator }: Pick<ClientDeps, 'orchestrator'>,
  run: UnsettledIsolation,
): Promise<'started' | 'already-open'> {
  const sight = await orchestrator.look({ workflowId: isolationWorkflowId(run), runId: null });
  if (sight.is === 'open') return 'already-open';
  await orchestrator.isolate(run);
  return 'started';
}

interface Wish extends IsolateTenantInput {
  readonly caller: Caller;
  readonly tenantId: string;
}

interface Written {
  readonly tenant: TenantRow;
  readonly rule: IsolationPreviewView['rule'];
  /** It was not wished for already. */
  readonly isChanged: boolean;
}

async function accept(
  { database }: ClientDeps,
  tenantId: string,
  once: Once<IsolatedView>,
  change: {
    readonly write: (tx: Queryable) => Promise<Written>;
    readonly answer: (tenant: TenantRow) => IsolatedView;
    readonly reason?: string;
  },
): Promise<TenantRow> {
  await existingTenant(database, tenantId);
  const keptOf = ({ tenant, isChanged }: Written): Kept<IsolatedView> => ({
    outcome: change.answer(tenant),
    audit: isChanged ? { tenantId, data: { reason: change.reason } } : 'unchanged',
  });
  const attempted = { what: `the isolation of tenant ${tenantId} was changed`, shownBy: 'status' } as const;
  const written = await orUnknown({ ...attempted, tenantId, operationId: tenantId }, () =>
    database.transaction((tx) => once.write(tx, () => change.write(tx), keptOf)),
  );
  return written.tenant;
}

/** The operation before the tenant, as everywhere: an end that says that all is gone is not passed by. */
async function lockAll(tx: Queryable, tenantId: string): Promise<TenantRow> {
  const open = await findOpenOperation(tx, tenantId);
  if (open) await lockOperation(tx, open.id);
  return lockTenant(tx, tenantId);
}

async function writeWish(deps: ClientDeps, tx: Queryable, { caller, tenantId, reason }: Wish): Promise<Written> {
  const tenant = await lockAll(tx, tenantId);
  if (tenant.status === 'deleted') throw notIsolatable(tenant, 'it is deleted');
  const { listenerArn, loadBalancerArn, host } = await placeOf(deps, tx, tenant);
  const priority = await priorityOf(tx, tenant, listenerArn);
  const rule = { loadBalancerArn, host, status: 503, priority } as const;
  if (tenant.isolation?.wanted) return { tenant, rule, isChanged: false };
  const operation = await findLastOperation(tx, tenantId);
  if (!operation) throw new Error(`tenant ${tenantId} has no operation`);
  const { cell } = tenant;
  await requestIsolation(tx, { tenantId, cell, operationId: operation.id, reason, caller, loadBalancerArn, host });
  return { tenant: await lockTenant(tx, tenantId), rule, isChanged: true };
}

async function writeLifting(tx: Queryable, caller: Caller, tenantId: string): Promise<Written> {
  await lockAll(tx, tenantId);
  const lifting = await requestLifting(tx, tenantId, caller);
  return { tenant: await lockTenant(tx, tenantId), rule: null, isChanged: lifting !== undefined };
}

async function placeOf({ platform }: ClientDeps, tx: Queryable, tenant: TenantRow) {
  const { cell, hostName: host, id } = tenant;
  if (host === null) throw notIsolatable(tenant, 'its product gives its tenants no host');
  const loadBalancerArn = await findPlacement(tx, id);
  if (loadBalancerArn === undefined) throw notIsolatable(tenant, 'it has no place on a load balancer');
  const loadBalancers = platform.cells.find((one) => one.id === cell)?.loadBalancers ?? [];
  const listenerArn = loadBalancers.find(({ arn }) => arn === loadBalancerArn)?.httpsListenerArn;
  if (listenerArn === undefined)
    throw notIsolatable(tenant, `the platform description does not list its load balancer ${loadBalancerArn}`);
  return { listenerArn, loadBalancerArn, host };
}

async function priorityOf(tx: Queryable, tenant: TenantRow, listenerArn: string): Promise<number> {
  const { cell, id: tenantId } = tenant;
  try {
    return await takeRulePriorityIn(tx, { cell, listenerArn, band: 'isolation', tenantId, stepId: ISOLATION_STEP });
  } catch (error) {
    throw error instanceof StepError ? notIsolatable(tenant, error.message) : error;
  }
}

function notIsolatable({ id, status }: TenantRow, why: string): RequestError {
  return new RequestError('TENANT_NOT_ISOLATABLE', `tenant ${id} cannot be isolated: ${why}`, { details: { status } });
}

/** What is wanted stays so: a worker starts the run when this does not. */
async function startOrLeave({ orchestrator, log }: ClientDeps, tenant: TenantRow): Promise<void> {
  const { id: tenantId, product, slug } = tenant;
  try {
    await orchestrator.isolate({ tenantId, product, slug });
  } catch (error) {
    log.warn({ err: error, tenantId }, 'the run of an isolation was not started: a worker starts it');
  }
}

function answer(tenant: TenantRow, isDone: boolean): IsolatedView {
  const isolation = isolationView(tenant);
  return { tenantId: tenant.id, isDone, status: tenant.status, isolation, message: messageOf(isolation) };
}

function messageOf(isolation: IsolatedView['isolation']): string {
  if (!isolation) return 'the tenant is not isolated';
  const { state, wanted, since } = isolation;
  if (state === 'on') return `the tenant is isolated since ${since}`;
  const what = wanted ? 'the isolation' : 'the end of the isolation';
  return `${what} is accepted; the tenant shows when it is in effect`;
}
