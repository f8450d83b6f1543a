import { AccountNotActiveError, AccountNotFoundError, AccountParametersError } from './errors.ts';

/** How long what SSM said is used. */
export interface CacheSettings {
  /** Where an account's rows are: 5 minutes, and never longer than half of the platform's lease, which is 10 minutes by default. An account that was removed is served until then. */
  readonly ttlMs?: number | undefined;
  /** That there is no such account, that it is not active, or that its parameters are wrong: 30 seconds. */
  readonly negativeTtlMs?: number | undefined;
  /** How long SSM has to answer: 5 seconds. */
  readonly lookupTimeoutMs?: number | undefined;
  /** Accounts that are remembered at most: 10,000. */
  readonly mostAccounts?: number | undefined;
}

/** The settings with their defaults. */
export function cacheOptions({
  ttlMs = 300_000,
  negativeTtlMs = 30_000,
  mostAccounts = 10_000,
  lookupTimeoutMs = 5_000,
}: CacheSettings) {
  return { ttlMs, lookupTimeoutMs, known: { negativeTtlMs, mostEntries: mostAccounts, isKnown } };
}

function isKnown(error: unknown): boolean {
  return [AccountNotFoundError, AccountNotActiveError, AccountParametersError].some((known) => error instanceof known);
}
