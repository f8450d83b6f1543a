import { z } from 'zod';
import { findSlugHolder } from '../../db/reservations.ts';
import { changeTenantStatus, lockTenant } from '../../db/tenants.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { Kind, StepContext } from '../framework/kind.ts';
import { text } from '../framework/values.ts';

const spec = z.strictObject({ slug: text, templateServices: z.array(text) });
const outputs = z.strictObject({ slug: z.string() });

type SlugSpec = z.output<typeof spec>;
type SlugOutputs = z.output<typeof outputs>;
type Context = StepContext<SlugSpec, SlugOutputs>;

/**
 * The slug that the API reserved, confirmed for this tenant, and the templates looked at, before anything is made. It
 * makes nothing of its own: the reservation ends with the operation that leaves nothing behind.
 */
export const slugReservation: Kind<SlugSpec, SlugOutputs, never> = {
  name: 'slug-reservation',
  spec,
  outputs,
  changeable: ['templateServices'],
  types: {},
  permissions: ['ecs:DescribeServices'],
  inCell: ({ slug, templateServices }, within) => [
    ...within.slug(slug),
    ...(Array.isArray(templateServices) ? templateServices : []).flatMap((name: unknown) =>
      within.templateService(name),
    ),
  ],
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    await confirmSlug(context);
    // What was applied is brought back without its template.
    if (!context.goesBack) await confirmTemplates(context);
    await context.guard();
    const tenant = await beginCreating(context);
    return { status: 'ready', outputs: { slug: context.spec.slug }, tenantStatus: tenant };
  },

  async observe(context) {
    const holder = await findSlugHolder(context.db, { product: context.tenant.product, slug: context.spec.slug });
    return holder?.tenantId === context.tenant.id
      ? { status: 'ready', detail: `slug "${context.spec.slug}" is held by this tenant` }
      : {
          status: 'absent',
          detail: `slug "${context.spec.slug}" is not held by this tenant`,
          others: await context.notOurs([]),
        };
  },

  async differs({ db, spec, tenant }) {
    const holder = await findSlugHolder(db, { product: tenant.product, slug: spec.slug });
    if (holder?.tenantId === tenant.id) return [];
    return [{ is: 'changed', field: 'slug', wanted: tenant.id, found: holder?.tenantId, remedy: 'hand' }];
  },

  // While something of the tenant may be left, nobody else may get its slug: the end of the operation gives it back.
  remove: async ({ notOurs }) => ({ status: 'removed', others: await notOurs([]) }),
};

async function confirmSlug({ db, tenant, spec }: Context): Promise<void> {
  const holder = await findSlugHolder(db, { product: tenant.product, slug: spec.slug });
  if (holder?.tenantId === tenant.id && holder.quarantinedUntil === null) return;
  throw new StepError(
    'OWNERSHIP_CONFLICT',
    `slug "${spec.slug}" of ${tenant.product} is not reserved for this tenant`,
    {
      detail: holder ? `it is held for tenant ${holder.tenantId}` : 'nobody holds it',
    },
  );
}

/** What the clones of later steps would refuse is refused here, where there is nothing to take back yet. */
async function confirmTemplates(context: Context): Promise<void> {
  const { aws, cell, spec } = context;
  const found = await Promise.all(
    spec.templateServices.map(async (name) => ({ name, service: await aws.ecs.findService(name) })),
  );
  const missing = found.filter(({ service }) => service?.status !== 'ACTIVE').map(({ name }) => name);
  if (missing.length > 0) {
    throw new StepError(
      'TEMPLATE_NOT_FOUND',
      `template service ${missing.join(', ')} does not run in cluster ${cell.cluster}`,
      {
        detail: missing.join(', '),
      },
    );
  }
  await context.foresee();
}

async function beginCreating({ db, tenant, operation }: Context) {
  const now = await db.transaction(async (tx) => {
    // Locked: whoever takes the run for lost at the same moment makes the tenant `failed`, which must stay so.
    const row = await lockTenant(tx, tenant.id);
    // Already there: an earlier attempt did it.
    return row.status === 'validating'
      ? changeTenantStatus(tx, tenant.id, 'creating', { operationId: operation.id })
      : row;
  });
  return now.status;
}
