/**
 * PostgreSQL could not be reached, or gave up for a reason that passes. A transaction took no effect; a statement outside one
 * may have.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name: string = 'DatabaseUnavailableError';
}

/** A transaction's commit was sent, and whether it took effect could not be found out. */
export class CommitUnclearError extends DatabaseUnavailableError {
  override readonly name = 'CommitUnclearError';
}

/**
 * SQLSTATEs that pass by themselves: connection trouble (class 08), shutdown and start-up, too many connections, a
 * read-only standby after a fail-over, serialisation failure, deadlock, time-outs. Source: PostgreSQL, appendix A.
 */
const passingStates = [
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25006',
  '25P03',
  '25P04',
  '40001',
  '40P01',
  '55P03',
  '57014',
];
const networkCodes = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'],
];
/** What `pg` says, without a code, about connections. */
const connectionWords =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed)/;

/** The error as DatabaseUnavailableError; undefined when it is of another sort. */
export function unavailable(error: unknown): DatabaseUnavailableError | undefined {
  if (error instanceof DatabaseUnavailableError) return error;
  if (!passes(error)) return undefined;
  return new DatabaseUnavailableError(`PostgreSQL did not answer: ${messageOf(error)}`, { cause: error });
}

export function isUnavailable(error: unknown): boolean {
  return unavailable(error) !== undefined;
}

/** SQLSTATE of an error of PostgreSQL, or the network's code; undefined when it has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function passes(error: unknown): boolean {
  // Several addresses of a host tried in vain.
  if (error instanceof AggregateError && error.errors.some(passes)) return true;
  const code = codeOf(error);
  if (code !== undefined && (code.startsWith('08') || passingStates.includes(code) || networkCodes.includes(code)))
    return true;
  return error instanceof Error && connectionWords.test(error.message);
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === '' ? (codeOf(error) ?? 'no reason given') : message;
}
