import type { Command } from 'commander';
import { loadPlatform } from '../config.ts';
import type { Platform } from '../contracts/platform.ts';
import type { CellInUse, TenantInCell } from '../db/cells-in-use.ts';
import type { Database } from '../db/database.ts';
import { isNeeded } from '../lost-cells.ts';
import { commandDatabase } from './command-database.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { openedRunner } from './opened-command.ts';

const help = `
What each cell of the platform description is used for, by the control database, and cells that are used and not in it. A cell without anything
left is taken out when a sweep that came after its last removal lists no leak (docs/cells.md). Needs DATABASE_URL and PLATFORM_CONFIG, and no AWS.

Exit codes:
  0  done
  1  a cell that the platform description lacks is in use
  2  wrong usage or settings, or PostgreSQL cannot be reached`;

/** Tenants that are named of each cell. */
const NAMED = 20;

export interface CellsParts {
  readonly database: Database;
  readonly platform: Platform;
  close(): Promise<void>;
}

interface CellReport {
  readonly cell: string;
  /** Null: the platform description lacks it. */
  readonly account: string | null;
  readonly region: string | null;
  readonly acceptsTenants: boolean;
  readonly isEmpty: boolean;
  readonly left: Omit<CellInUse, 'cell'> | null;
  readonly tenants: readonly TenantInCell[];
  readonly lastSweep: { readonly at: string; readonly leaks: number; readonly problems: number } | null;
}

/** `tenantry cells`: runs where the database is. */
export function registerCells(program: Command, source: () => Promise<CellsParts> = fromEnvironment): void {
  const run = openedRunner(source, {});
  program
    .command('cells')
    .description('cells, and what is left in each: tenants, open operations, resources, final dumps')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', help)
    .action((options: { json?: boolean }) => run((parts) => show(parts, options)));
}

async function fromEnvironment(): Promise<CellsParts> {
  const database = await commandDatabase('cells');
  const platform = loadPlatform();
  return { database, platform, close: () => database.close() };
}

async function show({ database, platform }: CellsParts, { json }: { readonly json?: boolean }): Promise<ExitCode> {
  const cells = await reports(database, platform);
  if (json) console.log(JSON.stringify({ cells }));
  else console.log(cells.map(lineOf).join('\n'));
  const isLost = ({ account, left }: CellReport) => account === null && left !== null && isNeeded(left);
  return cells.some(isLost) ? exitCodes.failed : exitCodes.done;
}

async function reports(database: Database, platform: Platform): Promise<CellReport[]> {
  const [{ listCellsInUse, listTenantsInCell }, { findNewestReport }, { takesTenants }] = await Promise.all([
    import('../db/cells-in-use.ts'),
    import('../db/sweep-reports.ts'),
    import('../products/places.ts'),
  ]);
  const inUse = new Map((await listCellsInUse(database)).map((used) => [used.cell, used]));
  const ids = [...new Set([...platform.cells.map(({ id }) => id), ...inUse.keys()])];
  const found: CellReport[] = [];
  for (const id of ids) {
    const cell = platform.cells.find((one) => one.id === id);
    const swept = await findNewestReport(database, id);
    found.push({
      cell: id,
      account: cell?.accountId ?? null,
      region: cell?.region ?? null,
      acceptsTenants: cell !== undefined && takesTenants(cell),
      isEmpty: !inUse.has(id),
      left: inUse.get(id) ?? null,
      tenants: await listTenantsInCell(database, id, NAMED),
      lastSweep: swept
        ? {
            at: swept.at,
            leaks: swept.findings.filter((finding) => finding.class === 'leak').length,
            problems: swept.problems.length,
          }
        : null,
    });
  }
  return found;
}

function lineOf(report: CellReport): string {
  const { acceptsTenants, account, cell, isEmpty, lastSweep, left, region, tenants } = report;
  const where = account === null ? 'NOT IN THE PLATFORM DESCRIPTION' : `account ${account}, ${region ?? ''}`;
  const takes = account === null ? '' : acceptsTenants ? ', takes tenants' : ', takes no new tenants';
  const swept = lastSweep
    ? `last sweep ${lastSweep.at}: ${lastSweep.leaks} leaks${lastSweep.problems > 0 ? `, ${lastSweep.problems} lists that could not be read` : ''}`
    : 'never swept';
  const more = (left?.tenants ?? 0) - tenants.length;
  return [
    `${cell}  ${where}${takes}`,
    `  ${isEmpty || left === null ? 'empty' : leftLine(left)}; ${swept}`,
    ...tenants.map(({ product, slug, status, tenantId }) => `  ${product}/${slug}  ${status}  ${tenantId}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}

function leftLine({ archives, archivesUntil, openOperations, resources, tenants }: Omit<CellInUse, 'cell'>): string {
  const until = archivesUntil === null ? '' : ` until ${archivesUntil.toISOString()}`;
  return `tenants ${tenants}, open operations ${openOperations}, resources ${resources}, final dumps ${archives}${until}`;
}
