/**
 * Works on what an iterator gives, so many at a time: one that hangs holds up its own place only. The first failure ends the
 * others, and is thrown once nothing is in flight.
 * @param work answers false when no further one is to be begun
 */
export async function sideBySide<T>(
  items: Iterable<T>,
  { atOnce, signal }: { readonly atOnce: number; readonly signal: AbortSignal },
  work: (item: T, signal: AbortSignal) => Promise<boolean>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue = items[Symbol.iterator]();
  const place = async () => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      either.throwIfAborted();
      if (!(await work(next.value, either))) return;
    }
  };
  const places = Array.from({ length: atOnce }, () =>
    place().catch((error: unknown) => {
      failed.abort(error);
    }),
  );
  await Promise.all(places);
  either.throwIfAborted();
}
