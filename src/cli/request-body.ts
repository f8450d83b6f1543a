import { LARGEST_BODY_BYTES } from '../contracts/body-limit.ts';

/** The request is larger than the API takes: nothing was sent. */
export class RequestTooLargeError extends Error {
  override readonly name = 'RequestTooLargeError';
  readonly details: { readonly bytes: number; readonly most: number };
  constructor(bytes: number) {
    super(`the request has ${bytes} bytes of JSON, and the API takes ${LARGEST_BODY_BYTES} at most: nothing was sent`);
    this.details = { bytes, most: LARGEST_BODY_BYTES };
  }
}

/** @throws RequestTooLargeError, since what the API answers while it is still written to may be lost */
export function bodyOf(content: unknown): string {
  const body = JSON.stringify(content);
  const bytes = Buffer.byteLength(body);
  if (bytes > LARGEST_BODY_BYTES) throw new RequestTooLargeError(bytes);
  return body;
}
