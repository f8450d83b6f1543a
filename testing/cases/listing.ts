import { strict as assert } from 'node:assert';
import { describeItem } from '../../sandbox/inventory/inventory.ts';
import { INSTALLATION_TAG, TENANT_TAG } from '../../src/aws/tags.ts';
import type { CellAccess } from '../../src/kinds/framework/resource-type.ts';
import { listLedger, type LedgerRow } from '../../src/db/ledger.ts';
import type { Bench } from '../bench.ts';
import { isThing } from '../oracle.ts';
import type { StepDriver } from '../tenant.ts';
import { expectGone, made, type ConformanceCase } from './case.ts';

/** What was made is found again: by the oracle, by the kind's own list, and by its mark. */
export const listingCases: readonly ConformanceCase[] = [
  {
    name: 'makes what the ledger names, as the oracle sees it, with the mark of its tenant',
    async run(bench) {
      const { driver, rows } = await madeWithRows(bench);
      const items = await bench.stand.oracle.itemsOf(driver.tenant);
      for (const row of rows) {
        const things = items.filter((item) => isThing(named(row), item));
        assert.notEqual(things.length, 0, `the inventory shows no ${row.type} ${row.name}`);
        for (const item of things) {
          const owner = { installation: item.owner?.installation, tenantId: item.owner?.tenantId };
          const expected = { installation: bench.stand.installationId, tenantId: driver.tenant.id };
          assert.deepEqual(owner, expected, `the mark of ${describeItem(item)}`);
        }
      }
      await expectGone(bench, driver);
    },
  },
  {
    name: 'is listed by its own list, with its mark, and is not any more once it is gone',
    async run(bench) {
      const { driver, rows } = await madeWithRows(bench);
      const before = await notListed(bench, driver, rows);
      assert.deepEqual(before, [], 'made, and not in the list of the kind');
      await expectGone(bench, driver);
      const after = await notListed(bench, driver, rows);
      assert.equal(after.length, rows.length, 'removed, and still in the list of the kind');
    },
  },
];

async function madeWithRows(bench: Bench): Promise<{ driver: StepDriver; rows: LedgerRow[] }> {
  const driver = await made(bench);
  const { id, step } = driver.tenant as { id: string; step: { id: string } };
  const rows = (await listLedger(bench.stand.database, id)).filter(({ stepId }) => stepId === step.id);
  return { driver, rows };
}

function named({ type, name, physicalId }: LedgerRow) {
  return { type, name, ...(physicalId !== null && { physicalId }) };
}

/** Rows of the ledger whose thing the lists of their types lack, or show without the tenant's mark. */
async function notListed({ stand }: Bench, { tenant }: StepDriver, rows: readonly LedgerRow[]): Promise<string[]> {
  const lacking: string[] = [];
  for (const { type, name, physicalId } of rows) {
    const sweptAs = stand.kinds.sweptTypeOf(type) ?? type;
    const swept = stand.kinds.sweptTypes.get(sweptAs);
    assert.ok(swept, `no kind lists ${type}`);
    const thing = swept.thingOf?.(name) ?? name;
    const items = await swept.list(accessTo(stand)).list(() => false);
    const found = items.some(
      (item) =>
        item.passing === undefined &&
        (item.physicalId === physicalId || item.name === thing || item.name === name) &&
        item.tags?.[TENANT_TAG] === tenant.id &&
        item.tags[INSTALLATION_TAG] === stand.installationId,
    );
    if (!found) lacking.push(`${type} ${name}`);
  }
  return lacking;
}

export function accessTo({ aws, cell, tenantDatabases }: Bench['stand']): CellAccess {
  return { aws, cell, tenantDatabases };
}
