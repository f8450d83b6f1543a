import type { ErrorCode } from './errors.ts';

/** A failure of a verb that says by its code what it is; whether it is tried again stands in the table of errors. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly code: ErrorCode;
  /** The last thing seen, for people: no secrets. */
  readonly detail: string | undefined;

  constructor(code: ErrorCode, message: string, options: { detail?: string | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
  }
}
