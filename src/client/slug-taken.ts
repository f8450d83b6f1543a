import type { Caller } from '../contracts/caller.ts';
import { findHostHolder } from '../db/allocations.ts';
import type { Queryable } from '../db/database.ts';
import { findSlugHolder } from '../db/reservations.ts';
import { findTenant } from '../db/tenants.ts';
import { RequestError } from './request-error.ts';

/** Why a slug is refused: who holds it, and until when where that is known (a removed tenant's quarantine). Who may not reach all tenants is not told. */
export async function slugTaken(
  db: Queryable,
  key: { product: string; slug: string },
  { scope }: Caller,
): Promise<RequestError> {
  const named = `the slug "${key.slug}" of product ${key.product}`;
  if (scope) return taken(`${named} is taken: choose another`, key);
  const holder = await findSlugHolder(db, key);
  if (!holder) return taken(`${named} was freed a moment ago: try again`, { ...key, until: null });
  if (holder.quarantinedUntil) {
    const until = holder.quarantinedUntil.toISOString();
    const message = `${named} is kept for a removed tenant until ${until}: choose another, or wait`;
    return taken(message, { ...key, tenantId: holder.tenantId, status: 'deleted', until });
  }
  return inUse(db, named, holder.tenantId, key);
}

/** Why a host name is refused; another product's tenant may hold it where both have the same domain. */
export async function hostTaken(
  db: Queryable,
  key: { zone: string; host: string },
  { scope }: Caller,
): Promise<RequestError> {
  const named = `the host name ${key.host}`;
  if (scope) return taken(`${named} is taken: choose another slug`, { host: key.host });
  const tenantId = await findHostHolder(db, key);
  if (tenantId === undefined) return taken(`${named} was freed a moment ago: try again`, { ...key, until: null });
  return inUse(db, named, tenantId, { host: key.host });
}

async function inUse(db: Queryable, named: string, tenantId: string, details: object): Promise<RequestError> {
  const tenant = await findTenant(db, tenantId);
  const isLeft = tenant?.cleanupPending === true;
  const state = isLeft ? `${tenant.status} with something left: delete it first` : (tenant?.status ?? 'unknown');
  const message = `${named} is in use by tenant ${tenantId}, which is ${state}`;
  return taken(message, { ...details, tenantId, status: tenant?.status, until: null });
}

function taken(message: string, details: Readonly<Record<string, unknown>>): RequestError {
  return new RequestError('SLUG_TAKEN', message, { details });
}
