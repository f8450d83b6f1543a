/**
 * PostgreSQL could not be reached, or gave up for a reason that passes. A transaction took no effect; a statement outside one
 * may have.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name: string = 'DatabaseUnavailableError';
  /** What somebody has to do: waiting alone does not help. Absent: it passes by itself. */
  readonly remedy: string | undefined;
  /** What became of it, for callers: without PostgreSQL's own words, which name addresses and accounts. */
  readonly reason: string;
  constructor(message: string, { remedy, reason, ...options }: UnavailableOptions = {}) {
    super(message, options);
    this.remedy = remedy;
    this.reason = reason ?? unreachable;
  }
}

interface UnavailableOptions extends ErrorOptions {
  readonly remedy?: string;
  readonly reason?: string;
}

const unreachable = 'PostgreSQL cannot be reached';

/** A transaction's commit was sent, and whether it took effect could not be found out. */
export class CommitUnclearError extends DatabaseUnavailableError {
  override readonly name = 'CommitUnclearError';
  /** A commit that has not taken effect by then never does. Undefined: nothing bounds it. */
  readonly mayLandUntil: Date | undefined;
  constructor(message: string, { mayLandUntil, cause }: { mayLandUntil: Date | undefined; cause?: unknown }) {
    super(message, { cause });
    this.mayLandUntil = mayLandUntil;
  }
}

/**
 * SQLSTATEs that pass by themselves: connection trouble (class 08), shutdown and start-up, too many connections, a
 * read-only standby after a fail-over, serialization failure, deadlock, time-outs, trouble of the
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
/** What TLS says of a certificate or of bytes that are none of its own, and Node.js of a socket that is gone. */
const connectionCodes =
  /^(ERR_(SSL|TLS|OSSL|SOCKET|STREAM)_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|EAI_)/;
/** What `pg` says, without a code, about connections. */
const connectionWords =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed)/;

/** How PostgreSQL, or a pooler before it, refuses what is set up wrongly: retried like an outage, but named, with what to do. */
interface Refusal {
  readonly states: readonly string[];
  /** What the message has to hold besides; for errors without a SQLSTATE, instead. */
  readonly words?: RegExp;
  /** As in "PostgreSQL ...". */
  readonly what: string;
  readonly remedy: string;
}
const refusals: readonly Refusal[] = [
  {
    states: ['28P01', '28000'],
    what: 'refuses the login',
    remedy: 'correct user and password in the URL, or the rules of pg_hba.conf',
  },
  {
    states: ['3D000', '57P04'],
    what: 'has no such database',
    remedy: 'correct the name of the database in the URL, or make the database',
  },
  {
    states: ['42501'],
    what: 'denies a right',
    remedy: "give the URL's role the rights on the database, or name its owner in the URL",
  },
  { states: ['53100'], what: 'has no room on its disk', remedy: 'free room on the disk of the server' },
  {
    states: ['53000', '53200', '53400'],
    what: 'is at a limit',
    remedy: 'raise the limit of the server or of the role',
  },
  {
    states: ['53300'],
    what: 'has no connection left',
    remedy: 'raise max_connections, or the connection limit of the role or the database; or run fewer processes',
  },
  {
    states: ['55000'],
    words: /not currently accepting connections/,
    what: 'takes no connections to the database',
    remedy: 'allow connections to the database',
  },
  {
    states: ['25006'],
    what: 'only reads',
    remedy: 'after a fail-over this passes; else name the primary in the URL, or reset default_transaction_read_only',
  },
  {
    // PgBouncer gives all that it refuses this one code; only a parameter is refused for good.
    states: ['08P01'],
    words: /startup parameter/,
    what: 'refuses a parameter of the session',
    remedy: 'connect without the pooler, or with one that keeps a session for each client and lets its parameters pass',
  },
  {
    states: [],
    words: /^SASL: |password must be a string/,
    what: 'and the client do not agree on the login',
    remedy: 'correct user and password in the URL',
  },
  { states: [], words: /does not support SSL/, what: 'speaks no TLS', remedy: 'correct sslmode in the URL' },
];

