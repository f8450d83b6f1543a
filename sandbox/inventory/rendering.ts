import type { ChangedFact, ChangedItem, InventoryDifference } from './difference.ts';
import type { InventoryItem, Owner } from './item.ts';

/** One line: kind, name, details, and whose it is. */
export function describeItem(item: InventoryItem): string {
  const facts = Object.entries(item.detail ?? {}).map(([name, value]) => `${name} ${value}`);
  if (item.residue !== undefined) facts.push(`residue: ${item.residue}`);
  const detail = facts.length > 0 ? ` (${facts.join(', ')})` : '';
  return clean(`${item.kind} ${item.name ?? item.id}${detail}${ownerText(item.owner)}`);
}

/** One line: what became of the thing's facts. */
export function describeChange({ before, after, facts }: ChangedItem): string {
  const owner = ownerText(after.owner ?? before.owner);
  return clean(`${after.kind} ${after.name ?? after.id}: ${facts.map(factText).join(', ')}${owner}`);
}

/** Reads like a diff: a line per thing that went (`-`), changed (`~`) or came (`+`); empty when nothing differs. */
export function renderDifference({ added, removed, changed }: InventoryDifference): string {
  return [
    ...removed.map((item) => `- ${describeItem(item)}`),
    ...changed.map((change) => `~ ${describeChange(change)}`),
    ...added.map((item) => `+ ${describeItem(item)}`),
  ].join('\n');
}

function factText({ name, before, after }: ChangedFact): string {
  return `${name} ${before ?? '(none)'} -> ${after ?? '(none)'}`;
}

function ownerText(owner: Owner | undefined): string {
  if (!owner) return '';
  return ` [tenant ${owner.tenantId}${owner.step ? `, ${owner.step}` : ''}]`;
}

/** What somebody called a thing must not break the line. */
function clean(line: string): string {
  return line.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
