import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RequestError } from '../../client/request-error.ts';
import type { Limits, Rate } from '../../limits-config.ts';
import { networkOf } from '../access/refusal-budget.ts';
import type { Identity } from '../access/identity.ts';
import { addressOf } from '../caller.ts';
import { buckets, type Buckets } from './buckets.ts';
import { secondsOf, tellRate } from './headers.ts';
import { hashOfCredential, knownCallers } from './known-callers.ts';
import { streamCounter, type StreamCounter } from './streams.ts';
import { turns } from './turns.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly streams: StreamCounter;
  }
  interface FastifyRequest {
    /** Ends the request's turn before its answer has ended: of one that waits long, and holds no connection of the database meanwhile. */
    endTurn: () => void;
  }
}

/** Holds requests against the limits, in this order; each step refuses by RequestError RATE_LIMITED. */
export interface Gate {
  /**
   * Asks who calls, unless the address has shown too many bad credentials, or the caller has no room; once it is the request's turn. Of a caller that
   * is known by its credential all that comes before it is checked.
   */
  admit(request: FastifyRequest, reply: FastifyReply, authenticate: () => Promise<Identity>): Promise<Identity>;
  /** For a caller that reaches the tenant: whether that has room. */
  takeOfTenant(request: FastifyRequest, reply: FastifyReply, tenantId: string | undefined): void;
  readonly streams: StreamCounter;
}

/** @param asksCallers whether requests carry credentials */
export function gateOf(limits: Limits, asksCallers: boolean): Gate {
  const caller = byKind('caller', limits.reads, limits.changes);
  const tenant = byKind('tenant', limits.tenantReads, limits.tenantChanges);
  const refused = limits.refused && asksCallers ? held('refused', limits.refused) : undefined;
  const known = knownCallers();
  const line = limits.inFlight === undefined ? undefined : turns(limits.inFlight);
  const authenticated = async (
    hash: string | undefined,
    authenticate: () => Promise<Identity>,
    giveBack: () => void,
  ) => {
    try {
      const identity = await authenticate();
      giveBack();
      known.remember(hash, identity.principal);
      return identity;
    } catch (error) {
      known.forget(hash);
      if (!(error instanceof RequestError && error.code === 'UNAUTHENTICATED')) giveBack();
      throw error;
    }
  };
  const pace = limits.pace && buckets(limits.pace);
  const begin = async (request: FastifyRequest, reply: FastifyReply, principal: string) => {
    if (pace) await takePace(pace, principal);
    caller(request)?.take(reply, principal, `${principal} has`);
    if (line) await takeTurn(line, request, reply, principal);
  };
  const takeOfTenant: Gate['takeOfTenant'] = (request, reply, tenantId) => {
    if (tenantId === undefined) return;
    // What a tenant's own people send keeps the platform's from nothing.
    const whose = request.identity?.scope ? 'own' : 'platform';
    tenant(request)?.take(reply, `${whose} ${tenantId.toLowerCase()}`, `callers of tenant ${tenantId} have`);
  };
  return {
    takeOfTenant,
    streams: streamCounter(limits.streams),
    admit: async (request, reply, authenticate) => {
      const hash = hashOfCredential(request);
      const principal = known.find(hash);
      if (principal !== undefined) {
        await begin(request, reply, principal);
        return authenticated(hash, authenticate, () => undefined);
      }
      const address = networkOf(addressOf(request));
      refused?.take(reply, address, `the address ${address} has`);
      const identity = await authenticated(hash, authenticate, () => refused?.giveBack(reply, address));
      await begin(request, reply, identity.principal);
      return identity;
    },
  };
}

/** How long a request waits for the pace of its caller, in ms. */
const LONGEST_PACE_MS = 10_000;

async function takePace(pace: Buckets, principal: string): Promise<void> {
  const inMs = pace.reserve(principal, LONGEST_PACE_MS);
  if (inMs === undefined) throw atOnce(principal, 'pace', LONGEST_PACE_MS);
  if (inMs > 0) await sleep(inMs);
}

function atOnce(principal: string, policy: string, waitMs: number): RequestError {
  return new RequestError('RATE_LIMITED', `${principal} has too many requests waiting at the same time`, {
    details: { policy },
    retryAfterSeconds: secondsOf(waitMs),
  });
}

async function takeTurn(
  line: ReturnType<typeof turns>,
  request: FastifyRequest,
  { raw }: FastifyReply,
  principal: string,
): Promise<void> {
  const gone = new AbortController();
  const end = () => gone.abort();
  raw.once('close', end);
  const over = await line.wait(principal, gone.signal);
  if (!over) throw atOnce(principal, 'in-flight', 1_000);
  request.endTurn = over;
  // Also of a client that has gone, of whose answer nothing is ever finished.
  raw.off('close', end).once('close', over);
  if (raw.closed || raw.destroyed) over();
}

interface HeldRate {
  /** @param whoHas whom the refusal names, with its verb: `ann has` */
  take(reply: FastifyReply, key: string, whoHas: string): void;
  giveBack(reply: FastifyReply, key: string): void;
}

function held(policy: string, rate: Rate): HeldRate {
  const of: Buckets = buckets(rate);
  return {
    take: (reply, key, whoHas) => {
      const taken = of.take(key);
      tellRate(reply, { policy, rate, taken });
      if (taken.waitMs !== undefined) throw limited(policy, whoHas, rate, taken.waitMs);
    },
    giveBack: (reply, key) => {
      of.giveBack(key);
      reply.removeHeader('ratelimit').removeHeader('ratelimit-policy');
    },
  };
}

function limited(policy: string, whoHas: string, { requests, windowMs }: Rate, waitMs: number): RequestError {
  const sent = requests === 1 ? 'request' : 'requests';
  const what = policy === 'refused' ? `${sent} with a credential that was not taken` : `${sent} (${policy})`;
  return new RequestError(
    'RATE_LIMITED',
    `${whoHas} sent more than ${requests} ${what} within ${secondsOf(windowMs)} s: the next in ${secondsOf(waitMs)} s`,
    { details: { policy, requests, windowSeconds: secondsOf(windowMs) }, retryAfterSeconds: secondsOf(waitMs) },
  );
}

/** @returns what a request is held against; undefined: nothing */
function byKind(
  whose: string,
  reads: Rate | undefined,
  changes: Rate | undefined,
): (request: FastifyRequest) => HeldRate | undefined {
  const ofReads = reads && held(`${whose}-reads`, reads);
  const ofChanges = changes && held(`${whose}-changes`, changes);
  return (request) => (isChange(request) ? ofChanges : ofReads);
}

/** The codec converts what it is sent, and keeps nothing. */
function isChange({ method, routeOptions: { url } }: FastifyRequest): boolean {
  return method !== 'GET' && method !== 'HEAD' && url?.startsWith('/codec/') !== true;
}

const naming = z.object({ tenantId: z.uuid() });

/** The tenant that a request names in its query or body, within what its caller reaches: nobody uses up another's room. */
export function tenantNamedBy({ body, identity, query }: FastifyRequest): string | undefined {
  const tenantId = naming.safeParse(query).data?.tenantId ?? naming.safeParse(body).data?.tenantId;
  const scope = identity?.scope;
  if (tenantId === undefined || scope?.kind === 'own') return undefined;
  return !scope || scope.ids.includes(tenantId.toLowerCase()) ? tenantId : undefined;
}
