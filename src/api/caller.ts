import type { FastifyRequest } from 'fastify';
import type { Caller } from '../contracts/caller.ts';
import './access/authentication.ts';

/** Who sends a request, as it was authenticated; not to be asked on routes that need nobody. */
export function callerOf({ id, ip, identity }: Pick<FastifyRequest, 'id' | 'ip' | 'identity'>): Caller {
  if (!identity) throw new Error('nobody was asked who sends this request');
  const { principal, role, scope } = identity;
  return { principal, role, requestId: id, address: ip, ...(scope && { scope }) };
}
