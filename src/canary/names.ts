import { randomBytes } from 'node:crypto';
import type { ListedTenant } from '../cli/api-client.ts';

/** What all names of tenants of canaries begin with; people see it in lists. */
export const MARK = 'Tenantry canary';

export interface RunNames {
  /** Twelve digits in hex, new in each run: a slug that was in use is kept for its tenant for a month. */
  readonly run: string;
  readonly displayName: string;
  readonly slug: string;
}

export function newNames(): RunNames {
  const run = randomBytes(6).toString('hex');
  return { run, displayName: `${MARK} ${run}`, slug: `canary-${run}` };
}

/** The run whose tenant it looks like; that a caller made it is not said by this. Pure. */
export function runNamedBy({ displayName, slug, tenantId }: Pick<ListedTenant, 'displayName' | 'slug' | 'tenantId'>) {
  const run = new RegExp(`^${MARK} ([0-9a-f]{12})$`).exec(displayName)?.[1];
  return run !== undefined && (slug === `canary-${run}` || slug === tenantId) ? run : undefined;
}
