/**
 * A value of an item as it is now, all that is in it copied: what the caller does to its own while the call is under way is not sent, nor by a
 * later attempt. What the document client reads by its class (a number of another precision) keeps that; what does not change is not copied.
 */
export function copyValue<T>(value: T): T;
export function copyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return copyArray(value);
  if (value instanceof Set) return new Set(Array.from(value, (each: unknown) => copyValue(each)));
  if (value instanceof Map)
    return new Map(Array.from(value, ([key, each]: [unknown, unknown]) => [key, copyValue(each)]));
  if (value instanceof Uint8Array) return Uint8Array.prototype.slice.call(value);
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return structuredClone(value);
  // A Date, a boxed string, a Blob: by their class alone they are what they are.
  if (Object.prototype.toString.call(value) !== '[object Object]') return value;
  return copyObject(value);
}

/** Of an object that is a copy already: what its fields hold is copied, too. */
export function copyFieldValues(copy: Record<string, unknown>): Record<string, unknown> {
  for (const name of Object.keys(copy)) {
    const value = copy[name];
    if (typeof value === 'object' && value !== null) copy[name] = copyValue(value);
  }
  return copy;
}

/** Holes stay holes: the client leaves them out. */
function copyArray(list: readonly unknown[]): unknown[] {
  const copy: unknown[] = [];
  copy.length = list.length;
  for (let i = 0; i < list.length; i += 1) if (i in list) copy[i] = copyValue(list[i]);
  return copy;
}

function copyObject(given: object): object {
  const prototype: unknown = Object.getPrototypeOf(given);
  const copy = copyFieldValues({ ...given });
  if (prototype === Object.prototype || typeof prototype !== 'object') return copy;
  return Object.create(prototype, Object.getOwnPropertyDescriptors(copy)) as object;
}
