import type { ItemChange, MarkedItem } from '../../aws/dynamodb-items.ts';
import type { Item } from '../../aws/dynamodb-values.ts';
import type { Difference } from '../../contracts/drift.ts';
import { isSameJson } from '../../contracts/stable-json.ts';
import { changedFields } from '../framework/differences.ts';

/** What an item is to be, beside its key and its mark. */
export interface WantedItem {
  /** The step's own. */
  readonly attributes: Item;
  /** Others' since the item was made. */
  readonly initial: readonly string[];
  readonly removesOthers: boolean;
  /** Names of what is nobody's there. */
  readonly absent: readonly string[];
  /** That were the step's by an earlier spec. */
  readonly earlier: readonly string[];
}

type Seen = Pick<MarkedItem, 'attributes' | 'names'>;

/** What brings an item to its spec; undefined when it is so already. Pure. */
export function changeOf(wanted: WantedItem, seen: Seen): ItemChange | undefined {
  const set = Object.fromEntries(
    Object.entries(wanted.attributes).filter(([name, value]) => !isSameJson(value, seen.attributes[name])),
  );
  const dropped = seen.names.filter((name) => wanted.earlier.includes(name) && !isKnown(wanted, name));
  const remove = [...new Set([...dropped, ...othersIn(wanted, seen)])];
  return Object.keys(set).length === 0 && remove.length === 0 ? undefined : { set, remove };
}

/** Attribute by attribute, what sets an item apart from its spec. Pure. */
export function itemDifferences(wanted: WantedItem, seen: Seen): Difference[] {
  const owned = Object.entries(wanted.attributes).map(
    ([name, value]) => [`attributes.${name}`, [value, seen.attributes[name]]] as const,
  );
  return [
    ...changedFields(Object.fromEntries(owned)),
    ...othersIn(wanted, seen).map((name): Difference => ({
      is: 'extra',
      field: `attributes.${name}`,
      found: seen.attributes[name],
    })),
  ];
}

/** What others added, where that is to be taken off. */
function othersIn(wanted: WantedItem, { names }: Seen): string[] {
  return names.filter((name) => wanted.absent.includes(name) || (wanted.removesOthers && !isKnown(wanted, name)));
}

function isKnown({ attributes, initial }: WantedItem, name: string): boolean {
  return Object.hasOwn(attributes, name) || initial.includes(name);
}
