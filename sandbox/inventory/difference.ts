import { keyOf, sortItems, type Facts, type InventoryItem } from './item.ts';

/** One thing that is in both inventories, and not the same. */
export interface ChangedItem {
  readonly before: InventoryItem;
  readonly after: InventoryItem;
  readonly facts: readonly ChangedFact[];
}

/** One fact that differs; a side is undefined where the fact is not there. */
export interface ChangedFact {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What is in the later inventory only, in the earlier only, and in both with other facts; each sorted. */
export interface InventoryDifference {
  readonly added: readonly InventoryItem[];
  readonly removed: readonly InventoryItem[];
  readonly changed: readonly ChangedItem[];
}

/** Compares two inventories. Details, settings, tags and being a residue all count. */
export function difference(before: readonly InventoryItem[], after: readonly InventoryItem[]): InventoryDifference {
  const had = new Map(before.map((item) => [keyOf(item), item]));
  const has = new Map(after.map((item) => [keyOf(item), item]));
  return {
    added: sortItems(after.filter((item) => !had.has(keyOf(item)))),
    removed: sortItems(before.filter((item) => !has.has(keyOf(item)))),
    changed: sortItems(before).flatMap((item) => changeOf(item, has.get(keyOf(item)))),
  };
}

/** Whether nothing differs. */
export function isEmpty({ added, removed, changed }: InventoryDifference): boolean {
  return added.length + removed.length + changed.length === 0;
}

function changeOf(before: InventoryItem, after: InventoryItem | undefined): ChangedItem[] {
  if (!after) return [];
  const facts = changedFacts(factsOf(before), factsOf(after));
  return facts.length > 0 ? [{ before, after, facts }] : [];
}

function factsOf({ name, detail, settings, tags, residue }: InventoryItem): Facts {
  const tagFacts = Object.entries(tags ?? {}).map(([key, value]) => [`tag ${key}`, value] as const);
  return {
    ...(name === undefined ? {} : { name }),
    ...settings,
    ...detail,
    ...Object.fromEntries(tagFacts),
    ...(residue === undefined ? {} : { residue }),
  };
}

function changedFacts(before: Facts, after: Facts): ChangedFact[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .map((name) => ({ name, before: before[name], after: after[name] }))
    .filter((fact) => fact.before !== fact.after);
}
