import type { ErrorCode } from '../contracts/errors.ts';

/** A request that cannot be carried out; its code's row in the table of errors gives HTTP status and remedy. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ErrorCode;
  /** For programs: what exactly is wrong, or where to look. Nothing secret. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Readonly<Record<string, unknown>> | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}
