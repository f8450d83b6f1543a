import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { KeyedCaller } from '../client/request-key.ts';
import './access/authentication.ts';
import type { Identity } from './access/identity.ts';
import { requestKeyOf } from './idempotency-keys.ts';

/** Who sends a request, as it was authenticated, and under which key; not to be asked on routes that need nobody. */
export function callerOf(request: FastifyRequest): KeyedCaller {
  if (!request.identity) throw new Error('nobody was asked who sends this request');
  return callerAs(request, request.identity);
}

/** Who sends a request, as an identity has them. */
export function callerAs(request: FastifyRequest, { principal, role, scope }: Identity): KeyedCaller {
  const { id, routeOptions } = request;
  const action = routeOptions.schema?.operationId;
  const address = addressOf(request);
  return {
    principal,
    role,
    requestId: id,
    address,
    ...(scope && { scope }),
    requestKey: requestKeyOf(request),
    action,
  };
}

/** Where a request comes from. What a trusted proxy passes on may be no address: then the proxy's own stands. */
export function addressOf({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return isIP(ip) === 0 ? (socket.remoteAddress ?? 'unknown') : ip;
}
