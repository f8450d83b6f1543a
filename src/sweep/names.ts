import type { Step } from '../contracts/blueprint.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Cell } from '../contracts/platform.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { isServed, resolveUnplaced } from '../products/places.ts';
import { waysIntoTiers } from '../products/ways-into-tiers.ts';
import type { Product } from '../products/product.ts';
import { reservedSlugs } from '../products/slug.ts';
import { sweptNameOf } from './ledger-view.ts';

/** What a name tells, when it is one that we would give. */
export interface NameReading {
  readonly product: string | undefined;
  readonly slug: string | undefined;
}

/** The names that tenants' resources of a cell have. */
export interface Names {
  /** Undefined when the name is not of our pattern, or is a template's or a reserved one. */
  read(type: string, name: string): NameReading | undefined;
  /**
   * Whether we would have given a tenant's thing this name. Marks can be copied (a console makes "another one like this"),
   * names of that kind are not.
   * @param tenant what the ledger knows; undefined for a tenant that it does not know
   */
  isGivenTo(item: Pick<SweptItem, 'type' | 'name'>, owner: NamedOwner, tenant: { slug: string } | undefined): boolean;
  /** Products whose names could not be found out, each with why. */
  readonly problems: readonly { readonly what: string; readonly message: string }[];
}

interface NamedOwner {
  readonly installationId: string;
  readonly tenantId: string;
  readonly product: string;
}

/** Stands for any slug while a blueprint is resolved to see which names come out. */
const PLACEHOLDER = 'zz9anyslug9zz';
const NOBODY = '00000000-0000-4000-8000-000000000000';
const SLUG = '([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)';

interface Pattern {
  readonly product: string;
  readonly type: string;
  readonly expression: RegExp;
}

/** Found from the products' own blueprints, so that a new product's names are known here without another word. */
export function namesOf(cell: Cell, { kinds, products }: Catalog): Names {
  const { sweptTypes } = kinds;
  const problems: { what: string; message: string }[] = [];
  const served = new Set([...Object.keys(cell.domains), ...(cell.products ?? [])]);
  const patterns = [...served].flatMap((name) => {
    try {
      const product = Object.hasOwn(products, name) ? products[name] : undefined;
      if (!product) throw new Error('this installation has no such product');
      return isServed(cell, product) ? patternsOf(cell, kinds, product) : [];
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      problems.push({ what: `names of product ${name}`, message });
      return [];
    }
  });
  const kept = keptNames(cell);
  const reserved = new Set([...reservedSlugs, ...Object.values(products).flatMap((p) => p.reservedSlugs)]);
  const readPattern = (type: string, name: string): NameReading | undefined => {
    if (kept.has(name)) return undefined;
    for (const { product, expression } of patterns.filter((p) => p.type === type)) {
      const slug = expression.exec(name)?.[1];
      if (slug !== undefined && !reserved.has(slug)) return { product, slug };
    }
    return undefined;
  };
  return {
    problems,
    read: (type, name) => {
      const named = sweptTypes.get(type)?.named;
      if (typeof named === 'object')
        return named.pattern.test(name) ? { product: undefined, slug: undefined } : undefined;
      return readPattern(type, name);
    },
    isGivenTo: ({ type, name }, owner, tenant) => {
      const named = sweptTypes.get(type)?.named;
      if (typeof named === 'object') return named.isOf(name, owner);
      const found = readPattern(type, name);
      return found?.product === owner.product && (tenant === undefined || found.slug === tenant.slug);
    },
  };
}

function patternsOf(cell: Cell, kinds: KindRegistry, product: Product): Pattern[] {
  return waysIntoTiers(product).flatMap((way) => {
    const { steps } = resolveUnplaced(product, cell, { tenantId: NOBODY, slug: PLACEHOLDER, ...way });
    return steps
      .flatMap((step) => namesIn(kinds, step))
      .map(({ type, name }) => ({
        product: product.name,
        type,
        expression: new RegExp(`^${escaped(name).replaceAll(PLACEHOLDER, SLUG)}$`),
      }));
  });
}

/** Names that the slug is in, as the sweep calls their things. */
function namesIn(kinds: KindRegistry, step: Step): { type: string; name: string }[] {
  const names = kinds.physicalNames(step).map((resource) => sweptNameOf(kinds, resource));
  return names.filter(({ name }) => name.includes(PLACEHOLDER));
}

/** The cell's own things whose names could be read as a tenant's. */
function keptNames(cell: Cell): ReadonlySet<string> {
  const templates = Object.values(cell.templateServices).flatMap((of) => Object.values(of));
  return new Set([...templates, ...templates.map((name) => `/ecs/${name}`)]);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
