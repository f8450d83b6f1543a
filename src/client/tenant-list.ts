import type { Caller } from '../contracts/caller.ts';
import type { Database, Queryable } from '../db/database.ts';
import { listNewestOperationsOf } from '../db/operations.ts';
import { listTenants } from '../db/tenant-list.ts';
import type { TenantRow } from '../db/tenants.ts';
import { driftOf } from './drift.ts';
import { refusingCursors } from './paging.ts';
import { reachOf } from './reach.ts';
import { tenantView, withOutcome } from './reading.ts';
import type { ListInput } from './requests.ts';
import type { TenantWithOutcomeView } from './views.ts';

export interface Page<T> {
  readonly tenants: T[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** Some fields of a tenant. */
export type SparseTenantView = Partial<TenantWithOutcomeView> & Pick<TenantWithOutcomeView, 'tenantId'>;

type Db = Pick<Database, 'snapshot'>;

/** A page of the tenants that the caller reaches. Those that are gone are left out, unless `includeGone`, statuses or a slug ask for them. */
export function readTenants(db: Db, caller: Caller, input: ListInput): Promise<Page<TenantWithOutcomeView>> {
  return pageOf(db, caller, input, listed);
}

/** As {@link readTenants}, with these fields alone and the id; nothing else is read for them. */
export function readSparseTenants(
  db: Db,
  caller: Caller,
  input: ListInput,
  fields: readonly string[],
): Promise<Page<SparseTenantView>> {
  const wanted = new Set([...fields, 'tenantId']);
  return pageOf(db, caller, input, async (at, tenants) => {
    const views = await sparselyListed(at, tenants, wanted);
    return views.map((view) => ({
      tenantId: view.tenantId,
      ...Object.fromEntries(Object.entries(view).filter(([field]) => wanted.has(field))),
    }));
  });
}

function pageOf<T>(
  db: Db,
  caller: Caller,
  input: ListInput,
  viewsOf: (at: Queryable, tenants: readonly TenantRow[]) => Promise<T[]>,
): Promise<Page<T>> {
  const includeGone = input.includeGone ?? (input.statuses !== undefined || input.slug !== undefined);
  return refusingCursors(() =>
    db.snapshot(async (at) => {
      const page = await listTenants(at, { ...input, includeGone, reach: reachOf(caller) });
      return { tenants: await viewsOf(at, page.tenants), nextCursor: page.nextCursor ?? null };
    }),
  );
}

async function listed(db: Queryable, tenants: readonly TenantRow[]): Promise<TenantWithOutcomeView[]> {
  const driftByTenant = await driftOf(db, idsOf(tenants));
  const outcomes = await withOutcomes(db, tenants);
  return outcomes.map((tenant) => ({ ...tenant, drift: driftByTenant.get(tenant.tenantId) ?? null }));
}

/** Fields that follow from the newest operation. */
const ofOperation = ['outcome', 'unsettled', 'deletesAt', 'openOperation'];

async function sparselyListed(
  db: Queryable,
  tenants: readonly TenantRow[],
  wanted: ReadonlySet<string>,
): Promise<SparseTenantView[]> {
  const views = ofOperation.some((field) => wanted.has(field))
    ? await withOutcomes(db, tenants)
    : tenants.map(tenantView);
  if (!wanted.has('drift')) return views;
  const driftByTenant = await driftOf(db, idsOf(tenants));
  return views.map((view) => ({ ...view, drift: driftByTenant.get(view.tenantId) ?? null }));
}

async function withOutcomes(
  db: Queryable,
  tenants: readonly TenantRow[],
): Promise<Omit<TenantWithOutcomeView, 'drift'>[]> {
  const newest = await listNewestOperationsOf(db, idsOf(tenants));
  const byTenant = new Map(newest.map((operation) => [operation.tenantId, operation]));
  return tenants.map((tenant) => {
    const operation = byTenant.get(tenant.id);
    if (!operation) throw new Error(`tenant ${tenant.id} has no operation`);
    return withOutcome(tenant, operation);
  });
}

function idsOf(tenants: readonly TenantRow[]): string[] {
  return tenants.map(({ id }) => id);
}
