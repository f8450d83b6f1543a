import { StepError } from '../contracts/step-error.ts';
import type { ErrorCode } from '../contracts/errors.ts';

/** The AWS call that an error came from. */
export interface AwsCall {
  /** `ecs`, `elasticloadbalancing`, `route53`, ... */
  readonly service: string;
  /** Name of the API action: `CreateService`. */
  readonly action: string;
  /** As a kind declares it; undefined: its name tells. */
  readonly isRead?: boolean | undefined;
}

/** Whole words, so that `GetItem` is one and no verb that only begins alike; what is not here is a change. */
const readVerbs =
  /^(Describe|Get|List|Head|Query|Scan|Search|Lookup|Select|BatchGet|BatchDescribe|TransactGet)(?![a-z])/;
/** Of verbs that mean anything else too. */
const readActions = ['FilterLogEvents', 'TestDNSAnswer', 'TestEventPattern', 'TestMetricFilter'];
/** They make what they get: an identity, a database user. */
const changingGets = [
  'GetId',
  'GetOpenIdTokenForDeveloperIdentity',
  'GetClusterCredentials',
  'GetClusterCredentialsWithIAM',
];

/** Whether a call changes nothing: nobody has to be asked before it, and it may be sent again. */
export function isRead({ action, isRead: declared }: Pick<AwsCall, 'action' | 'isRead'>): boolean {
  return declared ?? (readActions.includes(action) || (readVerbs.test(action) && !changingGets.includes(action)));
}

/**
 * Every error of an AWS call as a {@link StepError}: the one place where AWS's errors are classed (design rule 5).
 * The original is the cause; {@link isAwsError} asks for it by name.
 */
export function classifyAwsError(error: unknown, call: AwsCall): StepError {
  if (error instanceof StepError) return error;
  if (error instanceof CredentialsError) return credentialsFailure(error, call);
  const seen = inspect(error);
  const code = codeOf(seen, isRead(call));
  if (code === 'AWS_ANSWER_UNREADABLE') return unreadable(call, seen.answer, error);
  return new StepError(code, `${call.service}:${call.action} failed: ${wordsOf(seen)}`, {
    detail: seen.requestId === undefined ? undefined : `AWS request id ${seen.requestId}`,
    cause: error,
  });
}

/** No credentials to sign a call with; nothing was sent. The cause is what the source of the credentials said. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsProviderError';
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Codes that the call for the credentials themselves (AssumeRole) may end with; all else is an outage of their source. */
const codesOfCredentials: readonly ErrorCode[] = ['ACCESS_DENIED', 'THROTTLED'];

function credentialsFailure(error: CredentialsError, call: AwsCall): StepError {
  const seen = inspect(error.cause);
  const code = codeOf(seen, true);
  return new StepError(
    codesOfCredentials.includes(code) ? code : 'CREDENTIALS_MISSING',
    `${call.service}:${call.action} was not sent: no AWS credentials: ${wordsOf(seen)}`,
    { cause: error },
  );
}

/**
 * AWS names the request in each of its answers; a proxy, a portal or a load balancer on the way does not. Without this
 * check their page would be taken for an answer in which everything is absent.
 *
 * @param output what the SDK made of an answer of status 2xx
 * @throws StepError AWS_ANSWER_UNREADABLE
 */
export function assertAnswered(output: object, call: AwsCall): void {
  const metadata = '$metadata' in output ? output.$metadata : undefined;
  if (typeof field(metadata, 'requestId') === 'string') return;
  throw unreadable(call, { status: numberOr(field(metadata, 'httpStatusCode')), type: undefined }, undefined);
}

/** The error for an answer from which nobody can tell what AWS did. */
export function unreadable(call: AwsCall, { status, type }: Partial<Answer>, cause: unknown): StepError {
  const what = [status === undefined ? '' : `status ${status}`, type].filter(Boolean).join(', ');
  return new StepError(
    'AWS_ANSWER_UNREADABLE',
    `${call.service}:${call.action} got an answer that is not AWS's${what === '' ? '' : ` (${what})`}: something on the way answered, or cut it short`,
    { cause },
  );
}

/** Whether the error (classed or raw) is one of AWS's named ones; `Exception` at the end of a name does not matter. */
export function isAwsError(error: unknown, ...names: readonly string[]): boolean {
  const name = errorNameStem(inspect(error instanceof StepError ? error.cause : error).name);
  return names.some((n) => errorNameStem(n) === name);
}

/** AWS's own words of a (classed or raw) error. */
export function awsMessage(error: unknown): string {
  return inspect(error instanceof StepError ? error.cause : error).message;
}

/**
 * A field that AWS always sends, empty lists and maps too. An answer without it is cut or not AWS's, though it may bear a request
 * id. @throws StepError when it is missing: UNCLEAR after a change (it may have been made), AWS_ANSWER_UNREADABLE after a read
 */
