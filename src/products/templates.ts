import type { Cell } from '../contracts/platform.ts';

/** The cell serves this product without naming the template that its tenants are cloned from. */
export class TemplateNotConfiguredError extends Error {
  override readonly name = 'TemplateNotConfiguredError';
}

/** Name of the template service of a component. @throws TemplateNotConfiguredError when the cell names none. */
export function templateServiceOf(cell: Cell, product: string, component: string): string {
  const name = cell.templateServices[product]?.[component];
  if (name === undefined) {
    throw new TemplateNotConfiguredError(`cell "${cell.id}" names no ${component} template service for ${product}`);
  }
  return name;
}
