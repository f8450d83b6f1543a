import {
  describeChange,
  describeItem,
  difference,
  renderDifference,
  type InventoryItem,
} from '../inventory/inventory.ts';
import type { Finished } from './provision.ts';
import { isResidue, residuesOf } from './residues.ts';

export interface Inventories {
  readonly before: readonly InventoryItem[];
  /** While the tenant was active. */
  readonly between: readonly InventoryItem[];
  readonly after: readonly InventoryItem[];
}

/** How many things there were of each kind, at the three moments. */
export function printInventories({ before, between, after }: Inventories): void {
  const kinds = [...new Set([...before, ...between, ...after].map((item) => item.kind))].sort();
  const count = (items: readonly InventoryItem[], kind: string) => items.filter((item) => item.kind === kind).length;
  const row = (name: string, ...cells: (string | number)[]) =>
    console.log(`    ${name.padEnd(30)}${cells.map((cell) => String(cell).padStart(9)).join('')}`);
  console.log('\n  the inventory of AWS and PostgreSQL');
  row('', 'before', 'active', 'after');
  for (const kind of kinds) row(kind, count(before, kind), count(between, kind), count(after, kind));
  row('all', before.length, between.length, after.length);
  console.log();
}

/** What being active added. */
export function printTenant(before: readonly InventoryItem[], between: readonly InventoryItem[]): void {
  console.log('  what the tenant was made of');
  console.log(renderDifference(difference(before, between)).replace(/^/gm, '    '));
  console.log();
}

/** What the deletion left, or took along, of what was there before: prints it, and answers how much of it nothing explains. */
export function compare(
  before: readonly InventoryItem[],
  after: readonly InventoryItem[],
  deleted: Pick<Finished, 'events'>,
): number {
  const { added, removed, changed } = difference(before, after);
  const residues = residuesOf(deleted.events);
  const explained = added.filter((item) => isResidue(item, residues));
  const unexplained = added.filter((item) => !isResidue(item, residues));
  for (const item of explained) console.log(`    residue ${describeItem(item)}`);
  for (const { type, name, reason, expiresAt } of residues)
    console.log(`      named by Tenantry: ${type} ${name}: ${reason}${expiresAt ? `, until ${expiresAt}` : ''}`);
  for (const item of unexplained) console.error(`  + LEAKED ${describeItem(item)}`);
  for (const item of removed) console.error(`  - GONE   ${describeItem(item)}`);
  for (const change of changed) console.error(`  ~ OTHER  ${describeChange(change)}`);
  return unexplained.length + removed.length + changed.length;
}
