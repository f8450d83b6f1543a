import type { Blueprint } from '../contracts/blueprint.ts';
import type { LoadBalancerShare } from '../contracts/load-balancer-share.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import type { Settings, TenantMode } from '../contracts/settings.ts';
import { isSameJson } from '../contracts/stable-json.ts';
import { findPlacement } from '../db/allocations.ts';
import { findAppliedBlueprint } from '../db/blueprints.ts';
import type { Queryable } from '../db/database.ts';
import type { TenantRow } from '../db/tenants.ts';
import { findWalkFacts } from '../db/walk-facts.ts';
import { differences, type StepDifference } from '../plan/differences.ts';
import type { StepPlan } from '../plan/plan.ts';
import { transientProblems } from '../plan/transient-steps.ts';
import { walkTo } from '../plan/walk.ts';
import { loadBalancerShare } from '../products/places.ts';
import { knownProduct } from '../products/known-product.ts';
import type { BlueprintRequest, Product } from '../products/product.ts';
import { checkSettings } from '../products/settings.ts';
import { invalid, type InvalidField } from './invalid-input.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';
import { resolveChecked } from './resolution.ts';

type DesiredDeps = Pick<ClientDeps, 'catalog' | 'platform'>;

/** What a tenant would become with other settings. */
export interface Desired {
  readonly blueprint: Blueprint;
  /** From what is applied, in the order of the blueprint. */
  readonly differences: readonly StepDifference[];
  /** What becomes of each step, by the code that the run goes by. */
  readonly plan: readonly StepPlan[];
  /** Nothing would have to be carried out. */
  readonly isThere: boolean;
}

interface Wanted {
  readonly settings: Settings;
  readonly mode: TenantMode;
  readonly credentials: number;
  /** The credentials are to be others than before: refused where nothing depends on them. */
  readonly rotates?: boolean | undefined;
  /** The tier, where it is to be another: the product is asked for the steps of that change. */
  readonly tier?: string | undefined;
  /** Steps that stay as they are would be brought to what was applied. */
  readonly restoresKept?: true | undefined;
  /** What steps read outside the blueprint is read anew. */
  readonly refresh?: boolean | undefined;
}

/**
 * A tenant with these settings and credentials in this mode and tier, in its cell and with the places that it has: nothing of those is chosen anew.
 * @param fieldOf what the request calls a setting
 * @throws RequestError INVALID_INPUT, UNKNOWN_PRODUCT, CHANGE_NOT_POSSIBLE
 */
export async function resolveDesired(
  { catalog, platform }: DesiredDeps,
  db: Queryable,
  tenant: TenantRow,
  { settings, mode, credentials, rotates, tier, restoresKept, refresh = false }: Wanted,
  fieldOf: (path: readonly string[]) => string,
): Promise<Desired> {
  const { kinds } = catalog;
  const isMoving = tier !== undefined;
  const inTier = { ...tenant, tier: tier ?? tenant.tier };
  const { product, cell } = refuseUnfitSettings({ catalog, platform }, inTier, settings, fieldOf);
  const applied = await findAppliedBlueprint(db, tenant.id);
  if (!applied) throw new Error(`tenant ${tenant.id} is ${tenant.status}, and no blueprint is applied`);
  const request: BlueprintRequest = {
    cell,
    loadBalancer: await placeOf(db, tenant, product, cell),
    tenantId: tenant.id,
    slug: tenant.slug,
    tier: inTier.tier,
    cameFrom: isMoving ? tenant.tier : tenant.cameFromTier,
    isMoving,
    host: tenant.hostName ?? undefined,
    settings,
    mode,
    credentials,
  };
  const blueprint = resolveChecked(kinds, product, request);
  if (rotates && isSameJson(blueprint, resolveChecked(kinds, product, { ...request, credentials: credentials - 1 })))
    throw impossible(tenant, ['nothing of it is rotated: none of its steps logs in to a schema'], product.noun);
  const found = differences(applied.steps, blueprint.steps, (kind) => kinds.kinds.get(kind) ?? {});
  const problems = [
    ...found.flatMap((step) => step.problems),
    ...transientProblems(blueprint.steps, applied.steps),
    ...unreserved(loadBalancerShare(kinds, applied), loadBalancerShare(kinds, blueprint)),
  ];
  if (problems.length > 0) throw impossible(tenant, problems, product.noun);
  const facts = await findWalkFacts(db, tenant.id, { own: blueprint.steps, applied: applied.steps });
  const plan = walkTo(blueprint.steps, facts, (kind) => kinds.kinds.get(kind)?.limits, {
    rereads: refresh,
    restoresKept,
  });
  const held = new Set(facts.held.map(({ stepId }) => stepId));
  // What an update that was abandoned left otherwise is brought back by the next one.
  const isThere =
    found.length === 0 && !refresh && !isMoving && !plan.some(({ id, becomes }) => held.has(id) && becomes !== 'keep');
  return { blueprint, differences: found, plan, isThere };
}

