import type { FastifyRequest } from 'fastify';
import { LOCAL_OPERATOR, type Caller } from '../contracts/caller.ts';

/** Who sends a request: nobody is authenticated, so it is whoever can reach the loopback, and may do everything. */
export function callerOf({ id, ip }: Pick<FastifyRequest, 'id' | 'ip'>): Caller {
  return { principal: LOCAL_OPERATOR, role: 'platform-admin', requestId: id, address: ip };
}
