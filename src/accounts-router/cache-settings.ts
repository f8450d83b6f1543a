import {
  AccountCreatingError,
  AccountNotActiveError,
  AccountNotFoundError,
  AccountParametersError,
  TableNotFoundError,
} from './errors.ts';

/** How long what SSM said is used. */
export interface CacheSettings {
  /** Where an account's rows are: 5 minutes, and never longer than half of the platform's lease, which is 10 minutes by default. An account that was removed is served until then. */
  readonly ttlMs?: number | undefined;
  /** That an account failed or is being removed, or that its table is gone: 30 seconds. */
  readonly negativeTtlMs?: number | undefined;
  /**
   * That there is no such account, or that a parameter is missing or wrong: 1 second, and not longer than `negativeTtlMs` by default. The first of the
   * parameters may just have been made, or about to be.
   */
  readonly notFoundTtlMs?: number | undefined;
  /** How long SSM has to answer: 5 seconds. */
  readonly lookupTimeoutMs?: number | undefined;
  /** Accounts that are remembered at most: 10,000. */
  readonly mostAccounts?: number | undefined;
}

/** The settings with their defaults. */
export function cacheOptions({
  ttlMs = 300_000,
  negativeTtlMs = 30_000,
  notFoundTtlMs = Math.min(1_000, negativeTtlMs),
  mostAccounts = 10_000,
  lookupTimeoutMs = 5_000,
}: CacheSettings) {
  const failureTtlMs = (error: unknown): number => {
    // It is expected to end at any moment.
    if (error instanceof AccountCreatingError) return 0;
    if (error instanceof AccountNotFoundError || error instanceof AccountParametersError) return notFoundTtlMs;
    // Any other failure says nothing of the account.
    return error instanceof AccountNotActiveError || error instanceof TableNotFoundError ? negativeTtlMs : 0;
  };
  return { ttlMs, lookupTimeoutMs, known: { failureTtlMs, mostEntries: mostAccounts } };
}
