/**
 * Why the API ends a live stream. `token-expired`: open it again with a new credential; `access-lost`: not with this one any more;
 * `shutting-down` and `unavailable`: open it again.
 */
export const streamEndReasons = ['token-expired', 'access-lost', 'shutting-down', 'unavailable'] as const;
export type StreamEndReason = (typeof streamEndReasons)[number];
