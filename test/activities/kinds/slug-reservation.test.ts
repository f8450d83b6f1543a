import { expect, it } from 'vitest';
import { slugReservation } from '../../../src/kinds/slug-reservation/kind.ts';
import { reserveSlug } from '../../../src/db/reservations.ts';
import { changeTenantStatus, findTenant } from '../../../src/db/tenants.ts';
import { accept } from '../../db/fixtures.ts';
import type { Step } from '../../../src/contracts/blueprint.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

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
  const contextWith = (settings: ContextSettings<'slug-reservation'>) =>
    contextOf<'slug-reservation'>(world, tenant, spec, { operationId, ...settings });
  return { tenantId, slug, context, contextWith };
}

/** The step that clones the backend's template, giving a tenant these variables. */
function cloning(slug: string, environment: Readonly<Record<string, string>>): Step {
  const family = `moamalat-${slug}-backend`;
  const spec = { family, templateService: 'moamalat-company-x', environment, secrets: {}, logGroup: `/ecs/${family}` };
  return { id: 'create_task_definition:backend', kind: 'task-definition', needs: [], spec };
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

it('refuses a template that a later step would not clone, before anything is made', async () => {
  const { tenantId, slug, contextWith } = await reserved();
  // The template has ENVIRONMENT too: what one component has of its own must not be the template's in the other.
  const other = { ...cloning(slug, { ENVIRONMENT: 'of this tenant' }), id: 'create_task_definition:other' };
  const sharing = [cloning(slug, { TENANT_ID: tenantId }), other];
  const refused = await stepErrorOf(slugReservation.ensure(contextWith({ steps: sharing })));
  expect(refused.code).toBe('TEMPLATE_UNUSABLE');
  expect(refused.message).toMatch(/variable ENVIRONMENT of container backend.*sharedWithTemplate/);
  expect((await findTenant(world.db, tenantId))?.status).toBe('validating');
  const cell = { ...world.cell, allowedImageRepositories: ['elsewhere/app'] };
  const steps = [cloning(slug, { ENVIRONMENT: 'sandbox' })];
  expect((await stepErrorOf(slugReservation.ensure(contextWith({ steps, cell })))).code).toBe('OUTSIDE_CELL');
  expect(await slugReservation.ensure(contextWith({ steps }))).toMatchObject({ status: 'ready' });
});
