import { builtInKinds } from '../kinds/built-in.ts';
import type { Kind } from '../kinds/framework/kind.ts';
import { createKindRegistry, type KindRegistry } from '../kinds/framework/registry.ts';
import { accounts } from '../products/accounts/product.ts';
import { moamalat } from '../products/moamalat/product.ts';
import type { Product } from '../products/product.ts';
import { shapeProblems } from '../shape-problems.ts';

/** What an installation can make: its products by name, and every kind that their steps are of. */
export interface Catalog {
  readonly products: Readonly<Record<string, Product>>;
  readonly kinds: KindRegistry;
  /** Folders of the sets of migrations that products bring for their tenants' schemas, by the product's name. */
  readonly migrations: Readonly<Record<string, string>>;
}

export interface CatalogParts {
  readonly products: readonly Product[];
  /** Beside those that come with Tenantry and those that products bring. */
  readonly kinds?: readonly Kind[] | undefined;
}

/** For those who write without types. @throws RangeError for what is no list of products and kinds, or names another field */
export function assertCatalogParts(parts: unknown): asserts parts is CatalogParts {
  const problems = shapeProblems(parts, { products: 'list', kinds: 'list?' });
  if (problems.length > 0) throw new RangeError(problems.join('; '));
  for (const [field, list] of Object.entries(parts as CatalogParts))
    if (!(list as readonly unknown[]).every((one) => typeof one === 'object' && one !== null))
      throw new RangeError(`${field} holds something that is undefined or no object: see what its file exports`);
}

/** @throws RangeError naming all that is wrong: a product given twice, kinds that do not go together */
export function createCatalog({ products, kinds = [] }: CatalogParts): Catalog {
  const twice = products.filter((product, i) => products.findIndex(({ name }) => name === product.name) !== i);
  if (twice.length > 0) throw new RangeError(`given twice: product ${twice.map(({ name }) => name).join(', ')}`);
  return {
    products: Object.fromEntries(products.map((product) => [product.name, product])),
    kinds: createKindRegistry([...builtInKinds, ...kinds]),
    migrations: migrationsOf(products),
  };
}

/** Folders of the sets of migrations that products bring, by the product's name. */
export function migrationsOf(products: readonly Product[]): Catalog['migrations'] {
  return Object.fromEntries(
    products.flatMap(({ name, migrations }) => (migrations === undefined ? [] : [[name, migrations]])),
  );
}

/** Of an installation that configures nothing. */
export const defaultCatalog: Catalog = createCatalog({ products: [moamalat, accounts] });
