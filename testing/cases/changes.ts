import { strict as assert } from 'node:assert';
import type { Step } from '../../src/contracts/blueprint.ts';
import { listSteps, recordApplied } from '../../src/db/steps.ts';
import type { Kind } from '../../src/kinds/framework/kind.ts';
import { differences } from '../../src/plan/differences.ts';
import type { Bench } from '../bench.ts';
import { shapeDifference, shapeOf } from '../oracle.ts';
import type { HandChange } from '../sample.ts';
import { changeTenant, failureOf, type StepDriver } from '../tenant.ts';
import { expectGone, made, takesOthersData, type ConformanceCase } from './case.ts';
import { differencesNow, expectDifference, expectNoDifference } from './drift.ts';
import { deletedByHand } from './hand.ts';

/** What was made and is not as it was, or is to be another. */
export const changeCases: readonly ConformanceCase[] = [
  {
    name: 'sees what was deleted by hand, and makes it anew',
    async run(bench) {
      const driver = await made(bench);
      const shape = await shapeNow(bench, driver);
      await expectNoDifference(bench, driver, 'nobody touched it');
      if (!(await deletedByHand(bench, driver))) return expectGone(bench, driver);
      await expectDifference(bench, driver, 'it was deleted by hand');
      const { code, message } = await failureOf(driver.observeOnce());
      assert.ok(notReady.includes(code), `looked at, and met with ${code}: ${message}`);
      await driver.make();
      assert.deepEqual(shapeDifference(shape, await shapeNow(bench, driver)), [], 'made anew, and another');
      await expectNoDifference(bench, driver, 'it was made anew');
      await expectGone(bench, driver);
    },
  },
  {
    name: 'is gone for good when it was deleted by hand',
    async run(bench) {
      const driver = await made(bench);
      await deletedByHand(bench, driver);
      await expectGone(bench, driver);
    },
  },
  {
    name: 'puts right what was changed by hand, or tells of it',
    demands: 'handChanges',
    async run(bench) {
      await Promise.all((bench.sample.handChanges ?? []).map((change) => putsRight(bench, change)));
    },
  },
  {
    name: 'is made again, as it was, after it was removed',
    async run(bench) {
      const driver = await made(bench);
      if (driver.tenant.step.id === 'finalize') return expectGone(bench, driver);
      const shape = await shapeNow(bench, driver);
      await driver.beginUndo();
      if (await driver.takeAway()) await driver.lookOnceMore();
      driver.tenant = await changeTenant(bench.stand, driver.tenant, [...driver.needs(), driver.tenant.step]);
      await driver.make();
      if (!takesOthersData(bench.kind))
        assert.deepEqual(shapeDifference(shape, await shapeNow(bench, driver)), [], 'made again, and another');
      await expectGone(bench, driver);
    },
  },
  {
    name: 'follows its spec when that changes, and when it changes back',
    demands: 'revised',
    async run(bench) {
      const { revised = (step: Step) => step } = bench.sample;
      const revise = (steps: readonly Step[]) =>
        steps.map((step, i) => (i === steps.length - 1 ? revised(step) : step));
      const anew = await made(bench, { steps: revise });
      const driver = await made(bench);
      // A change is accepted only where the kind says that it can make it.
      const { step } = driver.tenant;
      const [asked] = differences([step], [revised(step)], () => bench.kind);
      assert.deepEqual(asked?.problems, [], '`changeable` of the kind lacks what the revised sample changes');
      const original = [...driver.needs(), step];
      const [before, expected] = [await shapeNow(bench, driver), await shapeNow(bench, anew)];
      assert.notDeepEqual(before, expected, 'the revised sample makes nothing else');
      await follows(bench, driver, revise(original), { from: before, to: expected });
      await follows(bench, driver, original, { from: expected, to: before });
      await Promise.all([expectGone(bench, driver), expectGone(bench, anew)]);
    },
  },
];

/** As the next operation that succeeds changes it. What was applied may stay beside the new one until the operation after it. */
async function follows(
  bench: Bench,
  driver: StepDriver,
  steps: readonly Step[],
  { from, to }: { readonly from: readonly string[]; readonly to: readonly string[] },
): Promise<void> {
  await bench.stand.database.transaction((tx) => recordApplied(tx, driver.tenant.id));
  driver.tenant = await changeTenant(bench.stand, driver.tenant, steps);
  await driver.make();
  const kept = new Set(from.map((line) => `+ ${line}`));
  const others = shapeDifference(to, await shapeNow(bench, driver)).filter((line) => !kept.has(line));
  assert.deepEqual(others, [], 'unlike one made by the new spec');
}

async function shapeNow({ stand }: Bench, { tenant }: StepDriver): Promise<string[]> {
  return shapeOf(await stand.oracle.itemsOf(tenant), tenant);
}

/** What a look ends in that finds a step not ready, at its deadline or for good. */
const notReady = ['DEADLINE_EXCEEDED', 'SERVICE_FAILED', 'RULE_SHADOWED', 'OWNERSHIP_CONFLICT'];

/** `ensure` puts it right; or a look tells of it, as long as it lasts. */
async function putsRight(bench: Bench, { change, name, takeBack }: HandChange): Promise<void> {
  const { adminUrl: databaseUrl, aws, cell, database, gateway } = bench.stand;
  const driver = await made(bench);
  const shape = await shapeNow(bench, driver);
  const step = (await listSteps(database, driver.tenant.id)).find(({ stepId }) => stepId === driver.tenant.step.id);
  const credentials = { accessKeyId: cell.accountId, secretAccessKey: 'test' };
  const at = {
    endpointUrl: gateway.url,
    credentials,
    cell,
    aws,
    databaseUrl,
    host: driver.tenant.host,
    outputs: step?.outputs ?? {},
  };
  await change(at);
  if (takeBack) {
    const brought = (await differencesNow(bench, driver)).filter(({ remedy = 'repair' }) => remedy === 'repair');
    assert.deepEqual(brought, [], `${name}: differs says that a repair brings it back`);
    const { code, message } = await failureOf(driver.observeOnce());
    assert.ok(notReady.includes(code), `${name}: looked at, and met with ${code}: ${message}`);
    await takeBack(at);
    await driver.untilReady();
  } else {
    await expectDifference(bench, driver, name);
    assert.notDeepEqual(await shapeNow(bench, driver), shape, `${name}: nothing was changed`);
    const again = bench.before(driver, bench.stand.workerWith(rereading));
    await again.ensure();
    await again.untilReady();
  }
  assert.deepEqual(shapeDifference(shape, await shapeNow(bench, driver)), [], `${name}: it was not put right`);
  await expectNoDifference(bench, driver, `${name}: it was put right`);
  await expectGone(bench, driver);
}

/** A step that is ready with unchanged inputs is made again only where a look says that it is not: here what it read has changed. */
function rereading(kind: Kind): Kind {
  return { ...kind, fingerprint: () => Promise.resolve('changed') };
}
