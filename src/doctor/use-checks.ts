import type { Platform } from '../contracts/platform.ts';
import type { Queryable } from '../db/database.ts';
import { listCellsInUse } from '../db/cells-in-use.ts';
import { isNeeded, leftIn, lostCellProblem, lostOf } from '../lost-cells.ts';
import { takesTenants } from '../products/places.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

/** Cells that are gone from the platform description though they are in use, and what is left in those that take no tenants. */
export async function checkUse(db: Queryable, platform: Pick<Platform, 'cells'>): Promise<Finding[]> {
  const inUse = await listCellsInUse(db);
  const lost = lostOf(inUse, platform);
  const needed = lost.filter(isNeeded).map((used) => problem('cells', `${lostCellProblem(used)}; no worker starts`));
  const dumps = lost
    .filter((used) => !isNeeded(used))
    .map((used) =>
      warning(
        'cells',
        `cell "${used.cell}" is not in the platform description, and has ${leftIn(used)}: no worker removes that when it expires, only a lifecycle rule of the bucket does`,
      ),
    );
  const closed = platform.cells.filter((cell) => !takesTenants(cell));
  return [
    ...needed,
    ...dumps,
    ...closed.map(({ id }) => {
      const subject = `cell ${id}: takes no new tenants`;
      const used = inUse.find(({ cell }) => cell === id);
      if (used) return warning(subject, `it still has ${leftIn(used)} (\`tenantry cells\`)`);
      return ok(subject, 'nothing of the ledger is left in it: sweep it once more, then take it out (docs/cells.md)');
    }),
  ];
}
