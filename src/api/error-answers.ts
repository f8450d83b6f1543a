import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RequestError } from '../client/request-error.ts';
import { JSON_TYPE, MERGE_PATCH_TYPE } from './bodies.ts';
import { challengeOf } from './access/refusals.ts';
import { maskedText } from './masked-url.ts';
import { securityHeaders, tlsHeaders } from './limits/security-headers.ts';
import { errorTable, type ErrorCode, type ErrorInfo } from '../contracts/errors.ts';
import { CommitUnclearError, DatabaseUnavailableError } from '../db/database.ts';

/** Every failure leaves through here, in one shape: `{ error: { code, message, details?, requestId } }`. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => answerError(error, request, reply));
}

/** Also called by Fastify for requests that never reach a route (a malformed URL). */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toRequestError(error, request);
  const row: ErrorInfo = errorTable[known.code];
  const status = row.httpStatus ?? 500;
  // Of a request that reached no route no hook has run.
  identify(request, reply);
  if (status >= 500) request.log.error({ err: error, code: known.code }, 'request failed');
  // A flood that is refused must not flood the log too.
  else
    request.log[status === 429 ? 'debug' : 'info'](
      { code: known.code, reason: maskedText(known.message) },
      'request refused',
    );
  if (known.code === 'UNAUTHENTICATED') reply.header('www-authenticate', challengeOf(known));
  const retryAfterSeconds = known.retryAfterSeconds ?? passesInSeconds[known.code];
  if (retryAfterSeconds !== undefined) reply.header('retry-after', `${Math.ceil(retryAfterSeconds)}`);
  if (known.code === 'PRECONDITION_FAILED' && typeof known.details?.etag === 'string')
    reply.header('etag', known.details.etag);
  // Fastify would close the connection on a client that still writes, which then never reads this answer. Node reads the rest and drops it.
  if (known.code === 'PAYLOAD_TOO_LARGE') reply.removeHeader('connection');
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send({
      error: {
        code: known.code,
        message: known.message,
        ...(known.details === undefined ? {} : { details: known.details }),
        requestId: request.id,
      },
    });
}

/** Of what passes by itself, where nobody knows when. */
const passesInSeconds: { readonly [Code in ErrorCode]?: number } = {
  DATABASE_UNAVAILABLE: 5,
  ORCHESTRATOR_UNAVAILABLE: 5,
};

/** Headers of every answer. */
export function identify(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id).headers(securityHeaders);
  if (request.protocol === 'https') reply.headers(tlsHeaders);
}

function toRequestError(error: unknown, request: FastifyRequest): RequestError {
  if (error instanceof RequestError) return error;
  if (isValidationError(error)) return invalidFields(error);
  const code = codeOf(error);
  if (code !== undefined && code in fastifyErrors) {
    const [ours, said] = fastifyErrors[code as keyof typeof fastifyErrors];
    const message = ours === 'UNSUPPORTED_MEDIA_TYPE' ? wrongType(request) : said;
    return new RequestError(ours, message, { cause: error });
  }
  if (isClientFault(error)) {
    return new RequestError('INVALID_INPUT', 'the request cannot be read: is its body well-formed JSON?', {
      cause: error,
    });
  }
  if (error instanceof CommitUnclearError) {
    const mayLandUntil = error.mayLandUntil?.toISOString();
    return new RequestError('OUTCOME_UNKNOWN', 'whether the request took effect is not known', {
      details: mayLandUntil === undefined ? undefined : { mayLandUntil },
      cause: error,
    });
  }
  const unavailable = unavailabilityOf(error, code);
  if (unavailable !== undefined) {
    // A request changes things in transactions; what comes after them does not end in this answer.
    const outcome = isRead(request) ? '' : '; nothing was changed';
    return new RequestError('DATABASE_UNAVAILABLE', `${unavailable}${outcome}`, { cause: error });
  }
  // What went wrong inside stays inside: the log has it, under the request id.
  return new RequestError('INTERNAL', `the request failed inside; the log has it as request ${request.id}`, {
    cause: error,
  });
}

/** Why PostgreSQL cannot serve the API, and what to do about it; undefined when that is not what went wrong. */
function unavailabilityOf(error: unknown, code: string | undefined): string | undefined {
  if (error instanceof DatabaseUnavailableError)
    return error.remedy === undefined ? error.reason : `${error.reason}: ${error.remedy}`;
  if (code === undefined || !schemaCodes.includes(code)) return undefined;
  return 'the database does not have what this release of the API needs: run `tenantry migrate`';
}

function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** PostgreSQL's undefined_table, undefined_column, undefined_function: a migration is missing. */
const schemaCodes: readonly string[] = ['42P01', '42703', '42883'];

const fastifyErrors = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'the body is too large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', ''],
  FST_ERR_CTP_INVALID_JSON_BODY: [
    'INVALID_INPUT',
    'the body is not well-formed JSON, or has a field named __proto__ or constructor.prototype, which is refused',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_INPUT', 'the body is not as long as its Content-Length says'],
  FST_ERR_BAD_URL: ['INVALID_INPUT', 'the URL is malformed'],
} as const satisfies Record<string, readonly [ErrorCode, string]>;

/** What the route takes, and what was sent. */
function wrongType({ headers, method }: FastifyRequest): string {
  const taken = method === 'PATCH' ? `${JSON_TYPE} or ${MERGE_PATCH_TYPE}` : JSON_TYPE;
  const given = headers['content-type'];
  return `the body must be ${taken}, ${given === undefined ? 'and no Content-Type names it so' : `not "${given}"`}`;
}

interface ValidationError extends Error {
  readonly validation: readonly { readonly instancePath: string; readonly message?: string | undefined }[];
  readonly validationContext?: string | undefined;
}

function isValidationError(error: unknown): error is ValidationError {
  return error instanceof Error && 'validation' in error && Array.isArray(error.validation);
}

function invalidFields(error: ValidationError): RequestError {
  const where = error.validationContext ?? 'body';
  const fields = error.validation.map((issue) => ({
    field: [where, ...issue.instancePath.split('/').filter(Boolean)].join('.'),
    problem: issue.message ?? 'is not valid',
  }));
  return new RequestError('INVALID_INPUT', fields.map((f) => `${f.field}: ${f.problem}`).join('; '), {
    details: { fields },
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function isClientFault(error: unknown): boolean {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500;
}
