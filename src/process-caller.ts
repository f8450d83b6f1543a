import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Caller } from './contracts/caller.ts';
import { processUser } from './process-user.ts';

/** A process of Tenantry that acts by itself: the principal names the process, never a person. */
export function systemCaller(what: string): Caller {
  return { principal: `${what} on ${hostname()}`, role: 'system', requestId: randomUUID() };
}

/** A person at a command that acts with the credentials of its own process: the operating system knows who. */
export function commandCaller(): Caller {
  return { principal: processUser(), role: 'platform-admin', requestId: randomUUID() };
}
