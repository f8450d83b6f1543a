/** JSON in which the order of keys does not matter. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Whether two values say the same as JSON, in whichever order their fields are. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return stableJson(a) === stableJson(b);
}
