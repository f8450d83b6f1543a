/** Adds an entry to what is remembered; above the limit, those that were added first go. */
export function keepLatest<K, V>(known: Map<K, V>, key: K, value: V, most: number): void {
  known.set(key, value);
  for (const oldest of known.keys()) {
    if (known.size <= most) return;
    known.delete(oldest);
  }
}
