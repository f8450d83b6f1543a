import { isInUse } from '../contracts/tenant-status.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import type { LedgerEntry, SweptTenant } from '../db/sweep-ledger.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';

/** The ledger's rows that are not removed, found by what they are rows of. */
export interface LedgerView {
  readonly entries: readonly LedgerEntry[];
  /** Rows that a thing could be: by its name or by its physical id. */
  holdersOf(item: ItemKey): LedgerEntry[];
  /** The tenant's row that is this very thing's, or whose step takes the thing away as well. */
  holderOf(item: ItemKey, tenantId: string | undefined): LedgerEntry | undefined;
  /** Whether a row holds it that was seen to be made: what it is need not be looked at again. */
  isSettled(type: string, name: string, physicalId: string): boolean;
}

type ItemKey = Pick<SweptItem, 'type' | 'name' | 'physicalId'>;

export function ledgerView(entries: readonly LedgerEntry[], kinds: KindRegistry): LedgerView {
  const byKey = new Map<string, LedgerEntry[]>();
  const put = (key: string, entry: LedgerEntry) => byKey.set(key, [...(byKey.get(key) ?? []), entry]);
  for (const entry of entries) {
    const { type, name } = sweptNameOf(kinds, entry);
    put(`${type}|${name}`, entry);
    if (entry.physicalId !== null) put(`id|${entry.physicalId}`, entry);
  }
  const holdersOf: LedgerView['holdersOf'] = ({ type, name, physicalId }) => [
    ...new Set([...(byKey.get(`${type}|${name}`) ?? []), ...(byKey.get(`id|${physicalId}`) ?? [])]),
  ];
  return {
    entries,
    holdersOf,
    holderOf: (item, tenantId) =>
      holdersOf(item).find(
        (row) => row.tenantId === tenantId && (isRowOf(row, item.physicalId) || goesWithStep(kinds, row, item)),
      ),
    isSettled: (type, name, physicalId) => {
      const rows = holdersOf({ type, name, physicalId });
      const areMade = rows.every((row) => row.state === 'present' || row.state === 'ready');
      return areMade && rows.some((row) => isRowOf(row, physicalId));
    },
  };
}

/** A name may be had by several things (rules, revisions); where the row knows its thing's id, that decides. */
function isRowOf(row: LedgerEntry, physicalId: string): boolean {
  return row.physicalId === null || row.physicalId === physicalId;
}

/**
 * Whether the row's step, when it is taken back, finds the thing by its name. Not a rule: two of them compete for the same requests.
 * Not a revision: one that came late would stay for the tenant's life.
 */
function goesWithStep({ sweptTypes }: KindRegistry, { type, name, physicalId }: LedgerEntry, item: ItemKey): boolean {
  const place = (arn: string) => arn.split(':').slice(0, 5).join(':');
  const isAlike = type === item.type && name === item.name && place(physicalId ?? '') === place(item.physicalId);
  return sweptTypes.get(type)?.isFoundByName === true && isAlike;
}

/** What the sweep calls a row's thing: a record and its companion, a schema and its role are one to it. */
export function sweptNameOf(
  { sweptTypes, sweptTypeOf }: KindRegistry,
  { type: ledgerType, name }: Pick<LedgerEntry, 'type' | 'name'>,
): { type: string; name: string } {
  const type = sweptTypeOf(ledgerType) ?? ledgerType;
  return { type, name: sweptTypes.get(type)?.thingOf?.(name) ?? name };
}

/** The inverse: the ledger's types and names of one thing. */
export function ledgerNamesOf(
  { ledgerTypesOf, sweptTypes }: KindRegistry,
  { type, name }: Pick<SweptItem, 'type' | 'name'>,
): { types: string[]; names: string[] } {
  return { types: [...ledgerTypesOf(type)], names: [...(sweptTypes.get(type)?.ledgerNames?.(name) ?? [name])] };
}

/** A tenant that people use, or are about to use again. */
export function isLiving({ status }: Pick<SweptTenant, 'status'>): boolean {
  return isInUse(status);
}
