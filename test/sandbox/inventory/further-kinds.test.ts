import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { listAws } from '../../../sandbox/inventory/aws/listing.ts';
import { difference, only, type InventoryItem } from '../../../sandbox/inventory/inventory.ts';
import { freshAccountId, part } from '../../support/parts.ts';
import { awsOf, furtherThings } from './aws-things.ts';

const scope = { accountId: freshAccountId(), region: 'us-east-1' };
let endpointUrl = '';
beforeAll(async () => {
  endpointUrl = (await part('ministack')).url;
});

const list = () => listAws({ endpointUrl, scopes: [scope] });
const named = (items: readonly InventoryItem[], kind: string, text: string) =>
  only(items, (item) => item.kind === kind && `${item.id} ${item.name ?? ''}`.includes(text));

describe('the inventory of AWS', () => {
  it('can list every kind at the emulator that the sandbox uses', async () => {
    expect(only(await list(), (item) => item.kind === 'not-listed')).toEqual([]);
  });

  it.each(furtherThings)('sees a $kind without tags come and go', async ({ kind, make, take }) => {
    const aws = awsOf(endpointUrl, scope);
    const name = `oracle-${randomBytes(4).toString('hex')}`;
    const before = await list();
    const found = (await make(aws, name)) ?? name;
    const made = difference(before, await list());
    expect(named(made.added, kind, found)).toHaveLength(1);
    expect(made.removed).toEqual([]);
    await take(aws, name, found);
    await expect.poll(async () => named(await list(), kind, found), { timeout: 20_000 }).toEqual([]);
  });
});
