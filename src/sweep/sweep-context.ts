import type { Cell } from '../contracts/platform.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import type { Queryable } from '../db/database.ts';
import {
  findEntries,
  findSweptTenants,
  listHeldEntries,
  listRemovedEntries,
  listStepNames,
  type SweptTenant,
} from '../db/sweep-ledger.ts';
import type { SweepRecords } from './classification.ts';
import { nowOf, type SweepDeps } from './dependencies.ts';
import { ownerIn } from '../naming.ts';
import { ledgerNamesOf, ledgerView } from './ledger-view.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import type { Names } from './names.ts';
import { listsToo } from './other-cells.ts';

/** What the ledger says of some things, read at one moment. */
export async function sweepContextOf(
  deps: Pick<SweepDeps, 'catalog' | 'installationId' | 'now' | 'platform'>,
  at: Queryable,
  cell: Cell,
  names: Names,
  items: readonly SweptItem[],
): Promise<SweepRecords> {
  const { kinds } = deps.catalog;
  const ledger = ledgerView(await listHeldEntries(at), kinds);
  const marked = items.flatMap(({ tags }) => (tags === undefined ? [] : (ownerIn(tags).tenantId ?? [])));
  const named = items.flatMap((item) => kinds.sweptTypes.get(item.type)?.tenantIn?.(item.name) ?? []);
  const ids = new Set([...marked, ...named, ...ledger.entries.map((entry) => entry.tenantId)]);
  const tenants = new Map((await findSweptTenants(at, [...ids])).map((tenant) => [tenant.id, tenant]));
  const { installationId, platform } = deps;
  const isListedIn = (id: string, item: SweptItem) => {
    const other = platform.cells.find((c) => c.id === id);
    const type = kinds.sweptTypes.get(item.type);
    return other !== undefined && type !== undefined && listsToo(other, cell, item, type);
  };
  const everMade = await madeOnce(at, kinds, installationId, items, tenants);
  const removedRowOf = await removedRows(at, installationId, items);
  const stepNames = named.length === 0 ? new Set<string>() : await listStepNames(at, named);
  return {
    installationId,
    cell: cell.id,
    kinds,
    isListedIn,
    names,
    ledger,
    tenants,
    now: nowOf(deps),
    everMade,
    removedRowOf,
    stepNames,
  };
}

/** Asked only of things that do not carry this installation's mark. */
async function removedRows(
  at: Queryable,
  installationId: string,
  items: readonly SweptItem[],
): Promise<SweepRecords['removedRowOf']> {
  const others = items.filter(({ tags }) => tags !== undefined && ownerIn(tags).installationId !== installationId);
  const ids = others.map(({ physicalId }) => physicalId);
  const rows = ids.length === 0 ? [] : await listRemovedEntries(at, ids);
  const byId = new Map(rows.map((row) => [row.physicalId, row]));
  return (physicalId) => byId.get(physicalId);
}

/** Asked only of marked things of known tenants that no row holds any more. */
async function madeOnce(
  at: Queryable,
  kinds: KindRegistry,
  installationId: string,
  items: readonly SweptItem[],
  tenants: ReadonlyMap<string, SweptTenant>,
): Promise<SweepRecords['everMade']> {
  const made = new Set<string>();
  for (const item of items) {
    const owner = item.tags && ownerIn(item.tags);
    if (!owner || owner.installationId !== installationId || !tenants.has(owner.tenantId ?? '')) continue;
    const rows = await findEntries(at, { ...ledgerNamesOf(kinds, item), physicalId: item.physicalId });
    for (const row of rows) made.add(`${row.tenantId}|${item.type}|${item.name}`);
  }
  return (tenantId, { type, name }) => made.has(`${tenantId}|${type}|${name}`);
}
