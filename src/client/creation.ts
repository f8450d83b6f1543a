import { randomUUID } from 'node:crypto';
import { blueprintProblems, type Blueprint } from '../contracts/blueprint.ts';
import type { Caller } from '../contracts/caller.ts';
import { tenantWorkflowId } from '../contracts/ids.ts';
import { DEFAULT_HOLD_MS } from '../contracts/operation-state.ts';
import { operationTypeAskedBy } from '../contracts/operation-table.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import { placeOnLoadBalancer, reserveHostName, reserveNames } from '../db/allocations.ts';
import type { Queryable } from '../db/database.ts';
import { insertOperation, type OperationRow } from '../db/operations.ts';
import { reserveSlug } from '../db/reservations.ts';
import { insertTenant, type TenantRow } from '../db/tenants.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { hostIn, loadBalancerShare, resolveUnplaced } from '../products/places.ts';
import type { BlueprintRequest, Product } from '../products/product.ts';
import { placeProblems } from '../products/place-problems.ts';
import { parseSlug } from '../products/slug.ts';
import { TemplateNotConfiguredError } from '../products/templates.ts';
import { cellsFor, servedProducts } from './cell-choice.ts';
import { orUnknown } from './outcome-unknown.ts';
import { RequestError } from './request-error.ts';
import { hostTaken, slugTaken } from './slug-taken.ts';
import { startOrWithdraw } from './starting.ts';
import type { ClientDeps, CreateTenantInput } from './requests.ts';
import { acceptance, type AcceptedView } from './views.ts';

/** A request whose every field is checked. */
interface CheckedRequest {
  readonly caller: Caller;
  readonly product: Product;
  readonly tier: string | null;
  readonly slug: string;
  readonly input: CreateTenantInput;
}

/** Accepts a tenant: writes everything in one transaction, then starts the run; a start that fails is withdrawn. */
export async function createTenant(deps: ClientDeps, caller: Caller, input: CreateTenantInput): Promise<AcceptedView> {
  const request = { caller, ...checkRequest(deps, input) };
  const ids = { tenantId: randomUUID(), operationId: randomUUID() };
  const { tenant, operation } = await writeSomewhere(deps, request, ids);
  await startOrWithdraw(deps, tenant, operation);
  return {
    tenantId: tenant.id,
    operationId: operation.id,
    workflowId: operation.workflowId,
    status: tenant.status,
    message: acceptance('the creation', tenant.status),
    tenantUrl: tenant.tenantUrl,
  };
}

function checkRequest(deps: ClientDeps, input: CreateTenantInput): Omit<CheckedRequest, 'caller'> {
  const { products } = deps.catalog;
  const product = Object.hasOwn(products, input.product) ? products[input.product] : undefined;
  if (!product) {
    throw new RequestError('UNKNOWN_PRODUCT', `there is no product "${input.product}"`, {
      details: { products: servedProducts(deps.catalog, deps.platform.cells) },
    });
  }
  const slug = parseSlug(input.slug, product.reservedSlugs);
  const tier = checkTier(product, input.tier);
  if (slug.ok && tier.ok) return { product, slug: slug.slug, tier: tier.tier, input };
  throw invalid([
    ...(slug.ok ? [] : [{ field: 'body.slug', problem: slug.problem }]),
    ...(tier.ok ? [] : [{ field: 'body.tier', problem: tier.problem }]),
  ]);
}

type CheckedTier =
  { readonly ok: true; readonly tier: string | null } | { readonly ok: false; readonly problem: string };

function checkTier({ name, tiers }: Product, tier: string | undefined): CheckedTier {
  if (tiers.length === 0)
    return tier === undefined ? { ok: true, tier: null } : { ok: false, problem: `the product ${name} has no tiers` };
  if (tier === undefined || !tiers.includes(tier)) return { ok: false, problem: `must be one of ${tiers.join(', ')}` };
  return { ok: true, tier };
}

function invalid(fields: readonly { readonly field: string; readonly problem: string }[]): RequestError {
  return new RequestError('INVALID_INPUT', fields.map((f) => `${f.field}: ${f.problem}`).join('; '), {
    details: { fields },
  });
}

interface Ids {
  readonly tenantId: string;
  readonly operationId: string;
}
interface Written {
  readonly tenant: TenantRow;
  readonly operation: OperationRow;
}

/** In the first of the cells that has room. */
async function writeSomewhere(deps: ClientDeps, request: CheckedRequest, ids: Ids): Promise<Written> {
  const cells = cellsFor(deps, request);
  for (const cell of cells) {
    const written = await writeIn(deps, request, ids, cell);
    if (written) return written;
  }
  const where = request.input.cell === undefined ? '' : ` in cell ${request.input.cell}`;
  throw new RequestError(
    'CELL_FULL',
    `no load balancer${where} has room for another tenant of ${request.product.name}: \`tenantry doctor\` shows the room of each`,
    { details: { cells: cells.map((cell) => cell.id) } },
  );
}

function writeIn(deps: ClientDeps, request: CheckedRequest, ids: Ids, cell: Cell): Promise<Written | undefined> {
  const what = `tenant ${request.product.name}/${request.slug} was accepted`;
  return orUnknown({ what, ...ids }, () =>
    deps.database.transaction((tx) => write(tx, deps.catalog.kinds, request, ids, cell)).catch(undoneWhenFull),
  );
}

