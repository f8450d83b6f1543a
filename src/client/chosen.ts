import type { TenantRow } from '../db/tenants.ts';

/** What callers choose of a tenant, for the audit. */
export function chosen(tenant: TenantRow): Readonly<Record<string, unknown>> {
  const { contactEmail, credentials, displayName, settings, settingsVersion, tier } = tenant;
  return { displayName, contactEmail, tier, settings, settingsVersion, credentials };
}
