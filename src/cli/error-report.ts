import { CommanderError } from 'commander';
import { adviceOn } from '../contracts/advice.ts';
import { accessAdvice } from './access-advice.ts';
import { ApiError, ApiUnreachableError, OtherVersionError, UnclearAnswerError } from './api-errors.ts';
import { moment } from './attention.ts';
import { InterruptedError, NotConfirmedError } from './confirmation.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts';
import { adviceInOptionNames, inOptionNames, withOptions } from './option-names.ts';
import { NotCarriedOutError } from './late-outcome.ts';
import { RequestTooLargeError } from './request-body.ts';
import { TenantNameError } from './tenant-names.ts';
import { againText, UnknownOutcomeError } from './unknown-outcome.ts';

/** What a command says of its failure: `{ error: { code, message, details?, requestId? } }` for programs. */
export interface ErrorReport {
  readonly exitCode: ExitCode;
  /** The API's code (docs/errors.md), or one of the command line's own (docs/cli.md). */
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly requestId?: string | undefined;
  /** The message as people read it, when not as it is. */
  readonly headline?: string;
  /** Lines for people, after the message. */
  readonly more?: readonly string[];
}

/** Whether the command line asks for JSON; looked for before it is parsed, because that may fail. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? undefined : end).includes('--json');
}

/** Writes to stderr: a line of JSON for programs, else lines for people. */
export function writeError(err: { write(text: string): unknown }, report: ErrorReport, json: boolean): void {
  const { code, message, details, requestId, headline = message, more = [] } = report;
  if (json) {
    err.write(`${JSON.stringify({ error: { code, message, details, requestId } })}\n`);
    return;
  }
  for (const line of [`error: ${headline}`, ...more]) err.write(`${line}\n`);
}

/** @param words how people are told what is said of a tenant; programs get it as it is */
export function reportOf(error: unknown, words = (text: string) => text): ErrorReport {
  const report = reportAsIs(error);
  const { headline = report.message, more = [] } = report;
  return { ...report, headline: words(headline), more: more.map((line) => (isOfPrograms(line) ? line : words(line))) };
}

const DETAILS = 'details: ';

function isOfPrograms(line: string): boolean {
  return line.startsWith(DETAILS);
}

function reportAsIs(error: unknown): ErrorReport {
  if (error instanceof UnknownOutcomeError) return unknownReport(error);
  if (error instanceof ApiError) return refusalReport(error);
  if (error instanceof RequestTooLargeError)
    return {
      exitCode: exitCodes.usage,
      code: 'PAYLOAD_TOO_LARGE',
      message: error.message,
      headline: `PAYLOAD_TOO_LARGE: ${error.message}`,
      details: error.details,
    };
  if (error instanceof OtherVersionError)
    return { exitCode: exitCodes.conflict, code: 'PRECONDITION_FAILED', message: error.message };
  if (error instanceof TenantNameError)
    return {
      exitCode: error.fault === 'not-found' ? exitCodes.notFound : exitCodes.usage,
      code: error.code,
      message: error.message,
    };
  const signIn = error instanceof Error ? signInCodes[error.name] : undefined;
  if (signIn && error instanceof Error) return { ...signInReport, ...signIn, message: error.message };
  if (error instanceof ApiUnreachableError) {
    return {
      exitCode: exitCodes.unavailable,
      code: 'API_UNREACHABLE',
      message: error.message,
      more: ['  is the API up? `tenantry api` starts it; TENANTRY_API_URL says where it is'],
    };
  }
  if (error instanceof NotCarriedOutError)
    return { exitCode: exitCodes.unavailable, code: 'NOT_CARRIED_OUT', message: error.message };
  if (error instanceof NotConfirmedError)
    return { exitCode: exitCodes.usage, code: 'NOT_CONFIRMED', message: error.message };
  if (error instanceof InterruptedError)
    return { exitCode: exitCodes.interrupted, code: 'INTERRUPTED', message: error.message };
  if (error instanceof CommanderError) return usageReport(error.message.replace(/^error: /, ''));
  if (error instanceof Error && error.name === 'ConfigError')
    return { exitCode: exitCodes.usage, code: 'CONFIGURATION_INVALID', message: error.message };
  return { exitCode: exitCodes.failed, code: 'FAILED', message: withCauses(error) };
}

/** By the name of an error: their classes come with a library that only a sign-in loads. */
const signInCodes: Readonly<Record<string, Pick<ErrorReport, 'code' | 'exitCode'>>> = {
  SignInError: { code: 'SIGN_IN_FAILED', exitCode: exitCodes.conflict },
  SessionFileError: { code: 'SIGN_IN_FAILED', exitCode: exitCodes.conflict },
  IssuerUnreachableError: { code: 'ISSUER_UNREACHABLE', exitCode: exitCodes.unavailable },
};
const signInReport = {
  more: ['  `tenantry login` signs in; TENANTRY_API_TOKEN, when it is set, goes before a sign-in'],
};

/** The advice of a code is about a request that was refused: only that of an unknown outcome fits here. */
function unknownReport({ message, look, key, cause }: UnknownOutcomeError): ErrorReport {
  const said = cause instanceof ApiError && cause.code === 'OUTCOME_UNKNOWN' ? refusalReport(cause) : undefined;
  return {
    code: 'OUTCOME_UNKNOWN',
    message,
    ...said,
    exitCode: exitCodes.unknown,
    details: {
      ...said?.details,
      look,
      ...(key !== undefined && { idempotencyKey: key }),
      ...(said ? {} : { because: withCauses(cause) }),
    },
    more: [
      ...(said?.more ?? [`  because: ${withCauses(cause)}`]),
      ...lateLines(cause),
      ...(key === undefined ? [`look before you send anything again: ${look}`] : [againText(key), `or look: ${look}`]),
    ],
  };
}

/** A look comes too early while the request may still be on its way. */
function lateLines(cause: unknown): string[] {
  if (cause instanceof UnclearAnswerError)
    return ['the request may still be on its way: a look that shows nothing of it yet proves nothing'];
  const until = cause instanceof ApiError ? cause.details?.mayLandUntil : undefined;
  if (typeof until !== 'string') return [];
  return [
    `it may take effect until ${moment(until, Date.now())}: that a look before then shows nothing proves nothing`,
  ];
}

export function usageReport(message: string): ErrorReport {
  return { exitCode: exitCodes.usage, code: 'USAGE', message };
}

function refusalReport(error: ApiError): ErrorReport {
  const { code, message: said, details, requestId } = error;
  const advice = adviceOn(code);
  const message = inOptionNames(said);
  const told = details === undefined ? undefined : withOptions(details);
  return {
    // A code of another release says nothing that scripts could act on.
    exitCode: exitCodeOf(code) ?? exitCodes.failed,
    code,
    message,
    headline: `${code}: ${message}`,
    details: told,
    requestId,
    more: [
      ...(advice
        ? [`what to do: ${accessAdvice(error) ?? adviceInOptionNames[code] ?? advice.text} See ${advice.runbook}`]
        : []),
      // The message has said which fields.
      ...(details !== undefined && !('fields' in details) ? [`${DETAILS}${JSON.stringify(details)}`] : []),
      ...(requestId === undefined ? [] : [`request: ${requestId}`]),
    ],
  };
}

/** The message with those of its causes: the reason is often the innermost one. */
function withCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, message } = error;
  if (cause === undefined) return message;
  const why = withCauses(cause);
  // Some messages say their cause already.
  return message.includes(why) ? message : `${message}\n  because: ${why}`;
}
