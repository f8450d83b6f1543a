import type { Catalog } from '../catalog/catalog.ts';
import type { Cell } from '../contracts/platform.ts';
import { isServed } from '../products/places.ts';
import type { Product } from '../products/product.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps, CreateTenantInput } from './requests.ts';

/**
 * The cells in which a tenant may be, in the order in which they are tried: those that serve its product; of a request that names a
 * cell that one alone, never another in its place.
 * @throws RequestError UNKNOWN_PRODUCT, INVALID_INPUT
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
  if (input.cell === undefined) return serving;
  const named = platform.cells.find(({ id }) => id === input.cell);
  if (!named) throw unknownCell(input.cell, serving);
  if (serving.includes(named)) return [named];
  throw new RequestError(
    'UNKNOWN_PRODUCT',
    `cell ${named.id} does not serve the product ${product.name}; ${idsOf(serving).join(', ')} ${serving.length === 1 ? 'does' : 'do'}`,
    { details: { products: servedProducts(catalog, [named]), cells: idsOf(serving) } },
  );
}

/** Names of the products that any of the cells serves. */
export function servedProducts({ products }: Catalog, cells: readonly Cell[]): string[] {
  return Object.values(products)
    .filter((product) => cells.some((cell) => isServed(cell, product)))
    .map(({ name }) => name);
}

function unknownCell(id: string, serving: readonly Cell[]): RequestError {
  const problem = `there is no cell "${id}"; the product is served in ${idsOf(serving).join(', ')}`;
  return new RequestError('INVALID_INPUT', `body.cell: ${problem}`, {
    details: { fields: [{ field: 'body.cell', problem }] },
  });
}

function idsOf(cells: readonly Cell[]): string[] {
  return cells.map(({ id }) => id);
}
