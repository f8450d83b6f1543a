import type { ErrorCode } from './errors.ts';

export interface StepErrorOptions {
  readonly detail?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A failure of a verb that says by its code what it is; whether it is tried again stands in the table of errors. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly code: ErrorCode;
  /** The last thing seen, for people: no secrets. */
  readonly detail: string | undefined;
  /** In how many ms its turn comes, of work that only waits for it: nothing was tried. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: StepErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
  }
}
