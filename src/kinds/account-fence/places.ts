import type { FencePlace } from '../../aws/dynamodb-fences.ts';
import type { StepContext } from '../framework/kind.ts';
import type { Within } from '../framework/within.ts';

/** The table that an account's rows are in, and its own, which they move to. */
export interface MoveTables {
  readonly table: string;
  readonly toTable: string;
}

type Context = Pick<StepContext, 'tenant'> & { readonly spec: MoveTables };

/** Of the fence: with the rows that are moved. */
export function fencePlaceOf({ spec: { table }, tenant }: Context): FencePlace {
  return { table, accountId: tenant.id };
}

/** Of the lock: in the account's own table. */
export function lockPlaceOf({ spec: { toTable }, tenant }: Context): FencePlace {
  return { table: toTable, accountId: tenant.id };
}

/** What of the tables lies outside the cell, or is not the tenant's, as sentences. */
export function tablesInCell(
  { table, toTable }: Partial<Readonly<Record<keyof MoveTables, unknown>>>,
  within: Within,
): readonly string[] {
  return [...within.table(table), ...within.tenantId(toTable)];
}
