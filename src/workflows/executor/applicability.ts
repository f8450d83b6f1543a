/** Why a request that was to be taken until then (an ISO time) is not taken any more; undefined when it is. */
export function lateRefusal(notAfter: unknown, nowMs: number): string | undefined {
  if (typeof notAfter !== 'string' || !(nowMs > Date.parse(notAfter))) return undefined;
  return `the request came too late: it was to be taken until ${notAfter}`;
}

/**
 * Why a request that names an operation does not apply to this one, as a sentence; undefined when it does. None named
 * means the one that runs, so that Temporal's own CLI needs no argument.
 */
export function guardRefusal(operationId: string, named: unknown): string | undefined {
  if (named === undefined || named === null || named === operationId) return undefined;
  return `the request is meant for operation ${typeof named === 'string' ? named : JSON.stringify(named)}, this is ${operationId}`;
}
