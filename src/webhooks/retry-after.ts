import { LONGEST_PAUSE_SECONDS } from '../contracts/webhooks.ts';

/** Statuses whose `Retry-After` is heeded (RFC 9110, 10.2.3; RFC 6585, 4). */
const pausing: readonly number[] = [429, 503];

/** The pause that an answer asks for, in s, an hour at most; undefined: none. */
export function pauseSecondsOf(status: number, retryAfter: string | undefined, nowMs: number): number | undefined {
  if (!pausing.includes(status) || retryAfter === undefined) return undefined;
  const text = retryAfter.trim();
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1000;
  if (Number.isNaN(seconds) || seconds <= 0) return undefined;
  return Math.ceil(Math.min(seconds, LONGEST_PAUSE_SECONDS));
}
