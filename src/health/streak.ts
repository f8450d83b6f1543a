import { RESULTS_THAT_COUNT, type HealthStatus } from '../contracts/health.ts';

/** What is known of a tenant from earlier rounds. */
export interface Streak {
  /** Null: no verdict yet. */
  readonly status: HealthStatus | null;
  readonly result: HealthStatus;
  readonly results: number;
}

export interface Counted {
  /** Results in a row that are equal, this one included. */
  readonly results: number;
  /** What the tenant's health becomes by it; undefined: it stays. */
  readonly becomes: HealthStatus | undefined;
}

/** Counts a round's result. A tenant that was just made, and answered, is healthy at once: nothing is to be told of that. */
export function countResult(before: Streak | undefined, result: HealthStatus): Counted {
  const status = before?.status ?? null;
  const results = before?.result === result ? before.results + 1 : 1;
  const needed = status === null && result === 'healthy' ? 1 : RESULTS_THAT_COUNT;
  return { results, becomes: result !== status && results >= needed ? result : undefined };
}
