import type { Catalog } from '../catalog/catalog.ts';
import type { Cell } from '../contracts/platform.ts';
import { isServed, takesTenants } from '../products/places.ts';
import type { Product } from '../products/product.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps, CreateTenantInput } from './requests.ts';

/**
 * The cells in which a tenant may be made, in the order in which they are tried: those that serve its product and take tenants; of a
 * request that names a cell that one alone, never another in its place.
 * @throws RequestError UNKNOWN_PRODUCT, INVALID_INPUT, CELL_CLOSED
 */
export function cellsFor(
  { catalog, platform }: Pick<ClientDeps, 'catalog' | 'platform'>,
  { product, input }: { readonly product: Product; readonly input: Pick<CreateTenantInput, 'cell'> },
): readonly Cell[] {
  const serving = platform.cells.filter((cell) => isServed(cell, product));
  if (serving.length === 0)
    throw new RequestError('UNKNOWN_PRODUCT', `no cell of this installation serves the product ${product.name}`, {
      details: { products: servedProducts(catalog, platform.cells) },
    });
  if (input.cell === undefined) return openOf(serving, product);
  const named = platform.cells.find(({ id }) => id === input.cell);
  const open = serving.filter(takesTenants);
  if (!named) throw unknownCell(input.cell, open);
  if (serving.includes(named)) return openOf([named], product);
  const which =
    open.length === 0
      ? 'none that takes tenants does'
      : `${idsOf(open).join(', ')} ${open.length === 1 ? 'does' : 'do'}`;
  throw new RequestError('UNKNOWN_PRODUCT', `cell ${named.id} does not serve the product ${product.name}; ${which}`, {
    details: { products: servedProducts(catalog, [named]), cells: idsOf(open) },
  });
}

/** Those that take tenants. @throws RequestError CELL_CLOSED */
function openOf(serving: readonly Cell[], { name }: Product): readonly Cell[] {
  const open = serving.filter(takesTenants);
  if (open.length > 0) return open;
  const which =
    serving.length === 1 ? `cell ${idsOf(serving).join()} takes` : `the cells ${idsOf(serving).join(', ')} take`;
  throw new RequestError(
    'CELL_CLOSED',
    `${which} no new tenants of ${name}: \`acceptsTenants\` is false in the platform description`,
    { details: { cells: idsOf(serving) } },
  );
}

/** Names of the products of which a tenant can be made in any of the cells. */
export function productsTakingTenants(catalog: Catalog, cells: readonly Cell[]): string[] {
  return servedProducts(catalog, cells.filter(takesTenants));
}

/** Names of the products that any of the cells serves. */
export function servedProducts({ products }: Catalog, cells: readonly Cell[]): string[] {
  return Object.values(products)
    .filter((product) => cells.some((cell) => isServed(cell, product)))
    .map(({ name }) => name);
}

function unknownCell(id: string, serving: readonly Cell[]): RequestError {
  const problem = `there is no cell "${id}"; the product is served in ${idsOf(serving).join(', ') || 'none that takes tenants'}`;
  return new RequestError('INVALID_INPUT', `body.cell: ${problem}`, {
    details: { fields: [{ field: 'body.cell', problem }] },
  });
}

function idsOf(cells: readonly Cell[]): string[] {
  return cells.map(({ id }) => id);
}
