import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RequestError } from '../../client/request-error.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { addressOf } from '../caller.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import { defaultRefusalRates, networkOf, refusalBudget } from './refusal-budget.ts';

const audited: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'TENANT_MISMATCH'];

/** Records that a request was refused for who asked; other errors pass. What cannot be recorded is refused all the same. */
export type RefusalAudit = (request: FastifyRequest, error: unknown, tenantId?: string) => Promise<void>;

/** Those who are known have a budget of their own: a flood of bad credentials hides nothing that they do. */
export function refusalAudit(client: Pick<TenantryClient, 'recordRefusal'>): RefusalAudit {
  const ofKnown = refusalBudget(defaultRefusalRates);
  const ofUnknown = refusalBudget(defaultRefusalRates);
  return async (request, error, tenantId) => {
    if (!(error instanceof RequestError) || !audited.includes(error.code)) return;
    const address = addressOf(request);
    const { id, identity, log, method, routeOptions } = request;
    const unrecorded = identity ? ofKnown(identity.principal) : ofUnknown(networkOf(address));
    if (unrecorded === undefined) return;
    const refusal = {
      ...{ code: error.code, reason: z.string().safeParse(error.details?.reason).data, unrecorded, method, tenantId },
      ...{ principal: identity?.principal, role: identity?.role, operation: routeOptions.schema?.operationId },
      ...{ address, requestId: id },
    };
    await client.recordRefusal(refusal).catch((cause: unknown) => {
      log.warn({ err: cause, code: error.code }, 'a refusal could not be recorded');
    });
  };
}
