import { randomUUID } from 'node:crypto';
import { findHostHolder, listHeldNames } from '../db/allocations.ts';
import type { Queryable } from '../db/database.ts';
import { findSlugHolder } from '../db/reservations.ts';
import { knownProduct } from '../products/known-product.ts';
import { hostIn, resolveUnplaced, tiersOf } from '../products/places.ts';
import type { Product } from '../products/product.ts';
import { normalSlug } from '../products/slug.ts';
import type { UnavailableReason } from '../contracts/availability.ts';
import type { Cell } from '../contracts/platform.ts';
import { cellsFor, productsTakingTenants } from './cell-choice.ts';
import { checkSlug, unknownProduct } from './creation.ts';
import type { ClientDeps } from './requests.ts';
import { namesBySlug } from './resolution.ts';
import { refuseSwitchedOff } from './switched-off.ts';

/** Whether a tenant of a slug could be created. It is no reservation: the next request may take it. */
export interface AvailabilityView {
  /** As it would be stored. */
  readonly slug: string;
  /** For which it was asked: it is available where it is for all of them. */
  readonly products: readonly string[];
  readonly available: boolean;
  /** `taken`: by whom is not said, nor whether it is kept for a tenant that was removed. */
  readonly reason?: UnavailableReason;
  /** A sentence for people. */
  readonly detail?: string;
  /** A similar one that is available. */
  readonly suggestion?: string;
}

type Deps = Pick<ClientDeps, 'catalog' | 'platform' | 'switchedOff' | 'database'>;
type Verdict = Pick<AvailabilityView, 'available' | 'reason' | 'detail'>;

/**
 * Decides by what a creation decides by, and changes nothing.
 * @param product default: every product that is served here and lets its slugs be chosen
 * @throws RequestError UNKNOWN_PRODUCT, FEATURE_DISABLED, CELL_CLOSED
 */
export function readAvailability(deps: Deps, raw: string, product?: string): Promise<AvailabilityView> {
  const products = productsAsked(deps, product);
  return deps.database.snapshot(async (at) => {
    const verdictOn = (slug: string) => verdictFor(deps, at, products, slug);
    const verdict = await verdictOn(raw);
    const asked = { slug: normalSlug(raw), products: products.map(({ name }) => name), ...verdict };
    if (verdict.available) return asked;
    for (const suggestion of similarTo(raw))
      if ((await verdictOn(suggestion)).available) return { ...asked, suggestion };
    return asked;
  });
}

function productsAsked(deps: Deps, name: string | undefined): readonly Product[] {
  const { catalog, platform, switchedOff = {} } = deps;
  if (name !== undefined) {
    const product = knownProduct(catalog.products, name);
    if (!product) throw unknownProduct(deps, name);
    refuseSwitchedOff(deps, product.name);
    return [product];
  }
  const served = productsTakingTenants(catalog, platform.cells).flatMap(
    (each) => knownProduct(catalog.products, each) ?? [],
  );
  const open = served.filter((each) => each.slugs !== 'tenant-id' && !Object.hasOwn(switchedOff, each.name));
  if (open.length === 0) throw unknownProduct(deps, 'any whose slugs are chosen');
  return open;
}

async function verdictFor(deps: Deps, at: Queryable, products: readonly Product[], raw: string): Promise<Verdict> {
  for (const product of products) {
    const parsed = checkSlug(product, raw, randomUUID());
    if (!parsed.ok)
      return { available: false, reason: parsed.isReserved === true ? 'reserved' : 'invalid', detail: parsed.problem };
    const [cell] = cellsFor(deps, { product, input: {} });
    if (cell && (await isTaken(deps, at, { product, cell, slug: parsed.slug })))
      return {
        available: false,
        reason: 'taken',
        detail: `the slug "${parsed.slug}" of product ${product.name} is taken`,
      };
  }
  return { available: true };
}

interface Place {
  readonly product: Product;
  /** In which a creation is tried first. */
  readonly cell: Cell;
  readonly slug: string;
}

async function isTaken({ catalog }: Deps, at: Queryable, { product, cell, slug }: Place): Promise<boolean> {
  if (await findSlugHolder(at, { product: product.name, slug })) return true;
  const host = hostIn(cell, product, slug);
  if (host !== undefined && (await findHostHolder(at, { zone: cell.hostedZone.id, host })) !== undefined) return true;
  const names = tiersOf(product).flatMap((tier) => {
    const blueprint = unplaced(product, cell, { slug, tier });
    return blueprint ? namesBySlug(catalog.kinds, blueprint) : [];
  });
  return (await listHeldNames(at, names)).length > 0;
}

/** Undefined where the product's blueprint needs settings that only a creation has. */
function unplaced(product: Product, cell: Cell, tenant: { readonly slug: string; readonly tier: string | null }) {
  try {
    return resolveUnplaced(product, cell, { ...tenant, tenantId: randomUUID(), settings: {} });
  } catch {
    return undefined;
  }
}

const LONGEST_BASE = 38;
const FURTHER = [2, 3, 4];

/** With a number behind it; of what is no slug, what can be kept of it. */
function similarTo(raw: string): string[] {
  const kept = raw
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_BASE)
    .replaceAll(/^-|-$/g, '');
  return kept === '' ? [] : [kept, ...FURTHER.map((number) => `${kept}-${number}`)];
}
