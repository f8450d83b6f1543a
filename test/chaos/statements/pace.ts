import { setTimeout as sleep } from 'node:timers/promises';
import type { CallRecord } from '../../../sandbox/gateway/gateway.ts';

/** Below what one load balancer takes (33 tenants): most of those that live at once only wait. */
const AT_ONCE = 30;
/** Whatever the machine says, so many live: else one that is busy with other things would stop the work. */
const AT_LEAST = 6;
/** Of a call of AWS, on average, without those that were struck: above it calls miss their time-outs, and what is tested is the machine. */
const LONGEST_CALL_MS = 150;
const LOOK_EVERY_MS = 200;

/** Works through a list side by side, as many at a time as the machine keeps up with. */
export async function paced<T>(
  calls: (afterSeq?: number) => readonly CallRecord[],
  items: readonly T[],
  work: (item: T) => Promise<void>,
  { atOnce = AT_ONCE }: { readonly atOnce?: number } = {},
): Promise<void> {
  const running = new Set<Promise<void>>();
  let seen = calls().at(-1)?.seq ?? 0;
  for (const item of items) {
    for (;;) {
      await sleep(LOOK_EVERY_MS);
      const answered = calls(seen).filter((call) => call.fault === undefined);
      seen = calls(seen).at(-1)?.seq ?? seen;
      const isQuick = meanMs(answered) < LONGEST_CALL_MS;
      if (running.size < Math.min(AT_LEAST, atOnce) || (isQuick && running.size < atOnce)) break;
    }
    const one = work(item).finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
}

function meanMs(calls: readonly CallRecord[]): number {
  if (calls.length === 0) return 0;
  return calls.reduce((sum, call) => sum + call.durationMs, 0) / calls.length;
}
