import type { Cell, Platform } from '../../src/contracts/platform.ts';
import { accountsInExample, exampleCell } from '../../testing/example-cell.ts';

export { accountsInExample, exampleCell };

/** What a tenant of two components takes of its load balancer. */
export const twoComponents = { rules: 3, targetGroups: 2 } as const;

export function examplePlatform(overrides: Partial<Cell> = {}): Platform {
  return { version: 1, cells: [exampleCell(overrides)] };
}
