import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { parseTenantName } from '../../contracts/tenant-name.ts';
import { callerOf } from '../caller.ts';

const bySlug = new WeakSet<FastifyRequest>();
const params = z.looseObject({ tenantId: z.string() });

/**
 * Puts the id in the place of a slug by which the path names a tenant, before anything else looks at the path. What names none is left
 * to the route's schema.
 * @throws RequestError TENANT_NOT_FOUND, TENANT_MISMATCH, TENANT_NAME_AMBIGUOUS
 */
export async function resolveName(request: FastifyRequest, client: Pick<TenantryClient, 'resolveName'>): Promise<void> {
  const given = params.safeParse(request.params).data;
  const name = given && parseTenantName(given.tenantId);
  if (!name) return;
  const isId = 'id' in name;
  if (!isId) bySlug.add(request);
  request.params = { ...given, tenantId: isId ? name.id : await client.resolveName(callerOf(request), name) };
}

/** Whether the request names its tenant by its slug. */
export function isNamedBySlug(request: FastifyRequest): boolean {
  return bySlug.has(request);
}
