import type { FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route waits for what it starts, when its caller prefers that (`Prefer: wait=N`). */
    waits?: boolean;
  }
}

/** How a caller prefers to be answered (RFC 7240). */
export interface Preferences {
  /** For how long to wait for what the request starts, in ms; undefined: as the route does by itself. */
  readonly waitMs?: number | undefined;
  /** To be answered at once. */
  readonly isAsync: boolean;
}

/** The longest that a request waits, in seconds: below what proxies usually wait for an answer. */
export const LONGEST_WAIT_SECONDS = 60;

/** A preference, and what may follow it in a list (RFC 7240, section 2); its parameters are read over. */
const preference =
  /[ \t]*([!#$%&'*+.^`|~\w-]+)(?:[ \t]*=[ \t]*([!#$%&'*+.^`|~\w-]+|"(?:[^"\\]|\\.)*"))?((?:[^",]|"(?:[^"\\]|\\.)*")*)(?:,|$)/y;

/** What cannot be read, or is not known, is no preference: it is ignored, as the RFC says. Pure. */
export function preferencesIn(text: string): Preferences {
  const given = new Map<string, string>();
  for (preference.lastIndex = 0; preference.lastIndex < text.length;) {
    const start = preference.lastIndex;
    const found = preference.exec(text);
    if (!found) {
      const next = text.indexOf(',', start);
      if (next < 0) break;
      preference.lastIndex = next + 1;
      continue;
    }
    const [, name = '', value = '', parameters = ''] = found;
    const isWhole = parameters.trim() === '' || parameters.trim().startsWith(';');
    // Of several of one name the first counts.
    if (isWhole && !given.has(name.toLowerCase())) given.set(name.toLowerCase(), value.replaceAll(/^"|"$/g, ''));
  }
  const wait = given.get('wait') ?? '';
  return {
    waitMs: /^\d{1,9}$/.test(wait) ? Math.min(Number(wait), LONGEST_WAIT_SECONDS) * 1_000 : undefined,
    isAsync: given.get('respond-async') === '',
  };
}

/** Of a request. */
export function preferencesOf({ headers }: FastifyRequest): Preferences {
  return preferencesIn([headers.prefer ?? ''].flat().join(', '));
}

/** Says which preferences were followed. */
export function withApplied(reply: FastifyReply, { isAsync, waitMs }: Preferences): void {
  const applied = [...(isAsync ? ['respond-async'] : []), ...(waitMs === undefined ? [] : [`wait=${waitMs / 1_000}`])];
  if (applied.length > 0) reply.header('preference-applied', applied.join(', '));
}

/** Aborts once nobody waits for the answer any more, or the process is about to end. */
export function waitSignal({ server }: FastifyRequest, reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return AbortSignal.any([server.draining.signal, gone.signal]);
}
