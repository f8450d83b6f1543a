import { z } from 'zod';
import { openOperationStates } from '../contracts/operation-state.ts';
import { operationState, tenantStatus } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';
import { wasNotWithdrawn } from './tenants.ts';

/** How many steps the blueprint of an operation has. */
export async function countBlueprintSteps(db: Queryable, operationId: string): Promise<number> {
  const [row] = rowsOf(
    z.object({ steps: z.int() }),
    await db.query(`select jsonb_array_length(blueprint -> 'steps') as steps from operations where id = $1`, [
      operationId,
    ]),
  );
  return row?.steps ?? 0;
}

export interface Counts {
  /** Statuses that no tenant has are left out. */
  readonly tenants: Readonly<Partial<Record<z.output<typeof tenantStatus>, number>>>;
  readonly openOperations: Readonly<Partial<Record<z.output<typeof operationState>, number>>>;
}

/** How many tenants, withdrawn ones apart, are in which status, and how many open operations in which state. */
export async function countAll(db: Queryable): Promise<Counts> {
  const tenants = rowsOf(
    z.object({ status: tenantStatus, count: z.int() }),
    await db.query(`select status, count(*)::int as count from tenants where ${wasNotWithdrawn} group by status`),
  );
  const operations = rowsOf(
    z.object({ state: operationState, count: z.int() }),
    await db.query(`select state, count(*)::int as count from operations where state = any ($1) group by state`, [
      [...openOperationStates],
    ]),
  );
  return {
    tenants: Object.fromEntries(tenants.map((row) => [row.status, row.count])),
    openOperations: Object.fromEntries(operations.map((row) => [row.state, row.count])),
  };
}