/** The error as DatabaseUnavailableError, refusals included; undefined when it is of another sort. */
export function unavailable(error: unknown): DatabaseUnavailableError | undefined {
  if (error instanceof DatabaseUnavailableError) return error;
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    const { what, remedy } = refusal;
    const state = codeOf(error);
    const message = `PostgreSQL refuses (${state ?? '?'}): ${messageOf(error)}; ${remedy}`;
    const reason = `PostgreSQL ${what}${state === undefined ? '' : ` (${state})`}`;
    return new DatabaseUnavailableError(message, { cause: error, remedy, reason });
  }
  if (!passes(error)) return undefined;
  return unanswered('PostgreSQL did not answer', error);
}

/**
 * The error of a call that went to PostgreSQL, as DatabaseUnavailableError, unless PostgreSQL answered it and goes on, or the call
 * itself is wrong and was never sent. Whatever else went wrong did so on the way: sockets and TLS have more words than a list.
 */
export function unlessAnswered(error: unknown): DatabaseUnavailableError | undefined {
  const known = unavailable(error);
  if (known || isRefusal(error) || isMistake(error)) return known;
  return unanswered('PostgreSQL did not answer', error);
}

function unanswered(what: string, error: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError(`${what}: ${messageOf(error)}`, { cause: error, reason: reasonOf(error) });
}

function reasonOf(error: unknown): string {
  const code = codeOf(error) ?? '';
  if (error instanceof Error && timeoutWords.test(error.message)) return 'PostgreSQL gave no answer in time';
  if (connectionCodes.test(code)) return 'the connection to PostgreSQL cannot be used';
  if (!/^[0-9A-Z]{5}$/.test(code) || code.startsWith('08') || isOfSystem(error)) return unreachable;
  if (code === '57P03') return 'PostgreSQL is starting or stopping (57P03)';
  return `PostgreSQL gave the request up (${code})`;
}

const timeoutWords = /^(timeout expired|Query read timeout|timeout exceeded when trying to connect)/;

/** What to do about a refusal; undefined when the error is none. */
export function remedyOf(error: unknown): string | undefined {
  return refusalOf(error)?.remedy;
}

function refusalOf(error: unknown): Refusal | undefined {
  const state = codeOf(error) ?? '';
  const message = error instanceof Error ? error.message : '';
  return refusals.find(
    ({ states, words }) => (states.length === 0 || states.includes(state)) && (words?.test(message) ?? true),
  );
}

/** Serialization failure, deadlock, a lock that did not come in time: PostgreSQL rolled the transaction back, and answers others. */
const conflictStates = ['40001', '40P01', '55P03'];

/** Whether a transaction ended because of another one, so that a new one may get through. What became of an unclear commit is not known. */
export function isConflict(error: unknown): boolean {
  if (error instanceof CommitUnclearError) return false;
  const answer = error instanceof DatabaseUnavailableError ? error.cause : error;
  return conflictStates.includes(codeOf(answer) ?? '');
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
  return unanswered('PostgreSQL did not answer the commit', error);
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
  if (code !== undefined && (code.startsWith('08') || passingStates.includes(code) || connectionCodes.test(code)))
    return true;
  if (isOfSystem(error)) return true;
  return error instanceof Error && connectionWords.test(error.message);
}

/** What the system says of a socket or a name, such as ECONNRESET; of a file it names the path. */
function isOfSystem(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(codeOf(error) ?? '') && !(error instanceof Error && 'path' in error);
}

/** A call that cannot be sent as it is: a defect of the caller. */
function isMistake(error: unknown): boolean {
  return (
    error instanceof TypeError || error instanceof RangeError || (codeOf(error) ?? '').startsWith('ERR_INVALID_ARG')
  );
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === '' ? (codeOf(error) ?? 'no reason given') : message;
}
