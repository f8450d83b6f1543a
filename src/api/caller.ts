import type { FastifyRequest } from 'fastify';
import type { KeyedCaller } from '../client/request-key.ts';
import './access/authentication.ts';
import { requestKeyOf } from './idempotency-keys.ts';

/** Who sends a request, as it was authenticated, and under which key; not to be asked on routes that need nobody. */
export function callerOf(request: FastifyRequest): KeyedCaller {
  const { id, ip, identity } = request;
  if (!identity) throw new Error('nobody was asked who sends this request');
  const { principal, role, scope } = identity;
  return { principal, role, requestId: id, address: ip, ...(scope && { scope }), requestKey: requestKeyOf(request) };
}
