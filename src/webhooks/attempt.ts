import type { IncomingMessage } from 'node:http';
import { checkedAddresses, NO_PUBLIC_ADDRESS, RefusedAddressError } from './destination.ts';
import { post } from './post.ts';
import type { Resolve } from './resolve.ts';
import { pauseSecondsOf } from './retry-after.ts';
import { urlProblem, type UrlPolicy } from './url.ts';

/** In ms. */
export interface AttemptTimes {
  /** From the start until the name is resolved, and the connection there with its certificate checked. */
  readonly connectMs: number;
  /** From the start until the head of the answer is there. */
  readonly answerMs: number;
  /** From there until the connection is cut. */
  readonly drainMs: number;
}

export const defaultAttemptTimes: AttemptTimes = { connectMs: 5_000, answerMs: 15_000, drainMs: 1_000 };

/** Of the rest of an answer, which is read so that its sender sees no error, and dropped. */
const LONGEST_REST_BYTES = 64 * 1024;

export interface AttemptDeps {
  readonly policy: UrlPolicy;
  readonly resolve: Resolve;
  readonly times: AttemptTimes;
}

export interface AttemptRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What became of an attempt. */
export interface AttemptOutcome {
  /** Null: it was not answered. */
  readonly httpStatus: number | null;
  /** What the receiver did, for people; holds no address, nothing of the URL, nothing that it said. Undefined: it was delivered. */
  readonly error?: string | undefined;
  /** It is gone for good. */
  readonly isGone?: boolean | undefined;
  /** It used up its time. */
  readonly isSlow?: boolean | undefined;
  readonly pauseSeconds?: number | undefined;
}

/**
 * Sends an event once. The name is resolved once, every address of it must be public, and the connection goes to one of those
 * and to no other; no redirect is followed, and only the head of the answer counts. Never rejects.
 */
export async function attempt(deps: AttemptDeps, request: AttemptRequest): Promise<AttemptOutcome> {
  const problem = urlProblem(request.url, deps.policy);
  if (problem !== undefined) return { httpStatus: null, error: `was not asked: its URL ${problem}` };
  const limits = startLimits(deps.times);
  try {
    const url = new URL(request.url);
    const addresses = await checkedAddresses(url, { ...deps, signal: limits.signal });
    const answer = await post({ ...request, url, addresses, signal: limits.signal }, limits.connected);
    limits.end();
    await drained(answer, deps.times.drainMs);
    return outcomeOf(answer);
  } catch (error) {
    const late = limits.exceeded();
    return late === undefined
      ? { httpStatus: null, error: wordsOf(error) }
      : { httpStatus: null, error: late, isSlow: true };
  } finally {
    limits.end();
  }
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): AttemptOutcome {
  if (statusCode >= 200 && statusCode < 300) return { httpStatus: statusCode };
  const isRedirect = statusCode >= 300 && statusCode < 400;
  return {
    httpStatus: statusCode,
    error: `answered ${statusCode}${isRedirect ? ': redirects are not followed' : ''}`,
    isGone: statusCode === 410,
    pauseSeconds: pauseSecondsOf(statusCode, headers['retry-after'], Date.now()),
  };
}

interface Limits {
  readonly signal: AbortSignal;
  readonly connected: () => void;
  /** What was not done in time; undefined: nothing was late. */
  readonly exceeded: () => string | undefined;
  readonly end: () => void;
}

function startLimits({ connectMs, answerMs }: AttemptTimes): Limits {
  const ended = new AbortController();
  let late: string | undefined;
  const after = (ms: number, words: string) =>
    setTimeout(() => {
      late ??= words;
      ended.abort();
    }, ms);
  const connecting = after(connectMs, 'could not be reached in time');
  const answering = after(answerMs, 'did not answer in time');
  return {
    signal: ended.signal,
    connected: () => clearTimeout(connecting),
    exceeded: () => late,
    end: () => [connecting, answering].forEach((timer) => clearTimeout(timer)),
  };
}

/** Until the answer ends, breaks off, or is too much. */
function drained(answer: IncomingMessage, limitMs: number): Promise<void> {
  return new Promise((done) => {
    let bytes = 0;
    const timer = setTimeout(() => answer.destroy(), limitMs);
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LONGEST_REST_BYTES) answer.destroy();
    });
    answer.on('error', () => undefined);
    answer.on('close', () => {
      clearTimeout(timer);
      done();
    });
  });
}

const codesInWords: Readonly<Record<string, string>> = {
  ENOTFOUND: NO_PUBLIC_ADDRESS,
  ENODATA: NO_PUBLIC_ADDRESS,
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'closed the connection before it answered',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that it signed itself',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate of another name',
};

/** Messages of Node's errors hold addresses: their codes do not. */
function wordsOf(error: unknown): string {
  if (error instanceof RefusedAddressError) return error.message;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  return codesInWords[code] ?? `could not be asked: ${code}`;
}
