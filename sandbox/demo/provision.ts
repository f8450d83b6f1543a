import type { ApiClient, Status } from '../../src/cli/api-client.ts';
import { followOperation } from '../../src/cli/following.ts';
import { createProgressPrinter } from '../../src/cli/progress.ts';
import type { EventView } from '../../src/client/views.ts';
import { atTime } from '../parts/log.ts';

export interface Finished {
  readonly tenantId: string;
  readonly slug: string;
  readonly status: Status;
  readonly events: readonly EventView[];
}

/** Creates a tenant of `moamalat` and shows every step; one that fails rolls back at once, because nobody is asked to fix it. */
export async function createTenant(api: ApiClient, slug: string): Promise<Finished> {
  console.log(`\n  ${atTime(`POST /api/v1/tenants { "product": "moamalat", "slug": "${slug}", ... }`)}`);
  const { tenantId, operationId } = await api.create({
    product: 'moamalat',
    slug,
    displayName: `Demo tenant ${slug}`,
    contactEmail: `admin@${slug}.example`,
    onFailure: 'rollback',
  });
  return { tenantId, slug, ...(await follow(api, tenantId, operationId)) };
}

/** Deletes a tenant and shows every step. */
export async function deleteTenant(api: ApiClient, tenantId: string, slug: string): Promise<Finished> {
  console.log(`\n  ${atTime(`DELETE /api/v1/tenants/${tenantId}?confirm=${slug}`)}`);
  const accepted = await api.delete(tenantId, slug);
  if (!('operationId' in accepted)) throw new Error(`tenant ${tenantId} was gone before its deletion began`);
  return { tenantId, slug, ...(await follow(api, tenantId, accepted.operationId)) };
}

/** The wanted slug, or the first `<wanted>-N` that no tenant of a database that is kept holds. */
export async function freeSlug(api: ApiClient, wanted: string): Promise<string> {
  const { tenants } = await api.list({ product: 'moamalat', limit: '200' });
  const taken = new Set(tenants.map((tenant) => tenant.slug));
  for (let n = 1; ; n++) {
    const slug = n === 1 ? wanted : `${wanted}-${n}`;
    if (!taken.has(slug)) return slug;
  }
}

async function follow(api: ApiClient, tenantId: string, operationId: string) {
  const printer = createProgressPrinter(process.stdout);
  const events: EventView[] = [];
  const onEvent = (event: EventView) => {
    events.push(event);
    printer.event(event);
  };
  await followOperation(api, { tenantId, operationId, after: 0, onEvent });
  printer.finish();
  return { status: await api.status(tenantId), events };
}
