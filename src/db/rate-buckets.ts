import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from './database.ts';
import { rowOf } from './rows.ts';

/** Tokens that one process asks for; what it gets is taken from each of the buckets. */
export interface TokenRequest {
  readonly accountId: string;
  /** `global` for a service without regions. */
  readonly region: string;
  readonly buckets: readonly {
    readonly name: string;
    /** Most tokens that may be there at once. */
    readonly capacity: number;
    readonly perSecond: number;
    /** What is left in it for others. */
    readonly floor: number;
  }[];
  readonly wanted: number;
  /** Tokens that were used without asking since the last request, while PostgreSQL was unavailable. */
  readonly spent: number;
}

const grant = z.object({ granted: z.number(), nextMs: z.number(), askers: z.number(), workers: z.number() });
/**
 * What it gets. `nextMs`: when one more token is there; `askers`: processes that asked within 5 s; `workers`: those that may
 * ask, idle ones included.
 */
export type TokenGrant = z.output<typeof grant>;

export type LeaseTokens = (request: TokenRequest) => Promise<TokenGrant>;

/** Leases from the buckets that all processes of the installation share. */
export function sharedTokens(db: Queryable): LeaseTokens {
  const asker = randomUUID();
  return async ({ accountId, region, buckets, wanted, spent }) => {
    const answer = await db.query(
      // Not waited for until it is on disk: after a crash of the server its last half second of leases may be given again.
      `select granted, next_ms as "nextMs", askers, workers, set_config('synchronous_commit', 'off', true)
       from lease_rate_tokens($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        accountId,
        region,
        buckets.map((bucket) => bucket.name),
        buckets.map((bucket) => bucket.capacity),
        buckets.map((bucket) => bucket.perSecond),
        buckets.map((bucket) => bucket.floor),
        wanted,
        spent,
        asker,
      ],
    );
    const row = rowOf(grant, answer);
    if (!row) throw new Error('lease_rate_tokens answered no row');
    return row;
  };
}
