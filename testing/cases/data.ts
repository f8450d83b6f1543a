import { strict as assert } from 'node:assert';
import { isPart, type ResourceType } from '../../src/kinds/framework/resource-type.ts';
import type { Bench } from '../bench.ts';
import { shapeDifference, shapeOf } from '../oracle.ts';
import { failureOf, type StepDriver } from '../tenant.ts';
import { expectGone, made, type ConformanceCase } from './case.ts';

export const dataCase: ConformanceCase = {
  name: 'keeps the data of a tenant that was ever active from an undo',
  async run(bench) {
    const { kind, sample, stand } = bench;
    const types = Object.entries<ResourceType>(kind.types).filter(([, type]) => !isPart(type) && type.holdsData);
    const told = types.map(([type]) => type).join(', ');
    if (sample.holdsData || types.length > 0)
      assert.ok(kind.holdsData, `${told || 'the sample'} holds data, and the kind does not say so: an undo removes it`);
    if (!kind.holdsData) return;
    assert.notEqual(types.length, 0, 'the kind holds data, and none of its types says so: the sweep removes it');
    const driver = await made(bench);
    const shape = shapeOf(await stand.oracle.itemsOf(driver.tenant), driver.tenant);
    await wasActive(bench, driver, true);
    await driver.beginUndo();
    const { code, message } = await failureOf(driver.remove());
    assert.equal(code, 'PROTECTED', `an undo was met with: ${message}`);
    const now = shapeOf(await stand.oracle.itemsOf(driver.tenant), driver.tenant);
    assert.deepEqual(shapeDifference(shape, now), [], 'changed by an undo that was refused');
    await wasActive(bench, driver, false);
    await expectGone(bench, driver);
  },
};

async function wasActive({ stand }: Bench, { tenant }: StepDriver, ever: boolean): Promise<void> {
  await stand.database.query('update tenants set activated_at = case when $2 then now() end where id = $1', [
    tenant.id,
    ever,
  ]);
}
