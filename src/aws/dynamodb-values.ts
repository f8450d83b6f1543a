import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { rowMark } from '../accounts-router/fence.ts';
import type { Tags } from './tags.ts';

/** The attribute that tells whose an item is: a map of what would be its tags. Routers of accounts know it, too. */
export const MARK_ATTRIBUTE = rowMark;

/** The mark that an item bears; empty without one. */
export function markIn(attribute: AttributeValue | undefined): Tags {
  return Object.fromEntries(
    Object.entries(attribute?.M ?? {}).flatMap(([key, { S }]) => (S === undefined ? [] : [[key, S] as const])),
  );
}

/** What an attribute of an item may hold: as JSON has it. */
export type ItemValue =
  string | number | boolean | null | readonly ItemValue[] | { readonly [name: string]: ItemValue };

/** An item of a table: its keys and its other attributes. */
export type Item = Readonly<Record<string, ItemValue>>;

export function toAttributes(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toAttribute(value)]));
}

export function toAttribute(value: ItemValue): AttributeValue {
  if (value === null) return { NULL: true };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (isList(value)) return { L: value.map(toAttribute) };
  return { M: toAttributes(value) };
}

/** What has no equal in JSON (sets, binary) is left out: nothing of ours holds any. */
export function fromAttributes(attributes: Readonly<Record<string, AttributeValue>>): Item {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => {
      const read = fromAttribute(value);
      return read === undefined ? [] : [[name, read] as const];
    }),
  );
}

function fromAttribute(value: AttributeValue): ItemValue | undefined {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.NULL !== undefined) return null;
  if (value.L !== undefined) return value.L.map((member) => fromAttribute(member) ?? null);
  return value.M === undefined ? undefined : fromAttributes(value.M);
}

function isList(value: ItemValue): value is readonly ItemValue[] {
  return Array.isArray(value);
}
