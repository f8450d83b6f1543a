import { strict as assert } from 'node:assert';
import { listLedger } from '../../src/db/ledger.ts';
import type { SweptType } from '../../src/kinds/framework/resource-type.ts';
import type { Bench } from '../bench.ts';
import type { StepDriver } from '../tenant.ts';
import { accessTo } from './listing.ts';

/** As the sweep removes things, each of which its own list must find; whether there were any. */
export async function deletedByHand(
  { stand }: Bench,
  { tenant }: StepDriver,
  isMeant: (type: SweptType) => boolean = () => true,
): Promise<boolean> {
  const rows = (await listLedger(stand.database, tenant.id)).filter(({ stepId }) => stepId === tenant.step.id);
  const access = accessTo(stand);
  const things = new Map(
    rows.flatMap(({ type, name, physicalId }) => {
      const swept = stand.kinds.sweptTypes.get(type);
      const thing = swept?.thingOf?.(name) ?? name;
      return swept && isMeant(swept)
        ? [[`${type} ${thing}`, { swept, name: thing, physicalId: physicalId ?? thing }] as const]
        : [];
    }),
  );
  for (const [what, { swept, ...ref }] of things) {
    const item = await swept.list(access).find(ref);
    assert.ok(item && item.passing === undefined, `${what} is not found by its own list.find`);
    await swept.takeAway({ ...access, item, guard: () => Promise.resolve() });
  }
  return things.size > 0;
}
