import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestError } from '../client/request-error.ts';

/**
 * Refuses text that PostgreSQL cannot store (NUL, half surrogates), wherever a request carries it: path, query, body, headers.
 * One hook for all routes, so that no field of no schema can forget it. What the codec converts is stored nowhere.
 */
export function refuseUnstorableText(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, next) => {
    refuseMalformedQuery(request);
    next();
  });
  app.addHook('preValidation', (request, _reply, next) => {
    const { params, query: querystring, headers, routeOptions } = request;
    const body = routeOptions.url?.startsWith('/codec/') === true ? undefined : request.body;
    for (const [where, value] of Object.entries({ params, querystring, body, headers })) {
      const field = findUnstorable(where, value);
      if (field !== undefined) throw unstorable(field);
    }
    next();
  });
}

/** The parser takes what it cannot decode (`%zz`, `%ff`) literally: the route would look for another text than was meant. */
function refuseMalformedQuery(request: FastifyRequest): void {
  const start = request.url.indexOf('?');
  if (start === -1 || isDecodable(request.url.slice(start + 1))) return;
  throw invalid('querystring', 'is not well-formed: its percent-encoding must be valid UTF-8');
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Name of the first field whose key or value is unstorable. Without recursion: a body may be nested thousands of levels deep. */
function findUnstorable(where: string, root: unknown): string | undefined {
  const open: { readonly field: string; readonly value: unknown }[] = [{ field: where, value: root }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { field, value } = next;
    if (typeof value === 'string' && !isStorable(value)) return field;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      if (!isStorable(key)) return field;
      // The name of a field that deep would be longer than the request.
      open.push({ field: field.length > 200 ? field : `${field}.${key}`, value: child });
    }
  }
  return undefined;
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function unstorable(field: string): RequestError {
  return invalid(field, 'holds a NUL character or half a surrogate pair, which cannot be stored');
}

function invalid(field: string, problem: string): RequestError {
  return new RequestError('INVALID_INPUT', `${field}: ${problem}`, { details: { fields: [{ field, problem }] } });
}
