import type { Tenant } from './api-client.ts';

export type Isolation = Tenant['isolation'];

/** What is known of a tenant's isolation, for people. */
export function isolationLine(isolation: Isolation): string {
  if (!isolation) return 'not isolated';
  const { state, wanted, since, reason, caller, lastError } = isolation;
  const word =
    state === 'on' ? 'isolated' : wanted ? 'to be isolated, not in effect' : 'to be reached again, not in effect';
  const by = caller ? ` by ${caller.principal}` : '';
  const error = lastError ? `; the last attempt failed: ${lastError.code}: ${lastError.message}` : '';
  return `${word} since ${since}${by}: ${reason}${error}`;
}
