import { strict as assert } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { describeItem, type InventoryItem } from '../../sandbox/inventory/inventory.ts';
import { listLedger } from '../../src/db/ledger.ts';
import { listLeftovers } from '../../src/db/leftovers.ts';
import type { Bench } from '../bench.ts';
import { isThing, withoutResidue } from '../oracle.ts';
import { blindedTo, planting, strangers, type Stranger } from '../strangers.ts';
import { failureOf, type StepDriver } from '../tenant.ts';
import { expectGone, made, type ConformanceCase } from './case.ts';

export const ownershipCases: readonly ConformanceCase[] = [
  {
    name: "refuses what is somebody else's at its name, and leaves it untouched",
    async run(bench) {
      const met = await Promise.all(strangers.map((stranger) => meetsStranger(bench, stranger)));
      assertAllTypes(bench, met.flat(), 'could not be made as if by somebody else: its mark is not looked at');
    },
  },
  {
    name: 'is still present, and named, when it lost its mark while it lived',
    async run(bench) {
      const tellings = await Promise.all(
        strangers.map(async (stranger) => ((await plant(bench, stranger)).planted.length > 0 ? [stranger] : [])),
      );
      const lost = await Promise.all(tellings.flat().map((stranger) => losesMark(bench, stranger)));
      assertAllTypes(bench, lost.flat(), 'was not named when it had lost its mark');
    },
  },
];

/** Every type that the kind makes was met; what is a part of another is judged with it. */
function assertAllTypes({ kind }: Bench, seen: readonly string[], what: string): void {
  const missing = Object.keys(kind.types).filter((type) => !seen.includes(type));
  assert.deepEqual(missing, [], what);
}

/** Types that the stranger had at the step's names. */
async function meetsStranger(bench: Bench, stranger: Stranger): Promise<string[]> {
  const { theirs, planted } = await plant(bench, stranger);
  const driver = bench.before(theirs, bench.stand.workerWith());
  if (planted.length > 0) {
    const { code, message } = await failureOf(driver.retried(driver.tenant.step.id, 'ensure', () => driver.ensure()));
    assert.equal(code, 'OWNERSHIP_CONFLICT', `${stranger.name}, was met with: ${message}`);
    await expectUntouched(bench, planted, 'was changed by a step that was to be made');
  }
  await driver.beginUndo();
  if (await driver.takeAway()) await driver.lookOnceMore();
  await expectUntouched(bench, planted, 'was changed by a step that was to be removed');
  return planted.map(({ kind }) => kind);
}

/** Makes the step's thing as if by the stranger: what of it is at the step's names, and is not the tenant's. */
async function plant(bench: Bench, stranger: Stranger) {
  const { stand } = bench;
  const theirs = await bench.tenant({ worker: stand.workerWith((kind) => planting(kind, stranger)) });
  await theirs.makeNeeds();
  await failureOf(theirs.ensure());
  const isOwn = ({ owner }: InventoryItem) =>
    owner?.installation === stand.installationId && owner.tenantId === theirs.tenant.id;
  return { theirs, planted: (await settledAtNames(bench, theirs)).filter((item) => !isOwn(item)) };
}

async function expectUntouched({ stand }: Bench, planted: readonly InventoryItem[], otherwise: string): Promise<void> {
  const all = await stand.oracle.everything();
  const now = all.filter((item) => planted.some(({ kind, id }) => kind === item.kind && id === item.id));
  assert.deepEqual(described(now), described(planted), otherwise);
}

/** Types that the step's removal named. */
async function losesMark(bench: Bench, stranger: Stranger): Promise<string[]> {
  const { stand } = bench;
  const driver = await made(bench);
  const before = await thingsAtNames(bench, driver);
  await driver.beginUndo();
  const blinded = bench.before(
    driver,
    stand.workerWith((kind) => blindedTo(kind, stranger)),
  );
  const { code, message } = await failureOf(blinded.remove());
  // Where the stranger's names are all others, nothing is found: that says nothing.
  if (code === 'INVALID_REQUEST') {
    await expectGone(bench, driver);
    return [];
  }
  assert.equal(code, 'STILL_PRESENT', `${stranger.name}, was met with: ${message}`);
  const named = Object.keys(bench.kind.types).filter((type) => message.includes(type));
  const leftovers = await listLeftovers(stand.database, driver.tenant.id);
  const still = leftovers.filter(
    ({ stepId, code: why }) => stepId === driver.tenant.step.id && why === 'STILL_PRESENT',
  );
  assert.notDeepEqual(still, [], 'what is left is not named');
  const after = await thingsAtNames(bench, driver);
  const touched = before
    .filter(({ kind }) => named.includes(kind))
    .filter((item) => after.every(({ id }) => id !== item.id));
  assert.deepEqual(described(touched), [], 'lost its mark, and was taken away');
  await expectGone(bench, driver);
  return named;
}

/** What is there under the names that the step's ledger has. */
async function thingsAtNames({ stand }: Bench, { tenant }: StepDriver): Promise<InventoryItem[]> {
  const rows = (await listLedger(stand.database, tenant.id)).filter(({ stepId }) => stepId === tenant.step.id);
  return withoutResidue(await stand.oracle.everything()).filter((item) =>
    rows.some(({ type, name }) => isThing({ type, name }, item)),
  );
}

/** The same, once it changes no more by itself: a service that was made starts its tasks. */
async function settledAtNames(bench: Bench, driver: StepDriver): Promise<InventoryItem[]> {
  for (let before = await thingsAtNames(bench, driver); ;) {
    const now = await thingsAtNames(bench, driver);
    if (isDeepStrictEqual(described(now), described(before))) return now;
    before = now;
  }
}

function described(items: readonly InventoryItem[]): string[] {
  return items.map((item) => `${describeItem(item)} ${JSON.stringify(item.tags ?? {})}`).sort();
}
