/**
 * PostgreSQL could not be reached, or gave up for a reason that passes. A transaction took no effect; a statement outside one
 * may have.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name: string = 'DatabaseUnavailableError';
  /** What somebody has to do: waiting alone does not help. Absent: it passes by itself. */
  readonly remedy: string | undefined;
  constructor(message: string, { remedy, ...options }: ErrorOptions & { readonly remedy?: string } = {}) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** A transaction's commit was sent, and whether it took effect could not be found out. */
export class CommitUnclearError extends DatabaseUnavailableError {
  override readonly name = 'CommitUnclearError';
}

/**
 * SQLSTATEs that pass by themselves: connection trouble (class 08), shutdown and start-up, too many connections, a
 * read-only standby after a fail-over, serialisation failure, deadlock, time-outs, trouble of the
 * server with its system. Source: PostgreSQL, appendix A.
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
  '58000',
  '58030',
];
const networkCodes = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'],
];
/** What `pg` says, without a code, about connections. */
const connectionWords =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed)/;

/** How PostgreSQL, or a pooler before it, refuses what is set up wrongly: retried like an outage, but named, with what to do. */
const refusals: readonly { readonly states: readonly string[]; readonly words?: RegExp; readonly remedy: string }[] = [
  { states: ['28P01', '28000'], remedy: 'correct user and password in the URL, or the rules of pg_hba.conf' },
  { states: ['3D000', '57P04'], remedy: 'correct the name of the database in the URL, or make the database' },
  { states: ['42501'], remedy: "give the URL's role the rights on the database, or name its owner in the URL" },
  { states: ['53100'], remedy: 'free room on the disk of the server' },
  { states: ['53000', '53200', '53400'], remedy: 'raise the limit of the server or of the role' },
  { states: ['55000'], words: /not currently accepting connections/, remedy: 'allow connections to the database' },
  {
    states: ['25006'],
    remedy: 'after a fail-over this passes; else name the primary in the URL, or reset default_transaction_read_only',
  },
  {
    // PgBouncer gives all that it refuses this one code; only a parameter is refused for good.
    states: ['08P01'],
    words: /startup parameter/,
    remedy: 'connect without the pooler, or with one that keeps a session for each client and lets its parameters pass',
  },
];

/** The error as DatabaseUnavailableError, refusals included; undefined when it is of another sort. */
export function unavailable(error: unknown): DatabaseUnavailableError | undefined {
  if (error instanceof DatabaseUnavailableError) return error;
  const remedy = remedyOf(error);
  if (remedy !== undefined) {
    const message = `PostgreSQL refuses (${codeOf(error) ?? '?'}): ${messageOf(error)}; ${remedy}`;
    return new DatabaseUnavailableError(message, { cause: error, remedy });
  }
  if (!passes(error)) return undefined;
  return new DatabaseUnavailableError(`PostgreSQL did not answer: ${messageOf(error)}`, { cause: error });
}

/** What to do about a refusal; undefined when the error is none. */
export function remedyOf(error: unknown): string | undefined {
  const state = codeOf(error) ?? '';
  const message = error instanceof Error ? error.message : '';
  return refusals.find(({ states, words }) => states.includes(state) && (words?.test(message) ?? true))?.remedy;
}

/** Whether it is an outage, or was taken for one already; a refusal of one statement is not. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError || passes(error);
}

/**
 * The error of a commit that was sent, as DatabaseUnavailableError, unless PostgreSQL itself refused the commit. Anything else
 * (of TLS, of a socket, of bytes that are no answer) leaves open whether it took effect.
 */
export function unlessRefused(error: unknown): DatabaseUnavailableError | undefined {
  if (isUnavailable(error)) return unavailable(error);
  if (isRefusal(error)) return undefined;
  return new DatabaseUnavailableError(`PostgreSQL did not answer the commit: ${messageOf(error)}`, { cause: error });
}

/** Whether PostgreSQL refused a statement and goes on; one that ends the session may have done what it was asked before. */
export function isRefusal(error: unknown): boolean {
  if (isUnavailable(error)) return false;
  const severity = error instanceof Error && 'severity' in error ? error.severity : undefined;
  if (typeof severity !== 'string' || ['FATAL', 'PANIC'].includes(severity)) return false;
  return /^[0-9A-Z]{5}$/.test(codeOf(error) ?? '');
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
