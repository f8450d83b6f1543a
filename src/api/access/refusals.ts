import { RequestError } from '../../client/request-error.ts';

/** Why a credential is not taken. */
export type RefusalReason =
  | 'missing'
  | 'malformed'
  | 'expired'
  | 'not-yet-valid'
  | 'issuer'
  | 'audience'
  | 'algorithm'
  | 'signature'
  | 'key'
  | 'claims'
  | 'unknown'
  | 'revoked'
  | 'ticket';

/** Nobody is known to ask. `message` is sent to the caller, and in a header: printable ASCII, and nothing of the token. */
export function unauthenticated(reason: RefusalReason, message: string, cause?: unknown): RequestError {
  return new RequestError('UNAUTHENTICATED', message, { details: { reason }, cause });
}

/** The header `WWW-Authenticate` of RFC 6750: without an error where no credential was sent. */
export function challengeOf({ details, message }: RequestError): string {
  if (details?.reason === 'missing') return 'Bearer realm="tenantry"';
  return `Bearer realm="tenantry", error="invalid_token", error_description="${message.replaceAll(/[^\x20-\x7e]|["\\]/g, '')}"`;
}
