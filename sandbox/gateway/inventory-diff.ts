/** One thing that exists in AWS (or a listener of a task on this machine). */
export interface InventoryItem {
  readonly kind: string;
  /** Unique in its kind: an ARN, or zone, name and type of a record. */
  readonly id: string;
  readonly detail?: string | undefined;
}

/** What was added (`+`), removed (`-`) and changed (`~`) from one inventory to another. */
export interface InventoryDiff {
  readonly added: readonly InventoryItem[];
  readonly removed: readonly InventoryItem[];
  readonly changed: readonly { readonly before: InventoryItem; readonly after: InventoryItem }[];
  /** One line per difference; empty when there is none. */
  readonly text: string;
}

/** Compares two inventories by kind and id. */
export function diffInventories(a: readonly InventoryItem[], b: readonly InventoryItem[]): InventoryDiff {
  const before = new Map(a.map((item) => [keyOf(item), item]));
  const after = new Map(b.map((item) => [keyOf(item), item]));
  const added = sortItems(b.filter((item) => !before.has(keyOf(item))));
  const removed = sortItems(a.filter((item) => !after.has(keyOf(item))));
  const changed = sortItems(a).flatMap((item) => {
    const now = after.get(keyOf(item));
    return now && now.detail !== item.detail ? [{ before: item, after: now }] : [];
  });
  const lines = [
    ...removed.map((item) => `- ${lineOf(item)}`),
    ...changed.map((c) => `~ ${lineOf(c.before)} -> ${c.after.detail ?? ''}`),
    ...added.map((item) => `+ ${lineOf(item)}`),
  ];
  return { added, removed, changed, text: lines.join('\n') };
}

/** By kind, then id. */
export function sortItems(items: readonly InventoryItem[]): InventoryItem[] {
  return [...items].sort((x, y) => compare(keyOf(x), keyOf(y)));
}

const keyOf = (item: InventoryItem) => `${item.kind}\u0000${item.id}`;
const lineOf = (item: InventoryItem) => `${item.kind} ${item.id}${item.detail ? ` (${item.detail})` : ''}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
