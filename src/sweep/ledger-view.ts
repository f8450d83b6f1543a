import type { SweptItem, SweptType } from '../contracts/sweep.ts';
import { sweptTypes } from '../contracts/sweep.ts';
import type { LedgerEntry, SweptTenant } from '../db/sweep-ledger.ts';

/** The ledger's rows that are not removed, found by what they are rows of. */
export interface LedgerView {
  readonly entries: readonly LedgerEntry[];
  /** Rows that a thing could be: by its name or by its physical id. */
  holdersOf(item: ItemKey): LedgerEntry[];
  /** The tenant's row that is this very thing's, or whose step takes the thing away as well. */
  holderOf(item: ItemKey, tenantId: string | undefined): LedgerEntry | undefined;
  /** Whether a row holds it that was seen to be made: what it is need not be looked at again. */
  isSettled(type: SweptType, name: string, physicalId: string): boolean;
}

type ItemKey = Pick<SweptItem, 'type' | 'name' | 'physicalId'>;

export function ledgerView(entries: readonly LedgerEntry[]): LedgerView {
  const byKey = new Map<string, LedgerEntry[]>();
  const put = (key: string, entry: LedgerEntry) => byKey.set(key, [...(byKey.get(key) ?? []), entry]);
  for (const entry of entries) {
    const { type, name } = sweptNameOf(entry);
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
        (row) => row.tenantId === tenantId && (isRowOf(row, item.physicalId) || goesWithStep(row, item)),
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
 * Types whose step, when it is taken back, looks for all that is the tenant's by name, because the name is had by one thing only.
 * Not rules: two of them compete for the same requests. Not revisions: one that came late would stay for the tenant's life.
 */
const takenByName: readonly string[] = ['elbv2:target-group', 'secretsmanager:secret'];

function goesWithStep({ type, name, physicalId }: LedgerEntry, item: ItemKey): boolean {
  const place = (arn: string) => arn.split(':').slice(0, 5).join(':');
  const isAlike = type === item.type && name === item.name && place(physicalId ?? '') === place(item.physicalId);
  return takenByName.includes(type) && isAlike;
}

/** A record and its companion, a schema and its role are one thing to the sweep. */
export function sweptNameOf({ type, name }: Pick<LedgerEntry, 'type' | 'name'>): { type: string; name: string } {
  if (type === 'route53:record') return { type, name: name.replace(/^_tenantry\./, '') };
  return { type: type === 'postgres:role' ? 'postgres:schema' : type, name };
}

/** The inverse: the ledger's types and names of one thing. */
export function ledgerNamesOf({ type, name }: Pick<SweptItem, 'type' | 'name'>): { types: string[]; names: string[] } {
  if (type === 'route53:record') return { types: [type], names: [name, `_tenantry.${name}`] };
  return { types: type === 'postgres:schema' ? [type, 'postgres:role'] : [type], names: [name] };
}

export function isSwept(type: string): type is SweptType {
  return (sweptTypes as readonly string[]).includes(type);
}

/** A tenant that people use, or are about to use again. */
export function isLiving({ status }: Pick<SweptTenant, 'status'>): boolean {
  switch (status) {
    case 'active':
    case 'suspending':
    case 'suspended':
    case 'resuming':
    case 'updating':
    case 'migrating':
      return true;
    case 'pending':
    case 'validating':
    case 'creating':
    case 'failed':
    case 'deleting':
    case 'deleted':
      return false;
  }
}
