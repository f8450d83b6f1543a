/** What the commands exit with; the table is printed by `tenantry tenants --help`. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 5,
  holding: 6,
  unknown: 7,
  /** As shells have it: 128 + SIGINT. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `
Exit codes:
  0  done
  1  the outcome is a failure: rolled back, stuck, or (except for cancel) cancelled
  2  wrong usage or bad input
  3  no such tenant or operation
  4  conflict: slug taken, another operation open, nothing to retry, not cancellable, not stuck
  5  the API, Temporal or PostgreSQL cannot be reached
  6  it is on hold and waits for an operator (only with --until-hold)
  7  unknown: it may have taken effect, or it continues unwatched; look before you send it again
  130  Ctrl-C: an operation that was accepted continues

With --json a failure is one line of JSON on stderr: { "error": { code, message, details?, requestId? } }`;

/** The exit code for an HTTP status of a refused request. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (status === 404) return exitCodes.notFound;
  if (status === 409) return exitCodes.conflict;
  if (status === 504) return exitCodes.unknown;
  if (status >= 500) return status === 500 ? exitCodes.failed : exitCodes.unavailable;
  return exitCodes.usage;
}
