import type { Platform } from './contracts/platform.ts';
import { listCellsInUse, type CellInUse } from './db/cells-in-use.ts';
import type { Queryable } from './db/database.ts';

/** Of the cells that are in use, those that the platform description does not have any more. */
export function lostOf(inUse: readonly CellInUse[], { cells }: Pick<Platform, 'cells'>): CellInUse[] {
  const known = new Set(cells.map(({ id }) => id));
  return inUse.filter(({ cell }) => !known.has(cell));
}

/** Lost cells that are needed for tenants, as sentences; final dumps alone keep no worker from starting. */
export async function lostCellProblems(db: Queryable, platform: Pick<Platform, 'cells'>): Promise<string[]> {
  return lostOf(await listCellsInUse(db), platform)
    .filter(isNeeded)
    .map(lostCellProblem);
}

export function lostCellProblem(used: CellInUse): string {
  return `cell "${used.cell}" is not in the platform description, and has ${leftIn(used)}: put it back, with "acceptsTenants": false, until \`tenantry cells\` says that it is empty`;
}

/** Whether tenants need the cell: final dumps that are kept do without workers. */
export function isNeeded({ openOperations, resources, tenants }: Omit<CellInUse, 'cell'>): boolean {
  return tenants + openOperations + resources > 0;
}

/** What is left in a cell, for people. */
export function leftIn({ archives, archivesUntil, openOperations, resources, tenants }: CellInUse): string {
  const until = archivesUntil === null ? '' : ` until ${archivesUntil.toISOString()}`;
  const all = [
    counted(tenants, 'tenant'),
    counted(openOperations, 'open operation'),
    counted(resources, 'resource'),
    counted(archives, `final dump${archives === 1 ? '' : 's'}${until}`, ''),
  ];
  return all.filter((one) => one !== undefined).join(', ');
}

function counted(count: number, what: string, plural = 's'): string | undefined {
  if (count === 0) return undefined;
  return `${count} ${what}${count === 1 ? '' : plural}`;
}