export function sent<T>(value: T | undefined | null, call: AwsCall, field: string): T {
  if (value !== undefined && value !== null) return value;
  throw new StepError(
    isRead(call) ? 'AWS_ANSWER_UNREADABLE' : 'UNCLEAR',
    `${call.service}:${call.action} answered without ${field}`,
  );
}

interface Answer {
  readonly status: number | undefined;
  /** Content-Type. */
  readonly type: string | undefined;
}

interface Seen {
  readonly name: string;
  readonly message: string;
  readonly systemCode: string | undefined;
  /** Empty when none came, or it was cut. */
  readonly answer: Answer;
  /** Whether the answer holds an error code of AWS, which `name` is then. */
  readonly isNamed: boolean;
  readonly requestId: string | undefined;
}

function inspect(error: unknown): Seen {
  const metadata = field(error, 'metadata') ?? field(error, '$metadata');
  const name = text(field(error, 'name')) ?? text(field(error, 'Code'));
  const type = field(field(field(error, '$response'), 'headers'), 'content-type');
  return {
    name: name ?? 'Error',
    // Some emulated and some real answers hold their message under another spelling.
    message: text(field(error, 'message')) ?? text(field(error, 'Message')) ?? messageOfNoError(error),
    systemCode: text(field(error, 'code')) ?? text(field(error, 'errno')),
    answer: { status: numberOr(field(metadata, 'httpStatusCode')), type: text(type) },
    isNamed: isNamed(error, name),
    requestId: text(field(metadata, 'requestId')),
  };
}

/**
 * Whether AWS named the error: the SDK made an exception of the service of it (`$fault`), and its name is no stopgap. An
 * answer without a code becomes `Unknown`, one of status 404 in XML `NotFound`; a body that is no JSON or XML makes an
 * error of the parser.
 */
function isNamed(error: unknown, name: string | undefined): boolean {
  if (field(error, '$fault') === undefined || name === undefined || !/^[A-Za-z]/.test(name)) return false;
  if (name === 'NotFound') return (field(error, 'Code') ?? field(field(error, 'Error'), 'Code')) !== undefined;
  return !['Unknown', 'UnknownError', 'Error'].includes(name);
}

function field(of: unknown, key: string): unknown {
  return typeof of === 'object' && of !== null && key in of ? (of as Record<string, unknown>)[key] : undefined;
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
const numberOr = (value: unknown) => (typeof value === 'number' ? value : undefined);
const messageOfNoError = (error: unknown) => (error instanceof Object ? '(no message)' : String(error));

/** Messages that tell more than their code does. Source: aws-facts.md, "More traps". */
const messageRows: readonly (readonly [RegExp, ErrorCode])[] = [
  [/too many concurrent attempts to create a new revision/i, 'CONFLICT_RETRYABLE'],
  [/still draining/i, 'CONFLICT_RETRYABLE'],
  // Right after a role change IAM is not yet seen everywhere (about two minutes); the attempts of the verb bound it.
  [/unable to assume/i, 'CONFLICT_RETRYABLE'],
  // The name was taken between the look and the create; the next attempt looks first and adopts or refuses.
  [/creation of service was not idempotent/i, 'CONFLICT_RETRYABLE'],
  // The rule was made a moment ago and ECS does not see it yet.
  [/does not have an associated load balancer/i, 'CONFLICT_RETRYABLE'],
  [/scheduled for deletion/i, 'CONFLICT_RETRYABLE'],
  [/rate exceeded/i, 'THROTTLED'],
  // Quotas behind a code that says less: ECS's InvalidParameterException ("Desired count exceeds limit."), Route 53's
  // InvalidChangeBatch ("Number of records limit of 1000 exceeded.").
  [/exceeds (?:the )?(?:maximum )?limit|\blimit of \d+ exceeded/i, 'QUOTA_EXCEEDED'],
];

/** AWS's error names without `Exception` at their end. */
const nameRows: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  THROTTLED: [
    'Throttling',
    'Throttled',
    'TooManyRequests',
    'RequestLimitExceeded',
    'RequestThrottled',
    'RequestThrottledException',
    'BandwidthLimitExceeded',
    'SlowDown',
    'ProvisionedThroughputExceeded',
    'TransactionInProgress',
    'EC2ThrottledException',
  ],
  CONFLICT_RETRYABLE: [
    'PriorRequestNotComplete',
    'ResourceInUse',
    'OperationAborted',
    'ServiceNotActive',
    'UpdateInProgress',
    'Conflict',
    'ConcurrentModification',
    'ResourceExists',
    'ResourceAlreadyExists',
    'DuplicateTargetGroupName',
    'PriorityInUse',
    'PreconditionNotMet',
    'ParameterAlreadyExists',
    'TooManyUpdates',
    'TransactionConflict',
    'ReplicatedWriteConflict',
    // Made a moment ago and not seen everywhere yet, or gone between a list and a look at its tags. (Where missing is an
    // answer, the adapter takes it as one.)
    'TargetGroupNotFound',
    'RuleNotFound',
    'ResourceNotFound',
    'ParameterNotFound',
    'InvalidResourceId',
  ],
  ACCESS_DENIED: [
    'AccessDenied',
    'UnauthorizedOperation',
    'NotAuthorized',
    'Unauthorized',
    'OptInRequired',
    'OperationNotPermitted',
    'InvalidHostedZoneAccess',
  ],
  CREDENTIALS_MISSING: [
    'ExpiredToken',
    // A clock that is wrong, or a signature that AWS does not accept: the SDK corrects the clock for the next call.
    'RequestTimeTooSkewed',
    'RequestInTheFuture',
    'RequestExpired',
    'UnrecognizedClient',
    'InvalidClientTokenId',
    'InvalidSignature',
    'SignatureDoesNotMatch',
    'IncompleteSignature',
    'MissingAuthenticationToken',
    'AuthFailure',
    'InvalidAccessKeyId',
  ],
  QUOTA_EXCEEDED: [
    'LimitExceeded',
    'LimitsExceeded',
    'ServiceQuotaExceeded',
    'QuotaExceeded',
    'SendingPaused',
    'TargetGroupAssociationLimit',
    'ParameterLimitExceeded',
    'ParameterMaxVersionLimitExceeded',
    'ItemCollectionSizeLimitExceeded',
  ],
  // Nothing was done: the request was refused before it was looked at.
  AWS_UNAVAILABLE: ['ServiceUnavailable', 'BusyError'],
  INVALID_REQUEST: ['TooManyTags'],
};

