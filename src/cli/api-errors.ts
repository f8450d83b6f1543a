import type { z } from 'zod';
import type { errorAnswer } from '../api/schemas/answers.ts';
import type { Credential } from './credentials.ts';

interface AnswerFacts {
  readonly answeredAtMs?: number | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly credentialFrom?: Credential['from'] | undefined;
}

/** The API refused the request. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly requestId: string | undefined;
  /** When it was answered by the API's clock, in ms since 1970; undefined when the answer does not say. */
  readonly answeredAtMs: number | undefined;
  /** When to ask again, in seconds, when the answer says. */
  readonly retryAfterSeconds: number | undefined;
  /** What the request said of its caller; undefined: nothing. */
  readonly credentialFrom: Credential['from'] | undefined;
  constructor(status: number, error: z.infer<typeof errorAnswer>['error'], about: AnswerFacts = {}) {
    super(error.message);
    this.status = status;
    this.answeredAtMs = about.answeredAtMs;
    this.retryAfterSeconds = about.retryAfterSeconds;
    this.credentialFrom = about.credentialFrom;
    this.code = error.code;
    this.details = error.details;
    this.requestId = error.requestId;
  }
}

/** The settings are not at the version that the command names: nothing was sent that changes them. */
export class OtherVersionError extends Error {
  override readonly name = 'OtherVersionError';
}

/** Nobody answers at the API's address, or not as our API does. */
export class ApiUnreachableError extends Error {
  override readonly name: string = 'ApiUnreachableError';
  /** Of an answer that is not our API's. */
  readonly status: number | undefined;
  constructor(message: string, options: { readonly cause?: unknown; readonly status?: number | undefined } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status;
  }
}

/** A request that changes something was sent, and no answer says whether it was carried out. */
export class UnclearAnswerError extends ApiUnreachableError {
  override readonly name = 'UnclearAnswerError';
}

/** The API ended a stream: the credential that opened it was revoked, or does not reach the tenant any more. */
export class AccessLostError extends Error {
  override readonly name = 'AccessLostError';
}
