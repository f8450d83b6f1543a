import { RequestError } from '../../client/request-error.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { StreamEndReason } from '../../contracts/stream-ends.ts';

/** Why the API ends a stream, as its last frame tells. */
export interface StreamEnd {
  readonly reason: StreamEndReason;
  readonly message: string;
}

export const tokenExpired: StreamEnd = {
  reason: 'token-expired',
  message: 'the credential that opened this stream has expired: open another with a new one',
};
export const shuttingDown: StreamEnd = {
  reason: 'shutting-down',
  message: 'this process of the API ends: open the stream again',
};
export const unavailable: StreamEnd = {
  reason: 'unavailable',
  message: 'what the stream needs cannot be reached now: open it again a little later',
};

const refusals: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'TENANT_MISMATCH', 'TENANT_NOT_FOUND'];

/** Of what stood in the way of a stream that was open. That something is not known now refuses nobody. */
export function endOf(error: unknown): StreamEnd {
  if (!(error instanceof RequestError) || !refusals.includes(error.code)) return unavailable;
  if (error.details?.reason === 'expired') return tokenExpired;
  return { reason: 'access-lost', message: error.message };
}

/** Without an id: the client's last one stays that of the last event. */
export function endFrame({ reason, message }: StreamEnd): string {
  return `event: end\ndata: ${JSON.stringify({ reason, message })}\n\n`;
}
