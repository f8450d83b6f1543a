import { randomUUID } from 'node:crypto';
import type { Caller } from '../contracts/caller.ts';
import { tenantWorkflowId } from '../contracts/ids.ts';
import { DEFAULT_HOLD_MS } from '../contracts/operation-state.ts';
import { operationTypeAskedBy } from '../contracts/operation-table.ts';
import type { Blueprint } from '../contracts/blueprint.ts';
import { loadBalancerQuotas, type LoadBalancerShare } from '../contracts/load-balancer-share.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import type { Settings } from '../contracts/settings.ts';
import { findPlacement, listLoadBalancerShares, placeOnLoadBalancer, reserveHostName } from '../db/allocations.ts';
import type { Queryable } from '../db/database.ts';
import { type OperationRow } from '../db/operations.ts';
import { reserveSlug } from '../db/reservations.ts';
import { recordFirstSettings } from '../db/settings.ts';
import { insertTenant, type TenantRow } from '../db/tenants.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { hostIn, loadBalancerShare, resolveUnplaced } from '../products/places.ts';
import type { Product } from '../products/product.ts';
import { checkSettings } from '../products/settings.ts';
import { detailNames, detailsIn, settingOf, withDetails } from '../products/detail-settings.ts';
import { knownProduct } from '../products/known-product.ts';
import { parseSlug, type ParsedSlug } from '../products/slug.ts';
import { invalid, settingsFields, type InvalidField } from './invalid-input.ts';
import { cellsFor, servedProducts } from './cell-choice.ts';
import { acceptOperation } from './freezing.ts';
import { walkTo } from '../plan/walk.ts';
import { inVain, previewOf } from './preview.ts';
import type { AuditFacts } from '../db/audit-entries.ts';
import { chosen } from './chosen.ts';
import type { Once } from './once.ts';
import { orUnknown } from './outcome-unknown.ts';
import { tenantView } from './reading.ts';
import { reserveOrRefuse, resolveChecked, resolveOrRefuse } from './resolution.ts';
import { RequestError } from './request-error.ts';
import { hostTaken, slugTaken } from './slug-taken.ts';
import { startOrWithdraw } from './starting.ts';
import { refuseSwitchedOff } from './switched-off.ts';
import type { ClientDeps, CreateTenantInput } from './requests.ts';
import { acceptance, acceptedView, type CreatedView, type PreviewView, type RoomView } from './views.ts';

/** A request whose every field is checked. */
interface CheckedRequest {
  readonly caller: Caller;
  readonly product: Product;
  readonly tier: string | null;
  readonly slug: string;
  readonly input: CreateTenantInput;
}

/** Accepts a tenant: writes everything in one transaction, then starts the run; a start that fails is withdrawn. */
export async function createTenant(
  deps: ClientDeps,
  caller: Caller,
  input: CreateTenantInput,
  once: Once<CreatedView>,
): Promise<CreatedView> {
  const ids = newIds(input);
  const request = { caller, ...checkRequest(deps, input, ids) };
  const written = await inSomeCell(deps, request, (cell) => writeIn(deps, request, ids, { cell, once }));
  await startOrWithdraw(deps, written.tenant, written.operation);
  return createdView(written);
}

function creationFacts({ tenant }: Written): AuditFacts {
  const { cell, id, product, slug } = tenant;
  return { tenantId: id, after: chosen(tenant), data: { product, slug, cell } };
}

function createdView({ tenant, operation }: Written): CreatedView {
  const accepted = acceptedView(tenant, operation, acceptance('the creation'));
  return { ...accepted, tenant: tenantView(tenant) };
}

/** What {@link createTenant} would do, with everything that would refuse it; nothing is reserved. */
export async function previewCreation(
  deps: ClientDeps,
  caller: Caller,
  input: CreateTenantInput,
): Promise<PreviewView> {
  const ids = newIds(input);
  const request = { caller, ...checkRequest(deps, input, ids) };
  const { kinds } = deps.catalog;
  const { tenant, operation, blueprint, room } = await inSomeCell(deps, request, (cell) =>
    inVain(deps.database, async (tx) => {
      const written = await write(tx, kinds, request, ids, cell);
      return { ...written, room: await roomLeft(tx, loadBalancerShare(kinds, written.blueprint), ids.tenantId) };
    }).catch(undoneWhenFull),
  );
  const { steps } = blueprint;
  const facts = { own: steps, applied: [], older: [], held: [] };
  const plan = walkTo(steps, facts, (kind) => kinds.kinds.get(kind)?.limits);
  const { activatedAt, cell, settings } = tenant;
  return previewOf(deps, { tenantId: null, activatedAt, cell, operation: operation.type, plan, settings, room });
}

