import type { Bench } from '../bench.ts';
import type { FaultCase } from './faults.ts';
import { FaultedLife } from './life.ts';

/** So many at once work; those that wait for an answer that never comes wait for nothing else. */
const AT_ONCE = 16;

/** Lives all cases side by side: late effects land between the stretches of all, and all are judged by the same inventories. */
export async function liveWave(
  bench: Bench,
  cases: readonly FaultCase[],
  calmShape: readonly string[],
): Promise<FaultedLife[]> {
  const lives = cases.map((of) => new FaultedLife(bench, of, calmShape));
  const { gateway } = bench.stand;
  await sideBySide(lives, (life) => life.makes());
  await gateway.whenQuiet();
  await Promise.all(lives.map((life) => life.judgeMade()));
  await sideBySide(lives, (life) => life.removes());
  await gateway.whenQuiet();
  await sideBySide(lives, (life) => life.finishes());
  await Promise.all(lives.map((life) => life.judgeGone()));
  return lives;
}

async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
