/**
 * Keeps a value in a map that holds `most` keys: of more, the one that was kept longest ago goes first. To keep what is there already counts too.
 */
export function keepRecent<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
