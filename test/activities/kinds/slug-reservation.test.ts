import { expect, it } from 'vitest';
import { slugReservation } from '../../../src/activities/kinds/slug-reservation.ts';
import { reserveSlug } from '../../../src/db/reservations.ts';
import { changeTenantStatus, findTenant } from '../../../src/db/tenants.ts';
import { accept } from '../../db/fixtures.ts';
import { contextOf, newTenant, useKindWorld } from './kind-world.ts';

const world = useKindWorld();

async function reserved() {
  const tenant = await newTenant(world);
  const { id: tenantId, slug } = tenant;
  const operationId = await world.db.transaction(async (tx) => {
    await reserveSlug(tx, { product: 'moamalat', slug, tenantId });
    await changeTenantStatus(tx, tenantId, 'validating');
    return accept(tx, { tenantId, slug, type: 'provision', blueprint: {} });
  });
  const spec = { slug, templateServices: ['moamalat-company-x'] };
  const context = contextOf<'slug-reservation'>(world, tenant, spec, { operationId });
  return { tenantId, context };
}

const waiting = async () =>
  (await world.db.query(`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`))
    .rowCount;

it('leaves a tenant failed whose run is taken for lost at the same moment', async () => {
  const { tenantId, context } = await reserved();
  let attempt: ReturnType<typeof slugReservation.ensure> | undefined;
  await world.db.transaction(async (tx) => {
    await changeTenantStatus(tx, tenantId, 'failed');
    attempt = slugReservation.ensure(context);
    await expect.poll(waiting, { timeout: 20_000 }).toBe(1);
  });
  expect(await attempt).toMatchObject({ status: 'ready', tenantStatus: 'failed' });
  expect((await findTenant(world.db, tenantId))?.status).toBe('failed');
});

it('begins the creation once, however often it runs', async () => {
  const { tenantId, context } = await reserved();
  for (let n = 0; n < 2; n += 1)
    expect(await slugReservation.ensure(context)).toMatchObject({ status: 'ready', tenantStatus: 'creating' });
  expect((await findTenant(world.db, tenantId))?.status).toBe('creating');
});
