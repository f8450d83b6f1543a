import { strict as assert } from 'node:assert';
import type { Kind } from '../../src/kinds/framework/kind.ts';
import type { Bench } from '../bench.ts';
import { shapeDifference, shapeOf } from '../oracle.ts';
import { expectGone, intendedRows, made, type ConformanceCase } from './case.ts';

/** A step's life when nothing goes wrong, and when it is lived twice. */
export const lifeCases: readonly ConformanceCase[] = [
  {
    name: 'makes one thing when it is made twice',
    async run(bench) {
      const once = await shapeMadeBy(bench);
      const twice = await shapeMadeBy(bench, (kind) => ({
        ...kind,
        ensure: async (context) => {
          await kind.ensure(context);
          return kind.ensure(context);
        },
      }));
      assert.deepEqual(shapeDifference(once, twice), [], 'made twice is more, or other, than made once');
    },
  },
  {
    name: 'is gone when it is removed twice',
    async run(bench) {
      const twice = bench.stand.workerWith((kind) => ({
        ...kind,
        remove: async (context) => {
          await kind.remove(context);
          // What the first of two removals took, the second cannot see.
          return { ...(await kind.remove(context)), missing: false };
        },
      }));
      const driver = await made(bench, { worker: twice });
      await expectGone(bench, driver);
    },
  },
  {
    name: 'is gone when it is removed and was never made',
    async run(bench) {
      const driver = await bench.tenant();
      await driver.makeNeeds();
      await driver.beginUndo();
      assert.equal((await driver.remove()).status, 'removed', 'a step that was never begun');
      // The intent stands in the ledger, and the worker died before its first call.
      await expectGone(bench, (await intendedRows(bench)).driver);
    },
  },
];

/** What the inventory shows of a tenant that is made in calm and taken away again. */
export async function shapeMadeBy(bench: Bench, change: (kind: Kind) => Kind = (kind) => kind): Promise<string[]> {
  const driver = await made(bench, { worker: bench.stand.workerWith(change) });
  const shape = shapeOf(await bench.stand.oracle.itemsOf(driver.tenant), driver.tenant);
  await expectGone(bench, driver);
  return shape;
}
