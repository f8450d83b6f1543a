import type { FastifyBaseLogger } from 'fastify';
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import { RequestError } from '../../client/request-error.ts';
import { readKeySet } from './issuer-documents.ts';

/** In ms. */
export interface IssuerTimes {
  /** After which the keys are read anew; those that are known are used meanwhile. */
  readonly freshMs: number;
  /** Between two reads, whatever tokens ask for. */
  readonly betweenReadsMs: number;
  /** For how long keys are used that could not be read anew. */
  readonly longestUseMs: number;
}

export const defaultIssuerTimes: IssuerTimes = {
  freshMs: 10 * 60_000,
  betweenReadsMs: 5_000,
  longestUseMs: 24 * 3_600_000,
};

/** The keys that an issuer signs with, read when they are needed and kept. */
export interface IssuerKeys {
  /** Those known now; read anew in the background when they are old. @throws RequestError ISSUER_UNAVAILABLE when none are known */
  known(): Promise<JWTVerifyGetKey>;
  /**
   * For a token that none of those that were tried signed: the issuer may have a new one.
   * @returns undefined when it has none
   * @throws RequestError ISSUER_UNAVAILABLE when they could not be
   */
  anew(tried: JWTVerifyGetKey): Promise<JWTVerifyGetKey | undefined>;
}

interface Read {
  readonly keys: JWTVerifyGetKey;
  readonly atMs: number;
}

export function issuerKeys(
  issuer: string,
  log: Pick<FastifyBaseLogger, 'warn'>,
  times: IssuerTimes = defaultIssuerTimes,
): IssuerKeys {
  let last: Read | undefined;
  let attempt: { readonly atMs: number; readonly done: Promise<boolean> } | undefined;
  let isReading = false;

  const readAnew = async (): Promise<boolean> => {
    isReading = true;
    try {
      last = { keys: createLocalJWKSet(await readKeySet(issuer)), atMs: performance.now() };
      return true;
    } catch (error) {
      log.warn({ err: error, issuer }, 'the keys of the issuer could not be read');
      return false;
    } finally {
      isReading = false;
    }
  };
  /** All that ask while a read is under way, or soon after it, share it. */
  const read = (): Promise<boolean> => {
    const nowMs = performance.now();
    const isDue = !attempt || (!isReading && nowMs - attempt.atMs >= times.betweenReadsMs);
    if (!attempt || isDue) attempt = { atMs: nowMs, done: readAnew() };
    return attempt.done;
  };
  const usable = (): Read | undefined =>
    last && performance.now() - last.atMs < times.longestUseMs ? last : undefined;

  return {
    known: async () => {
      const now = usable();
      if (now && performance.now() - now.atMs >= times.freshMs) void read();
      if (!now) await read();
      const keys = usable()?.keys;
      if (!keys) throw unavailable(issuer);
      return keys;
    },
    anew: async (tried) => {
      if (!(await read())) throw unavailable(issuer);
      return last?.keys === tried ? undefined : last?.keys;
    },
  };
}

function unavailable(issuer: string): RequestError {
  return new RequestError('ISSUER_UNAVAILABLE', `the keys of the issuer ${issuer} cannot be read now`, {
    retryAfterSeconds: 10,
  });
}