/** Rolls the transaction back without being a failure: the next cell is tried. */
class CellFullSignal extends Error {}

function undoneWhenFull(error: unknown): undefined {
  if (error instanceof CellFullSignal) return undefined;
  throw error;
}

async function write(
  tx: Queryable,
  kinds: KindRegistry,
  request: CheckedRequest,
  ids: Ids,
  cell: Cell,
): Promise<Written> {
  const { caller, product, slug, tier, input } = request;
  const { tenantId } = ids;
  const host = hostIn(cell, product, slug);
  const row = {
    id: tenantId,
    product: product.name,
    tier,
    slug,
    displayName: input.displayName,
    contactEmail: input.contactEmail,
    cell: cell.id,
    hostName: host ?? null,
    tenantUrl: host === undefined ? null : `https://${host}`,
  };
  const tenant = await insertTenant(tx, row, caller);
  if (!(await reserveSlug(tx, { product: product.name, slug, tenantId }))) {
    throw await slugTaken(tx, { product: product.name, slug });
  }
  if (host !== undefined) await takeHost(tx, cell, host, tenantId);
  const loadBalancer = product.places.includes('load-balancer')
    ? await takeLoadBalancer(tx, kinds, cell, { tenantId, product, slug, tier })
    : undefined;
  const blueprint = resolve(kinds, product, { cell, loadBalancer, tenantId, slug, tier, host });
  await reserveOrRefuse(tx, kinds, blueprint, { cell: cell.id, tenantId, slug });
  const operation = await insertOperation(tx, {
    id: ids.operationId,
    tenantId,
    cell: cell.id,
    type: operationTypeAskedBy('create'),
    onFailure: input.onFailure ?? 'hold',
    holdMs: DEFAULT_HOLD_MS,
    workflowId: tenantWorkflowId({ product: product.name, slug }),
    blueprint,
    caller,
  });
  if (!operation) throw new Error(`the new tenant ${tenantId} has an open operation already`);
  return { tenant, operation };
}

async function takeHost(tx: Queryable, cell: Cell, host: string, tenantId: string): Promise<void> {
  const zone = cell.hostedZone.id;
  if (!(await reserveHostName(tx, { cell: cell.id, zone, host, tenantId }))) throw await hostTaken(tx, { zone, host });
}

/** What it takes there does not depend on which one it gets. @throws CellFullSignal */
async function takeLoadBalancer(
  tx: Queryable,
  kinds: KindRegistry,
  cell: Cell,
  { product, ...tenant }: Pick<CheckedRequest, 'product' | 'slug' | 'tier'> & { readonly tenantId: string },
): Promise<LoadBalancer> {
  const unplaced = resolveOrRefuse(() => resolveUnplaced(product, cell, tenant), product);
  const loadBalancer = await placeOnLoadBalancer(tx, cell, tenant.tenantId, loadBalancerShare(kinds, unplaced));
  if (!loadBalancer) throw new CellFullSignal();
  return loadBalancer;
}

/** `notes` with the slug `pro-acme` and `notes-pro` with `acme` give the same names: the second one is refused. */
async function reserveOrRefuse(
  tx: Queryable,
  kinds: KindRegistry,
  { steps, product }: Blueprint,
  { cell, tenantId, slug }: { cell: string; tenantId: string; slug: string },
): Promise<void> {
  const names = steps.flatMap((step) => kinds.physicalNames(step)).filter(({ type }) => isNamedBySlug(kinds, type));
  const [held] = await reserveNames(tx, { cell, tenantId, names });
  if (!held) return;
  const { type, name } = held;
  throw new RequestError(
    'SLUG_TAKEN',
    `the slug "${slug}" of product ${product} gives the ${type} name "${name}", which the tenant "${held.slug}" of product ${held.product} has`,
    { details: { product, slug, resource: { type, name }, holder: { product: held.product, slug: held.slug } } },
  );
}

function isNamedBySlug(kinds: KindRegistry, type: string): boolean {
  return kinds.sweptTypes.get(kinds.sweptTypeOf(type) ?? '')?.named === 'slug';
}

function resolve(kinds: KindRegistry, product: Product, request: BlueprintRequest): Blueprint {
  const blueprint = resolveOrRefuse(() => product.resolve(request), product);
  const problems = blueprintProblems(blueprint, kinds);
  if (problems.length > 0) {
    throw new Error(
      `product ${product.name} resolved tenant ${request.tenantId} to a blueprint that cannot run: ${problems.join('; ')}`,
    );
  }
  const { cell, slug, loadBalancer } = request;
  const unreserved = placeProblems(kinds, product, blueprint, { cell, slug, loadBalancer });
  if (unreserved.length > 0) throw notProvisionable(product, unreserved.join('; '));
  return blueprint;
}

/** @throws RequestError for what the platform description does not name */
function resolveOrRefuse(resolveIt: () => Blueprint, product: Product): Blueprint {
  try {
    return resolveIt();
  } catch (cause) {
    if (!(cause instanceof TemplateNotConfiguredError)) throw cause;
    throw notProvisionable(product, cause.message, cause);
  }
}

function notProvisionable({ name }: Product, why: string, cause?: unknown): RequestError {
  return new RequestError('UNKNOWN_PRODUCT', `the product ${name} cannot be provisioned here: ${why}`, { cause });
}
