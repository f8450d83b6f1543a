import type { Facts, InventoryItem } from '../item.ts';
import { ownerOfTags } from '../ownership.ts';
import type { AnswerTree } from './answer-tree.ts';

/** Any of AWS's tag lists (`Key`, `key` or `TagKey`) as a record. */
export function tagsOf(list: readonly AnswerTree[]): Facts {
  const first = (tag: AnswerTree, ...names: string[]) =>
    names.map((name) => tag.text(name)).find((v) => v !== '') ?? '';
  return Object.fromEntries(
    list.map((tag) => [first(tag, 'Key', 'key', 'TagKey'), first(tag, 'Value', 'value', 'TagValue')]),
  );
}

/** The item with its tags, and the owner that they name. */
export function tagged(item: InventoryItem, tags: Facts | undefined): InventoryItem {
  if (!tags || Object.keys(tags).length === 0) return item;
  const owner = item.owner ?? ownerOfTags(tags);
  return { ...item, tags, ...(owner && { owner }) };
}

/** Without what is empty. */
export function facts(given: Readonly<Record<string, string | number | undefined>>): Facts {
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => [name, String(value)]),
  );
}

/** What comes after the last `/` of an ARN. */
export function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** Splits a list into lists of at most this length. */
export function chunks<T>(list: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / length) }, (_, i) => list.slice(i * length, (i + 1) * length));
}