/** Of the load balancer on which the tenant has its place, within the transaction that gave it. */
async function roomLeft(tx: Queryable, share: LoadBalancerShare, tenantId: string): Promise<RoomView | undefined> {
  const loadBalancerArn = await findPlacement(tx, tenantId);
  const taken = loadBalancerArn && (await listLoadBalancerShares(tx, [loadBalancerArn])).get(loadBalancerArn);
  if (loadBalancerArn === undefined || !taken) return undefined;
  const left = (what: keyof LoadBalancerShare) => {
    const leftAfter = loadBalancerQuotas[what] - taken[what];
    return { quota: loadBalancerQuotas[what], leftBefore: leftAfter + share[what], leftAfter };
  };
  return { loadBalancerArn, rules: left('rules'), targetGroups: left('targetGroups') };
}

function checkRequest(
  deps: ClientDeps,
  input: CreateTenantInput,
  { tenantId }: Pick<Ids, 'tenantId'>,
): Omit<CheckedRequest, 'caller'> {
  const product = knownProduct(deps.catalog.products, input.product);
  if (!product) throw unknownProduct(deps, input.product);
  refuseSwitchedOff(deps, product.name);
  const slug = checkSlug(product, input.slug, tenantId);
  const tier = checkTier(product, input.tier);
  const settings = withDetails(product, input.settings ?? {}, input);
  const contradicting = contradictedDetails(product, settings, input);
  if (slug.ok && tier.ok && contradicting.length === 0)
    return { product, slug: slug.slug, tier: tier.tier, input: { ...input, settings } };
  throw invalid([
    ...(slug.ok ? [] : [{ field: 'body.slug', problem: slug.problem }]),
    ...(tier.ok ? [] : [{ field: 'body.tier', problem: tier.problem }]),
    ...contradicting,
  ]);
}

export function unknownProduct(
  { catalog, platform }: Pick<ClientDeps, 'catalog' | 'platform'>,
  name: string,
): RequestError {
  return new RequestError('UNKNOWN_PRODUCT', `there is no product "${name}"`, {
    details: { products: servedProducts(catalog, platform.cells) },
  });
}

/** The slug that a new tenant gets. */
export function checkSlug(
  { name, reservedSlugs, slugs }: Product,
  given: string | undefined,
  tenantId: string,
): ParsedSlug {
  if (slugs !== 'tenant-id')
    return given === undefined ? { ok: false, problem: 'is required' } : parseSlug(given, reservedSlugs);
  if (given === undefined) return { ok: true, slug: tenantId };
  return { ok: false, problem: `must be left out: the slug of a tenant of ${name} is its id, which it is given` };
}

/** A tenant is called, and written to, as its settings say, where its product has that in them. */
function contradictedDetails(product: Product, settings: Settings, input: CreateTenantInput): InvalidField[] {
  const held = detailsIn(product, settings);
  return detailNames
    .filter((name) => held[name] !== undefined && held[name] !== input[name])
    .map((name) => ({ field: `body.${name}`, problem: `must be the same as ${settingOf(product, name)}` }));
}

type CheckedTier =
  { readonly ok: true; readonly tier: string | null } | { readonly ok: false; readonly problem: string };

function checkTier({ name, tiers }: Product, tier: string | undefined): CheckedTier {
  if (tiers.length === 0)
    return tier === undefined ? { ok: true, tier: null } : { ok: false, problem: `the product ${name} has no tiers` };
  if (tier === undefined || !tiers.includes(tier)) return { ok: false, problem: `must be one of ${tiers.join(', ')}` };
  return { ok: true, tier };
}

interface Ids {
  readonly tenantId: string;
  readonly operationId: string;
}

function newIds({ tenantId = randomUUID() }: CreateTenantInput): Ids {
  return { tenantId, operationId: randomUUID() };
}

