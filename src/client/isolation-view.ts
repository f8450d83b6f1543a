import { errorInfo } from '../contracts/errors.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { IsolationView } from './views.ts';

/** What is known of a tenant's isolation; null: its users reach it, as far as that goes. */
export function isolationView({ isolation }: Pick<TenantRow, 'isolation'>): IsolationView | null {
  if (!isolation) return null;
  const { wanted, isSettled, since, reason, caller, failure } = isolation;
  // Only what is on stays once it is settled.
  const pending = failure && errorInfo(failure.code)?.retryable !== true ? 'failed' : wanted ? 'requested' : 'lifting';
  return { state: isSettled ? 'on' : pending, wanted, since: since.toISOString(), reason, caller, lastError: failure };
}
