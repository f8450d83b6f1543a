import type { Cell } from '../contracts/platform.ts';
import { sweptTypes, type SweptItem, type SweptType } from '../contracts/sweep.ts';
import type { CatalogueEntry } from '../db/sweep-catalogue.ts';
import { ownershipTags, parseOwnershipMarker } from '../naming.ts';
import type { SweepDeps } from './dependencies.ts';
import type { LedgerView } from './ledger-view.ts';

export interface CellLook {
  readonly items: readonly SweptItem[];
  /** Types whose listing was whole: of the others nothing is said. */
  readonly listed: ReadonlySet<SweptType>;
  readonly problems: readonly { readonly what: string; readonly message: string }[];
}

type LookDeps = Pick<SweepDeps, 'aws' | 'tenantDatabases'>;

/** Everything that exists in a cell, type by type, one after the other: nothing waits for a sweep, tenants' calls do. */
export async function lookAtCell(
  deps: LookDeps,
  cell: Cell,
  ledger: Pick<LedgerView, 'isSettled'>,
  onProgress: () => void,
): Promise<CellLook> {
  const items: SweptItem[] = [];
  const listed = new Set<SweptType>();
  const problems: { what: string; message: string }[] = [];
  for (const type of sweptTypes) {
    try {
      items.push(...(await listType(deps, cell, type, ledger)));
      listed.add(type);
    } catch (error) {
      problems.push({ what: type, message: error instanceof Error ? error.message : String(error) });
    }
    onProgress();
  }
  return { items, listed, problems };
}

async function listType(
  deps: LookDeps,
  cell: Cell,
  type: SweptType,
  { isSettled }: Pick<LedgerView, 'isSettled'>,
): Promise<SweptItem[]> {
  if (type !== 'postgres:schema') return deps.aws(cell.id).inventory.types[type].list(isSettled);
  const items: SweptItem[] = [];
  for (const { id } of cell.tenantDatabases)
    items.push(...(await deps.tenantDatabases.listMarked(id)).map((entry) => schemaItem(id, entry)));
  return items;
}

/** One thing as it is now, looked at closely; undefined when it is not there. */
export async function lookAtThing(
  deps: LookDeps,
  cell: Cell,
  ref: Pick<SweptItem, 'type' | 'name' | 'physicalId'>,
): Promise<SweptItem | undefined> {
  if (ref.type !== 'postgres:schema') return deps.aws(cell.id).inventory.types[ref.type].find(ref);
  const slash = ref.physicalId.indexOf('/');
  const database = slash < 0 ? undefined : ref.physicalId.slice(0, slash);
  for (const { id } of cell.tenantDatabases.filter((d) => database === undefined || d.id === database)) {
    const [entry] = await deps.tenantDatabases.listMarked(id, ref.name);
    if (entry) return schemaItem(id, entry);
  }
  return undefined;
}

/** Schema and role of one name. The role's comment counts: a tenant owns its schema, and may write over that one's. */
function schemaItem(database: string, { name, role, schema }: CatalogueEntry): SweptItem {
  const mark = parseOwnershipMarker((role ? role.comment : schema?.comment) ?? '');
  return {
    type: 'postgres:schema',
    physicalId: `${database}/${name}`,
    name,
    tags: mark ? ownershipTags(mark) : {},
    createdAt: undefined,
    passing: undefined,
    seen: { database, name, role, schema },
  };
}