interface Written {
  readonly tenant: TenantRow;
  readonly operation: OperationRow;
  readonly blueprint: Blueprint;
}

/** In the first of the cells that has room. @param attempt answers undefined when the cell has none */
async function inSomeCell<T>(
  deps: ClientDeps,
  request: CheckedRequest,
  attempt: (cell: Cell) => Promise<T | undefined>,
): Promise<T> {
  const cells = cellsTaking(request, cellsFor(deps, request));
  for (const cell of cells) {
    const written = await attempt(cell);
    if (written) return written;
  }
  const where = request.input.cell === undefined ? '' : ` in cell ${request.input.cell}`;
  throw new RequestError(
    'CELL_FULL',
    `no load balancer${where} has room for another tenant of ${request.product.name}: \`tenantry doctor\` shows the room of each`,
    { details: { cells: cells.map((cell) => cell.id) } },
  );
}

/** Those whose bounds the settings keep. @throws RequestError INVALID_INPUT when there are none, naming what is wrong for the first */
function cellsTaking({ product, tier, input }: CheckedRequest, cells: readonly Cell[]): readonly Cell[] {
  const checked = cells.map((cell) => ({ cell, is: checkSettings(product, { cell, tier }, input.settings ?? {}) }));
  const taking = checked.filter(({ is }) => is.ok).map(({ cell }) => cell);
  const [first] = checked;
  if (taking.length === 0 && first?.is.ok === false) throw invalid(settingsFields(first.is.problems));
  return taking;
}

function writeIn(
  deps: ClientDeps,
  request: CheckedRequest,
  ids: Ids,
  { cell, once }: { readonly cell: Cell; readonly once: Once<CreatedView> },
): Promise<Written | undefined> {
  const keptOf = (written: Written) => ({
    outcome: createdView(written),
    operationId: written.operation.id,
    audit: creationFacts(written),
  });
  const what = `${request.product.noun ?? 'tenant'} ${request.product.name}/${request.slug} was accepted`;
  return orUnknown({ what, ...ids }, () =>
    deps.database
      .transaction((tx) => once.write(tx, () => write(tx, deps.catalog.kinds, request, ids, cell), keptOf))
      .catch(undoneWhenFull),
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
  const { settings = {} } = input;
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
    settings,
  };
  const tenant = await insertTenant(tx, row, caller);
  if (!(await reserveSlug(tx, { product: product.name, slug, tenantId }))) {
    throw await slugTaken(tx, { product: product.name, slug }, caller);
  }
  if (host !== undefined) await takeHost(tx, cell, host, { tenantId, caller });
  const loadBalancer = product.places.includes('load-balancer')
    ? await takeLoadBalancer(tx, kinds, cell, { tenantId, product, slug, tier, settings })
    : undefined;
  const blueprint = resolveChecked(kinds, product, { cell, loadBalancer, tenantId, slug, tier, host, settings });
  await reserveOrRefuse(tx, kinds, blueprint, { cell: cell.id, tenantId, slug });
  const operation = await acceptOperation(tx, {
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
  await recordFirstSettings(tx, { tenantId, settings, mode: 'active', operationId: operation.id, caller });
  return { tenant, operation, blueprint };
}

async function takeHost(
  tx: Queryable,
  cell: Cell,
  host: string,
  { tenantId, caller }: { readonly tenantId: string; readonly caller: Caller },
): Promise<void> {
  const zone = cell.hostedZone.id;
  if (!(await reserveHostName(tx, { cell: cell.id, zone, host, tenantId })))
    throw await hostTaken(tx, { zone, host }, caller);
}

/** What it takes there does not depend on which one it gets. @throws CellFullSignal */
async function takeLoadBalancer(
  tx: Queryable,
  kinds: KindRegistry,
  cell: Cell,
  {
    product,
    ...tenant
  }: Pick<CheckedRequest, 'product' | 'slug' | 'tier'> & { readonly tenantId: string; readonly settings: Settings },
): Promise<LoadBalancer> {
  const unplaced = resolveOrRefuse(() => resolveUnplaced(product, cell, tenant), product);
  const loadBalancer = await placeOnLoadBalancer(tx, cell, tenant.tenantId, loadBalancerShare(kinds, unplaced));
  if (!loadBalancer) throw new CellFullSignal();
  return loadBalancer;
}