/**
 * The product and cell that a tenant with these settings would be of.
 * @throws RequestError INVALID_INPUT, UNKNOWN_PRODUCT, CHANGE_NOT_POSSIBLE
 */
export function refuseUnfitSettings(
  { catalog, platform }: DesiredDeps,
  tenant: TenantRow,
  settings: Settings,
  fieldOf: (path: readonly string[]) => string,
): { readonly product: Product; readonly cell: Cell } {
  const product = productOf(catalog, tenant);
  const cell = platform.cells.find(({ id }) => id === tenant.cell);
  if (!cell) throw impossible(tenant, [`its cell ${tenant.cell} is not in the platform description`], product.noun);
  const checked = checkSettings(product, { cell, tier: tenant.tier }, settings);
  if (checked.ok) return { product, cell };
  throw invalid(checked.problems.map(({ path, problem }): InvalidField => ({ field: fieldOf(path), problem })));
}

/** @throws RequestError UNKNOWN_PRODUCT */
export function productOf({ products }: ClientDeps['catalog'], tenant: TenantRow): Product {
  const product = knownProduct(products, tenant.product);
  if (product) return product;
  throw new RequestError('UNKNOWN_PRODUCT', `this installation does not have the tenant's product ${tenant.product}`, {
    details: { products: Object.keys(products) },
  });
}

/** @throws RequestError CHANGE_NOT_POSSIBLE where a suspension of its tenants would stop nothing */
export function refuseUnsuspendable({ name, noun, suspendable = true }: Product, tenant: TenantRow): void {
  if (suspendable) return;
  const problem = `tenants of ${name} cannot be suspended, as nothing of theirs runs or answers by itself; delete it, or stop what uses it`;
  throw impossible(tenant, [problem], noun);
}

async function placeOf(
  db: Queryable,
  tenant: TenantRow,
  product: Product,
  cell: Cell,
): Promise<LoadBalancer | undefined> {
  if (!product.places.includes('load-balancer')) return undefined;
  const placed = await findPlacement(db, tenant.id);
  const found = cell.loadBalancers.find(({ arn }) => arn === placed);
  if (found) return found;
  throw impossible(
    tenant,
    [`its load balancer ${placed ?? ''} is not in the description of cell ${cell.id}`],
    product.noun,
  );
}

/** What it takes of its load balancer was reserved when it was accepted. */
function unreserved(reserved: LoadBalancerShare, wanted: LoadBalancerShare): string[] {
  const grown = (['rules', 'targetGroups'] as const).filter((what) => wanted[what] > reserved[what]);
  const words = { rules: 'rules', targetGroups: 'target groups' } as const;
  return grown.map(
    (what) => `it would take ${wanted[what]} ${words[what]} of its load balancer, and ${reserved[what]} are reserved`,
  );
}

/** @param noun what its product calls a tenant */
export function impossible(
  { id, product, slug }: TenantRow,
  problems: readonly string[],
  noun = 'tenant',
  details: Readonly<Record<string, unknown>> = {},
): RequestError {
  const name = slug === id ? id : `${product}/${slug}`;
  return new RequestError('CHANGE_NOT_POSSIBLE', `${noun} ${name} cannot be changed so: ${problems.join('; ')}`, {
    details: { tenantId: id, problems, ...details },
  });
}
