import type { ErrorCode } from '../contracts/errors.ts';

interface RequestErrorOptions {
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** A request that cannot be carried out; its code's row in the table of errors gives HTTP status and remedy. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ErrorCode;
  /** For programs: what exactly is wrong, or where to look. Nothing secret. */
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** When to try again, in seconds: the header `Retry-After` of the answer. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: RequestErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
