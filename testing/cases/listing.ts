import { strict as assert } from 'node:assert';
import { describeItem } from '../../sandbox/inventory/inventory.ts';
import { INSTALLATION_TAG, TENANT_TAG } from '../../src/aws/tags.ts';
import type { CellAccess } from '../../src/kinds/framework/resource-type.ts';
import type { LedgerRow } from '../../src/db/ledger.ts';
import type { Bench } from '../bench.ts';
import { isThing } from '../oracle.ts';
import { PAGE_SIZE } from '../small-pages.ts';
import type { StepDriver } from '../tenant.ts';
import { expectGone, madeWithRows, type ConformanceCase } from './case.ts';
import { expectOwnName } from './naming.ts';

/** What was made is found again: by the oracle, by the kind's own list, and by its mark. */
export const listingCases: readonly ConformanceCase[] = [
  {
    name: "makes what the ledger names, as the oracle sees it, with its tenant's mark and by a name of that tenant alone",
    async run(bench) {
      const { driver, rows } = await madeWithRows(bench);
      const items = await bench.stand.oracle.itemsOf(driver.tenant);
      const { installationId, kinds } = bench.stand;
      for (const row of rows) {
        const swept = kinds.sweptTypes.get(row.type);
        if (swept) expectOwnName(swept, swept.thingOf?.(row.name) ?? row.name, { installationId, ...driver.tenant });
        const things = items.filter((item) => isThing(named(row), item));
        assert.notEqual(things.length, 0, `the inventory shows no ${row.type} ${row.name}`);
        for (const item of things) {
          const owner = { installation: item.owner?.installation, tenantId: item.owner?.tenantId };
          const expected = { installation: installationId, tenantId: driver.tenant.id };
          assert.deepEqual(owner, expected, `the mark of ${describeItem(item)}`);
        }
      }
      await expectGone(bench, driver);
    },
  },
  {
    name: 'is listed by its own list, with its mark and on whichever page, and is not any more once it is gone',
    async run(bench) {
      if (Object.keys(bench.kind.types).length === 0) return;
      const all = await Promise.all(Array.from({ length: PAGE_SIZE + 1 }, () => madeWithRows(bench)));
      const lacking = async () => {
        const each = await Promise.all(all.map(({ driver, rows }) => notListed(bench, driver, rows)));
        return each.flat();
      };
      assert.deepEqual(await lacking(), [], `made, and not in the list of the kind, in pages of ${PAGE_SIZE}`);
      await Promise.all(all.map(({ driver }) => expectGone(bench, driver)));
      const rows = all.flatMap((one) => one.rows);
      assert.equal((await lacking()).length, rows.length, 'removed, and still in the list of the kind');
    },
  },
];

function named({ type, name, physicalId }: LedgerRow) {
  return { type, name, ...(physicalId !== null && { physicalId }) };
}

/** Rows of the ledger whose thing the lists of their types lack, or show without the tenant's mark. */
async function notListed({ stand }: Bench, { tenant }: StepDriver, rows: readonly LedgerRow[]): Promise<string[]> {
  const access = { ...accessTo(stand), aws: stand.smallPages };
  const lacking: string[] = [];
  for (const { type, name, physicalId } of rows) {
    const sweptAs = stand.kinds.sweptTypeOf(type) ?? type;
    const swept = stand.kinds.sweptTypes.get(sweptAs);
    assert.ok(swept, `no kind lists ${type}`);
    const thing = swept.thingOf?.(name) ?? name;
    // Tags of others cost calls.
    const isOther = (_type: string, listed: string, id: string) =>
      listed !== thing && listed !== name && id !== physicalId;
    const items = await swept.list(access).list(isOther);
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
