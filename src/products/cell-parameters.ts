import type { Cell } from '../contracts/platform.ts';
import type { Product } from './product.ts';

/** The cell serves this product without giving the SSM parameters that it reads. */
export class ParametersNotConfiguredError extends Error {
  override readonly name = 'ParametersNotConfiguredError';
}

/** Of those that the product declares, the names without a value in the cell's description. */
export function missingParameters(
  { ssmParameters: given = {} }: Pick<Cell, 'ssmParameters'>,
  { ssmParameters = [] }: Pick<Product, 'ssmParameters'>,
): string[] {
  return ssmParameters.filter((name) => !Object.hasOwn(given, name));
}

/** @throws ParametersNotConfiguredError naming all that are missing */
export function refuseMissingParameters(cell: Cell, product: Pick<Product, 'name' | 'ssmParameters'>): void {
  const missing = missingParameters(cell, product);
  if (missing.length === 0) return;
  throw new ParametersNotConfiguredError(
    `cell "${cell.id}" gives no value for ${missing.join(', ')}, which ${product.name} needs: add to its \`ssmParameters\``,
  );
}
