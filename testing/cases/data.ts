import { strict as assert } from 'node:assert';
import { recordApplied } from '../../src/db/steps.ts';
import { isPart, type ResourceType, type SweptType } from '../../src/kinds/framework/resource-type.ts';
import type { Bench } from '../bench.ts';
import { shapeDifference, shapeOf } from '../oracle.ts';
import { changeTenant, failureOf, type StepDriver } from '../tenant.ts';
import { expectGone, made, takesOthersData, type ConformanceCase } from './case.ts';
import { expectDifference } from './drift.ts';
import { deletedByHand } from './hand.ts';

/** A tenant's data goes with its deletion alone, and nothing empty passes for it. */
export const dataCases: readonly ConformanceCase[] = [
  {
    name: 'keeps the data of a tenant that was ever active from an undo',
    async run(bench) {
      const { kind, sample, stand } = bench;
      const types = Object.entries<ResourceType>(kind.types).filter(([, type]) => !isPart(type) && type.holdsData);
      const told = types.map(([type]) => type).join(', ');
      if (sample.holdsData || types.length > 0)
        assert.ok(
          kind.holdsData,
          `${told || 'the sample'} holds data, and the kind does not say so: an undo removes it`,
        );
      if (!kind.holdsData) return;
      if (!takesOthersData(kind))
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
  },
  {
    name: 'makes nothing empty in the place of data that was deleted by hand, once the tenant was active',
    async run(bench) {
      if (!bench.kind.holdsData || takesOthersData(bench.kind)) return;
      await staysLost(bench, ({ holdsData }) => holdsData === true);
      await staysLost(bench, () => true);
    },
  },
];

/** Of what one step makes, the part with the data is deleted, or all. */
async function staysLost(bench: Bench, isMeant: (type: SweptType) => boolean): Promise<void> {
  const { database, oracle } = bench.stand;
  const driver = await made(bench);
  await wasActive(bench, driver, true);
  await database.transaction((tx) => recordApplied(tx, driver.tenant.id));
  await deletedByHand(bench, driver, isMeant);
  const shape = shapeOf(await oracle.itemsOf(driver.tenant), driver.tenant);
  const found = await expectDifference(bench, driver, 'its data was deleted by hand');
  assert.ok(
    found.some(({ is, remedy }) => is === 'missing' && remedy === 'hand'),
    `data is gone, and differs tells it otherwise: ${JSON.stringify(found)}`,
  );
  driver.tenant = await changeTenant(bench.stand, driver.tenant, [...driver.needs(), driver.tenant.step]);
  const { code, message } = await failureOf(driver.ensure());
  assert.equal(code, 'DATA_LOST', `made anew, without the tenant's data, or met with: ${message}`);
  const now = shapeOf(await oracle.itemsOf(driver.tenant), driver.tenant);
  assert.deepEqual(shapeDifference(shape, now), [], 'something was made in the place of data that is gone');
  await wasActive(bench, driver, false);
  await expectGone(bench, driver);
}

async function wasActive({ stand }: Bench, { tenant }: StepDriver, ever: boolean): Promise<void> {
  await stand.database.query('update tenants set activated_at = case when $2 then now() end where id = $1', [
    tenant.id,
    ever,
  ]);
}
