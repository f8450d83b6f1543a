import type { FastifyReply } from 'fastify';
import type { Rate } from '../../limits-config.ts';
import type { Taken } from './buckets.ts';

/** A rate, and how much of it a request left. */
export interface Held {
  readonly policy: string;
  readonly rate: Rate;
  readonly taken: Taken;
}

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10: lists of strings with parameters (RFC 9651). `q` requests in
 * `w` seconds; `r` are left, and in `t` seconds there are all again, or, with none left, one.
 */
export function tellRate(reply: FastifyReply, { policy, rate, taken }: Held): void {
  const { remaining, fullInMs, waitMs } = taken;
  append(reply, 'ratelimit-policy', `"${policy}";q=${rate.requests};w=${secondsOf(rate.windowMs)}`);
  append(reply, 'ratelimit', `"${policy}";r=${remaining};t=${secondsOf(waitMs ?? fullInMs)}`);
}

function append(reply: FastifyReply, name: string, item: string): void {
  const before = reply.getHeader(name);
  reply.header(name, before === undefined ? item : `${String(before)}, ${item}`);
}

/** Whole ones: whoever waits as long finds room. */
export function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(Math.round(ms) / 1_000));
}