/** AWS's own words, or what became of the connection: the SDK calls a cut one a time-out, and puts its log's words into errors. */
function wordsOf({ name, message, systemCode, isNamed }: Seen): string {
  if (isNamed) return `${name}: ${message}`;
  if (systemCode !== undefined && neverArrived.has(systemCode)) return `no connection: ${message}`;
  if (systemCode === 'ECONNRESET' || systemCode === 'EPIPE')
    return `the connection was cut before the answer was complete (${systemCode})`;
  if (name !== 'TimeoutError') return `${name}: ${message}`;
  const waited = /\d+ ms/.exec(message)?.[0] ?? 'the time allowed';
  return /did not establish a connection/.test(message)
    ? `no connection within ${waited}`
    : `no answer within ${waited}`;
}

/** System errors after which the request certainly never arrived. */
const neverArrived = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

const codeByName = new Map(
  Object.entries(nameRows).flatMap(([code, names]) => names.map((n) => [errorNameStem(n), code as ErrorCode] as const)),
);

/** Of the SDK's sources of credentials: nothing was sent. */
const credentialNames = ['CredentialsProviderError', 'TokenProviderError'];

function codeOf(seen: Seen, read: boolean): ErrorCode {
  const unknownOutcome: ErrorCode = read ? 'AWS_UNAVAILABLE' : 'UNCLEAR';
  const { name, systemCode } = seen;
  const { status } = seen.answer;
  if (credentialNames.includes(name)) return 'CREDENTIALS_MISSING';
  if (seen.isNamed && status !== undefined && status >= 400) return namedCode(seen, status, unknownOutcome);
  if (systemCode !== undefined && neverArrived.has(systemCode)) return 'AWS_UNAVAILABLE';
  // A time-out, a reset, an abort, a body that was cut.
  if (status === undefined || systemCode !== undefined) return unknownOutcome;
  return status === 429 ? 'THROTTLED' : 'AWS_ANSWER_UNREADABLE';
}

/** Of an error that AWS itself gave a code. A code that we do not know is a definite answer when its status is 4xx. */
function namedCode({ name, message }: Seen, status: number, unknownOutcome: ErrorCode): ErrorCode {
  for (const [pattern, code] of messageRows) if (pattern.test(message)) return code;
  const named = codeByName.get(errorNameStem(name));
  if (named) return named;
  if (/^TooMany[A-Z]/.test(name)) return 'QUOTA_EXCEEDED';
  if (status === 429) return 'THROTTLED';
  if (status === 403 || status === 401) return 'ACCESS_DENIED';
  if (status === 503) return 'AWS_UNAVAILABLE';
  if (status >= 500) return unknownOutcome;
  return 'INVALID_REQUEST';
}

function errorNameStem(name: string): string {
  return name.replace(/(Exception|Fault)$/, '');
}
