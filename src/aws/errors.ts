import { StepError } from '../contracts/step-error.ts';
import type { ErrorCode } from '../contracts/errors.ts';

/** The AWS call that an error came from. */
export interface AwsCall {
  /** `ecs`, `elasticloadbalancing`, `route53`, ... */
  readonly service: string;
  /** Name of the API action: `CreateService`. */
  readonly action: string;
}

/** Whether an action changes nothing. */
export function isRead(action: string): boolean {
  return /^(Describe|Get|List|Search|Lookup|Test|Batch(Get|Describe))/.test(action);
}

/**
 * Every error of an AWS call as a {@link StepError}: the one place where AWS's errors are classed (design rule 5).
 * The original is the cause; {@link isAwsError} asks for it by name.
 */
export function classifyAwsError(error: unknown, call: AwsCall): StepError {
  if (error instanceof StepError) return error;
  const seen = inspect(error);
  const code = codeOf(seen, isRead(call.action));
  return new StepError(code, `${call.service}:${call.action} failed: ${seen.name}: ${seen.message}`, {
    detail: seen.requestId === undefined ? undefined : `AWS request id ${seen.requestId}`,
    cause: error,
  });
}

/** Whether the error (classed or raw) is one of AWS's named ones; `Exception` at the end of a name does not matter. */
export function isAwsError(error: unknown, ...names: readonly string[]): boolean {
  const name = plainName(inspect(error instanceof StepError ? error.cause : error).name);
  return names.some((n) => plainName(n) === name);
}

/** AWS's own words of a (classed or raw) error. */
export function awsMessage(error: unknown): string {
  return inspect(error instanceof StepError ? error.cause : error).message;
}

/**
 * A field that AWS always sends. @throws StepError when it is missing: UNCLEAR after a change (it may have been made),
 * AWS_UNAVAILABLE after a read
 */
export function sent<T>(value: T | undefined | null, call: AwsCall, field: string): T {
  if (value !== undefined && value !== null) return value;
  throw new StepError(
    isRead(call.action) ? 'AWS_UNAVAILABLE' : 'UNCLEAR',
    `${call.service}:${call.action} answered without ${field}`,
  );
}

interface Seen {
  readonly name: string;
  readonly message: string;
  readonly systemCode: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

function inspect(error: unknown): Seen {
  if (typeof error !== 'object' || error === null) {
    return { name: 'Error', message: String(error), systemCode: undefined, status: undefined, requestId: undefined };
  }
  const metadata = 'metadata' in error ? error.metadata : '$metadata' in error ? error.$metadata : undefined;
  const field = (of: unknown, key: string): unknown =>
    typeof of === 'object' && of !== null && key in of ? (of as Record<string, unknown>)[key] : undefined;
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const status = field(metadata, 'httpStatusCode');
  return {
    name: text(field(error, 'name')) ?? text(field(error, 'Code')) ?? 'Error',
    // Some emulated and some real answers hold their message under another spelling.
    message: text(field(error, 'message')) ?? text(field(error, 'Message')) ?? '(no message)',
    systemCode: text(field(error, 'code')) ?? text(field(error, 'errno')),
    status: typeof status === 'number' && status >= 300 ? status : undefined,
    requestId: text(field(metadata, 'requestId')),
  };
}

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
    // Made a moment ago and not seen everywhere yet, or gone between a list and a look at its tags. (Where missing is an
    // answer, the adapter takes it as one.)
    'TargetGroupNotFound',
    'RuleNotFound',
    'ResourceNotFound',
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
    'CredentialsProviderError',
    'TokenProviderError',
    'ExpiredToken',
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
  ],
  // Nothing was done: the request was refused before it was looked at.
  AWS_UNAVAILABLE: ['RequestTimeTooSkewed', 'ServiceUnavailable', 'BusyError'],
  INVALID_REQUEST: ['TooManyTags'],
};

/** System errors after which the request certainly never arrived. */
const neverArrived = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

const codeByName = new Map(
  Object.entries(nameRows).flatMap(([code, names]) => names.map((n) => [plainName(n), code as ErrorCode] as const)),
);

function codeOf(seen: Seen, read: boolean): ErrorCode {
  const unknownOutcome: ErrorCode = read ? 'AWS_UNAVAILABLE' : 'UNCLEAR';
  for (const [pattern, code] of messageRows) if (pattern.test(seen.message)) return code;
  const named = codeByName.get(plainName(seen.name));
  if (named) return named;
  if (/^TooMany[A-Z]/.test(seen.name)) return 'QUOTA_EXCEEDED';
  if (seen.systemCode !== undefined && neverArrived.has(seen.systemCode)) return 'AWS_UNAVAILABLE';
  if (seen.status === undefined) return unknownOutcome; // time-out, reset, abort, an answer that cannot be parsed
  if (seen.status === 429) return 'THROTTLED';
  if (seen.status === 403 || seen.status === 401) return 'ACCESS_DENIED';
  if (seen.status === 503) return 'AWS_UNAVAILABLE';
  if (seen.status >= 500) return unknownOutcome;
  return 'INVALID_REQUEST';
}

function plainName(name: string): string {
  return name.replace(/(Exception|Fault)$/, '');
}
