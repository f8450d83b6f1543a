import type { Caller } from '../contracts/caller.ts';
import type { WebhookReach } from '../db/webhooks.ts';
import { unreached } from './reach.ts';
import { RequestError } from './request-error.ts';

/**
 * Whose webhooks a caller may see and change. Those of products and of all tenants tell of tenants that come later, so they are
 * platform-admins'.
 * @throws RequestError FORBIDDEN when it has none to do with
 */
export function webhookReachOf({ role, scope }: Caller): WebhookReach {
  if (scope?.kind === 'tenants' && role === 'tenant-admin') return scope.ids;
  if (role === 'platform-operator' && scope === undefined) return 'tenants';
  if ((role === 'platform-admin' || role === 'system') && scope === undefined) return 'all';
  throw forbidden(role, 'webhooks are not for its role');
}

/** Whether a webhook of this tenant, or of many, is one of them. */
export function isReached(reach: WebhookReach, tenantId: string | null): boolean {
  if (reach === 'all') return true;
  return tenantId !== null && (reach === 'tenants' || reach.includes(tenantId));
}

/** @throws RequestError FORBIDDEN, TENANT_MISMATCH unless the caller may have a webhook of this tenant, or of many */
export function refuseUnreached(caller: Caller, tenantId: string | null): void {
  if (isReached(webhookReachOf(caller), tenantId)) return;
  if (tenantId === null) throw forbidden(caller.role, "webhooks of a product or of all tenants are platform-admins'");
  throw unreached(caller, tenantId, { tenantId });
}

function forbidden(role: Caller['role'], why: string): RequestError {
  return new RequestError('FORBIDDEN', why, { details: { role } });
}
