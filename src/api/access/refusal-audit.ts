import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RequestError } from '../../client/request-error.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { addressOf } from '../caller.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import { defaultRefusalRates, networkOf, refusalBudget } from './refusal-budget.ts';

const audited: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'TENANT_MISMATCH'];

/** How long an answer waits for its record, in ms: usually it is there when the caller looks for it, and a slow database slows no refusal. */
const LONGEST_ANSWER_MS = 250;
/** How many wait to be recorded; more are counted. */
const MOST_WAITING = 200;
/** How long an API that ends waits for what is not recorded yet, in ms. */
const LONGEST_END_MS = 5_000;

/** Records that a request was refused for who asked; other errors pass. What cannot be recorded is refused all the same. */
export type RefusalAudit = (request: FastifyRequest, error: unknown, tenantId?: string) => Promise<void>;

type Recorder = Pick<TenantryClient, 'recordRefusal'>;
type Refusal = Parameters<Recorder['recordRefusal']>[0];

/** Those who are known have a budget of their own: a flood of bad credentials hides nothing that they do. */
export function refusalAudit(app: FastifyInstance, client: Recorder): RefusalAudit {
  const ofKnown = refusalBudget(defaultRefusalRates);
  const ofUnknown = refusalBudget(defaultRefusalRates);
  const record = recordingInTurn(app, client);
  return async (request, error, tenantId) => {
    if (!(error instanceof RequestError) || !audited.includes(error.code)) return;
    const address = addressOf(request);
    const { id, identity, method, routeOptions } = request;
    const unrecorded = identity ? ofKnown(identity.principal) : ofUnknown(networkOf(address));
    if (unrecorded === undefined) return;
    const recorded = record({
      ...{ code: error.code, reason: z.string().safeParse(error.details?.reason).data, unrecorded, method, tenantId },
      ...{ principal: identity?.principal, role: identity?.role, operation: routeOptions.schema?.operationId },
      ...{ address, requestId: id },
    });
    await atMost(LONGEST_ANSWER_MS, recorded);
  };
}

/**
 * Records one after another, by one connection at most, also after the answer; an API that ends waits for them. What is not recorded is
 * counted with the next one that is.
 */
function recordingInTurn(app: FastifyInstance, client: Recorder): (refusal: Refusal) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  let lost = 0;
  const recordNow = async (refusal: Refusal) => {
    const before = lost;
    lost = 0;
    try {
      await client.recordRefusal({ ...refusal, unrecorded: refusal.unrecorded + before });
    } catch (cause) {
      lost += before + refusal.unrecorded + 1;
      app.log.warn({ err: cause, ...refusal }, 'a refusal could not be recorded');
    }
    waiting -= 1;
  };
  app.addHook('onClose', () => atMost(LONGEST_END_MS, last));
  return (refusal) => {
    if (waiting >= MOST_WAITING) {
      lost += refusal.unrecorded + 1;
      return Promise.resolve();
    }
    waiting += 1;
    last = last.then(() => recordNow(refusal));
    return last;
  };
}

/** Returns when the work is done, or when the time is over; then it goes on. */
async function atMost(limitMs: number, work: Promise<void>): Promise<void> {
  const isDone = new AbortController();
  const timer = sleep(limitMs, undefined, { signal: isDone.signal }).catch(() => undefined);
  await Promise.race([work, timer]);
  isDone.abort();
}
