import { copyFieldValues } from './copied-value.ts';
import { InputRefusedError } from './errors.ts';

/**
 * A copy of a plain object's own fields, each read once.
 * @throws InputRefusedError when it is none
 */
export function copyRecord(field: string, given: unknown): Record<string, unknown> {
  const isObject = typeof given === 'object' && given !== null;
  // The document client reads a Map and a Set by their content, which a copy of their fields would not hold.
  if (!isObject || Array.isArray(given) || given instanceof Map || given instanceof Set)
    throw new InputRefusedError(field, 'must be an object');
  return { ...given };
}

/** As {@link copyRecord}, with all that is in the fields. @throws InputRefusedError */
export function copyWhole(field: string, given: unknown): Record<string, unknown> {
  return copyFieldValues(copyRecord(field, given));
}

/**
 * A copy of the fields of an input, all of which are on the list; one that is undefined counts as not given.
 * @param prefix the path that leads to them, empty or ending in a dot
 * @throws InputRefusedError for a field that is not on the list: `TableName`, a legacy parameter, a slip of the pen
 */
export function copyFields<F extends string>(
  prefix: string,
  given: unknown,
  allowed: readonly F[],
): Partial<Record<F, unknown>> {
  const found: Partial<Record<F, unknown>> = {};
  const copy = copyRecord(prefix.slice(0, -1) || 'input', given);
  for (const name of Object.keys(copy)) {
    const value = copy[name];
    if (value === undefined) continue;
    if (!isOneOf(allowed, name)) throw new InputRefusedError(`${prefix}${name}`, whyNotTaken(name, allowed));
    found[name] = value;
  }
  return found;
}

function isOneOf<F extends string>(allowed: readonly F[], name: string): name is F {
  const names: readonly string[] = allowed;
  return names.includes(name);
}

/** A copy of an array. @throws InputRefusedError when it is none */
export function copyList(field: string, given: unknown): unknown[] {
  if (!Array.isArray(given)) throw new InputRefusedError(field, 'must be an array');
  return Array.from(given, (each: unknown) => each);
}

function whyNotTaken(name: string, allowed: readonly string[]): string {
  if (name === 'TableName') return 'the router names the table, by the account';
  return `is not taken; what is: ${allowed.join(', ')}`;
}
