import type { FastifyInstance } from 'fastify';
import type { Identity } from './identity.ts';

/** Under which an answer has who asked for something. */
const actorFields: ReadonlySet<string> = new Set(['caller', 'askedBy']);
/** Of what an event says: what only the platform's people need to find each other. */
const staffFields: ReadonlySet<string> = new Set(['by', 'requestId', 'address']);

/** Callers that reach some tenants only are not told who of the platform's people acted: see {@link shownTo}. */
export function hideStaff(app: FastifyInstance): void {
  app.addHook('preSerialization', (request, _reply, payload, next) => {
    next(null, shownTo(request.identity, payload));
  });
}

/**
 * An answer as a caller may see it. Without a scope: as it is. With one, whoever has a role of the platform is `platform` and that
 * role, without address and request id, at any depth. Pure.
 */
export function shownTo(reader: Pick<Identity, 'scope'> | undefined, answer: unknown): unknown {
  return reader?.scope ? withoutStaff(answer) : answer;
}

function withoutStaff(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutStaff);
  if (!isPlain(value)) return value;
  const isOfStaff = isStaff(value['caller']);
  const shown = Object.entries(value).map(([name, field]) => {
    if (actorFields.has(name) && isStaff(field)) return [name, { principal: 'platform', role: field.role }];
    if (name === 'data' && isOfStaff && isPlain(field)) return [name, withoutStaff(withoutFields(field))];
    return [name, withoutStaff(field)];
  });
  return Object.fromEntries(shown);
}

function withoutFields(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([name]) => !staffFields.has(name)));
}

function isStaff(value: unknown): value is { readonly role: string } {
  return isPlain(value) && typeof value['role'] === 'string' && value['role'].startsWith('platform-');
}

/** No date, and nothing that is written in a way of its own. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
