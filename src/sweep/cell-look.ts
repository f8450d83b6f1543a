import type { Cell } from '../contracts/platform.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import type { CellAccess } from '../kinds/framework/resource-type.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import type { SweepDeps } from './dependencies.ts';
import type { LedgerView } from './ledger-view.ts';

export interface CellLook {
  readonly items: readonly SweptItem[];
  /** Types whose listing was whole: of the others nothing is said. */
  readonly listed: ReadonlySet<string>;
  readonly problems: readonly { readonly what: string; readonly message: string }[];
}

type LookDeps = Pick<SweepDeps, 'aws' | 'catalog' | 'tenantDatabases'>;

/** Everything that exists in a cell, type by type, one after the other: nothing waits for a sweep, tenants' calls do. */
export async function lookAtCell(
  deps: LookDeps,
  cell: Cell,
  { entries, isSettled }: Pick<LedgerView, 'entries' | 'isSettled'>,
  onProgress: () => void,
): Promise<CellLook> {
  const items: SweptItem[] = [];
  const listed = new Set<string>();
  const problems: { what: string; message: string }[] = [];
  for (const [type, { list }] of deps.catalog.kinds.sweptTypes) {
    try {
      items.push(...(await list(accessTo(deps, cell)).list(isSettled)));
      listed.add(type);
    } catch (error) {
      problems.push({ what: type, message: error instanceof Error ? error.message : String(error) });
    }
    onProgress();
  }
  return { items, listed, problems: [...problems, ...unlistedTypes(deps.catalog.kinds, cell, entries)] };
}

/** Types that the ledger holds and no kind makes: the report knows nothing of their things, so it must not look clean. */
function unlistedTypes(
  { sweptTypeOf }: KindRegistry,
  cell: Cell,
  entries: LedgerView['entries'],
): CellLook['problems'] {
  const rows = entries.filter(({ cell: of, type }) => of === cell.id && sweptTypeOf(type) === undefined);
  return [...new Set(rows.map(({ type }) => type))].sort().map((what) => ({
    what,
    message:
      `no kind that is loaded makes it, and the ledger holds ${rows.filter(({ type }) => type === what).length} of it:` +
      ' they were not looked for. Run it with the tenantry.config.ts of the workers (TENANTRY_CONFIG)',
  }));
}

/** One thing as it is now, looked at closely; undefined when it is not there. */
export async function lookAtThing(
  deps: LookDeps,
  cell: Cell,
  { type, ...ref }: Pick<SweptItem, 'type' | 'name' | 'physicalId'>,
): Promise<SweptItem | undefined> {
  return deps.catalog.kinds.sweptTypes.get(type)?.list(accessTo(deps, cell)).find(ref);
}

export function accessTo({ aws, tenantDatabases }: Omit<LookDeps, 'catalog'>, cell: Cell): CellAccess {
  return { cell, aws: aws(cell.id), tenantDatabases };
}
