import { strict as assert } from 'node:assert';
import { describeItem } from '../../sandbox/inventory/inventory.ts';
import { listLedger, listNotRemoved, type LedgerRow } from '../../src/db/ledger.ts';
import type { Kind } from '../../src/kinds/framework/kind.ts';
import type { Bench } from '../bench.ts';
import { withoutResidue } from '../oracle.ts';
import type { StepDriver } from '../tenant.ts';

/** One thing that every kind promises. */
export interface ConformanceCase {
  /** A sentence: the title of its test. */
  readonly name: string;
  /** When it takes longer than most. */
  readonly limitMs?: number | undefined;
  /** What it cannot do without: skipped, and shown so, for a sample that does not say it. */
  readonly demands?: 'revised' | 'handChanges' | undefined;
  /** @throws AssertionError saying what the kind did instead */
  run(bench: Bench): Promise<void>;
}

/** It makes nothing, and takes away data that others made: no attempt brings that back. */
export function takesOthersData({ holdsData, types }: Kind): boolean {
  return holdsData === true && Object.keys(types).length === 0;
}

/** A tenant whose step under test, and all that it needs, is made. */
export async function made(bench: Bench, options: Parameters<Bench['tenant']>[0] = {}): Promise<StepDriver> {
  const driver = await bench.tenant(options);
  await driver.makeNeeds();
  await driver.make();
  return driver;
}

/** The step under test with the rows that the ledger has of it. */
export async function madeWithRows(bench: Bench): Promise<{ driver: StepDriver; rows: LedgerRow[] }> {
  const driver = await made(bench);
  return { driver, rows: await ledgerRows(bench, driver) };
}

/** The same of a step whose worker dies before its first call: what it intends to make. */
export async function intendedRows(bench: Bench): Promise<{ driver: StepDriver; rows: LedgerRow[] }> {
  const begun = await bench.tenant({ worker: bench.stand.workerWith(dying) });
  await begun.makeNeeds();
  await assert.rejects(begun.ensure());
  return { driver: bench.before(begun, bench.stand.workerWith()), rows: await ledgerRows(bench, begun) };
}

/** Its worker ends before the first call. */
function dying(kind: Kind): Kind {
  return { ...kind, ensure: () => Promise.reject(new Error('the worker died')) };
}

async function ledgerRows({ stand }: Bench, { tenant }: StepDriver): Promise<LedgerRow[]> {
  return (await listLedger(stand.database, tenant.id)).filter(({ stepId }) => stepId === tenant.step.id);
}

/** Takes everything of the tenant away; neither AWS and PostgreSQL nor the ledger hold anything of it then. */
export async function expectGone(bench: Bench, driver: StepDriver): Promise<void> {
  await driver.takeAllAway();
  await expectNothing(bench, driver);
}

export async function expectNothing({ stand }: Bench, { tenant }: StepDriver): Promise<void> {
  const left = withoutResidue(await stand.oracle.itemsOf(tenant));
  assert.deepEqual(left.map(describeItem), [], 'left over after the removal');
  const rows = await listNotRemoved(stand.database, tenant.id);
  assert.deepEqual(
    rows.map(({ type, name }) => `${type} ${name}`),
    [],
    'not removed in the ledger',
  );
}
