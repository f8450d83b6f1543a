import { describe, expect, it } from 'vitest';
import { StepError } from '../../../src/contracts/step-error.ts';
import { classifyAwsError, isAwsError, isRead, sent } from '../../../src/aws/errors.ts';
import { errorTable, type ErrorCode } from '../../../src/contracts/errors.ts';

/** An error that AWS gave a code, as the SDK throws it. */
function awsError(name: string, message = 'words', httpStatusCode = 400): Error {
  return Object.assign(new Error(message), {
    name,
    $fault: httpStatusCode < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode, requestId: 'r-1' },
  });
}

/** What the SDK throws when it cannot make anything of the answer. */
function parserError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error('no'), { name, $metadata: { httpStatusCode } });
}

function networkError(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

const change = { service: 'ecs', action: 'CreateService' };
const read = { service: 'ecs', action: 'DescribeServices' };

const rows: readonly (readonly [string, Error, ErrorCode, ErrorCode])[] = [
  // what, error, code after a change, code after a read
  ['ECS throttling', awsError('ThrottlingException'), 'THROTTLED', 'THROTTLED'],
  ['ELB throttling', awsError('Throttling', 'Rate exceeded'), 'THROTTLED', 'THROTTLED'],
  ['a rate in words only', awsError('ClientException', 'Rate exceeded'), 'THROTTLED', 'THROTTLED'],
  ['status 429', awsError('Weird', 'slow', 429), 'THROTTLED', 'THROTTLED'],
  ['TooManyRequests, which is no quota', awsError('TooManyRequestsException'), 'THROTTLED', 'THROTTLED'],
  ['500', awsError('ServerException', 'oops', 500), 'UNCLEAR', 'AWS_UNAVAILABLE'],
  ['502', awsError('BadGateway', 'oops', 502), 'UNCLEAR', 'AWS_UNAVAILABLE'],
  ['503, refused before it was done', awsError('ServiceUnavailable', 'x', 503), 'AWS_UNAVAILABLE', 'AWS_UNAVAILABLE'],
  ['time-out', Object.assign(new Error('t'), { name: 'TimeoutError' }), 'UNCLEAR', 'AWS_UNAVAILABLE'],
  ['reset', networkError('ECONNRESET'), 'UNCLEAR', 'AWS_UNAVAILABLE'],
  ['abort', Object.assign(new Error('a'), { name: 'AbortError' }), 'UNCLEAR', 'AWS_UNAVAILABLE'],
  ['HTML for JSON', parserError('SyntaxError', 200), 'AWS_ANSWER_UNREADABLE', 'AWS_ANSWER_UNREADABLE'],
  ['HTML for JSON, 403', parserError('SyntaxError', 403), 'AWS_ANSWER_UNREADABLE', 'AWS_ANSWER_UNREADABLE'],
  ['403 without a code', awsError('Unknown', 'x', 403), 'AWS_ANSWER_UNREADABLE', 'AWS_ANSWER_UNREADABLE'],
  ['404 without a code', awsError('NotFound', 'x', 404), 'AWS_ANSWER_UNREADABLE', 'AWS_ANSWER_UNREADABLE'],
  ['a number for a code', awsError('403', 'x', 403), 'AWS_ANSWER_UNREADABLE', 'AWS_ANSWER_UNREADABLE'],
  ['a redirect', awsError('Moved', 'x', 302), 'AWS_ANSWER_UNREADABLE', 'AWS_ANSWER_UNREADABLE'],
  ['503 without a code', awsError('Unknown', 'x', 503), 'AWS_ANSWER_UNREADABLE', 'AWS_ANSWER_UNREADABLE'],
  ['429 without a code', awsError('Unknown', 'x', 429), 'THROTTLED', 'THROTTLED'],
  ['a body cut short', Object.assign(parserError('Error', 200), { code: 'ECONNRESET' }), 'UNCLEAR', 'AWS_UNAVAILABLE'],
  ['a taken parameter', awsError('ParameterAlreadyExists'), 'CONFLICT_RETRYABLE', 'CONFLICT_RETRYABLE'],
  ['updates at once, which are no quota', awsError('TooManyUpdates'), 'CONFLICT_RETRYABLE', 'CONFLICT_RETRYABLE'],
  ['tags of what is gone', awsError('InvalidResourceId'), 'CONFLICT_RETRYABLE', 'CONFLICT_RETRYABLE'],
  ['too many parameters', awsError('ParameterLimitExceeded'), 'QUOTA_EXCEEDED', 'QUOTA_EXCEEDED'],
  ['a transaction', awsError('TransactionConflictException'), 'CONFLICT_RETRYABLE', 'CONFLICT_RETRYABLE'],
  ['a refused condition', awsError('ConditionalCheckFailedException'), 'INVALID_REQUEST', 'INVALID_REQUEST'],
  ['a new code', awsError('NeverSeenException'), 'INVALID_REQUEST', 'INVALID_REQUEST'],
  ['a clock that is wrong', awsError('RequestTimeTooSkewed', 'x', 403), 'CREDENTIALS_MISSING', 'CREDENTIALS_MISSING'],
  [
    'a signature from another time',
    awsError('InvalidSignatureException'),
    'CREDENTIALS_MISSING',
    'CREDENTIALS_MISSING',
  ],
  ['refused connection', networkError('ECONNREFUSED'), 'AWS_UNAVAILABLE', 'AWS_UNAVAILABLE'],
  ['unknown host', networkError('ENOTFOUND'), 'AWS_UNAVAILABLE', 'AWS_UNAVAILABLE'],
  ['access denied', awsError('AccessDeniedException'), 'ACCESS_DENIED', 'ACCESS_DENIED'],
  ['access denied, query protocol', awsError('AccessDenied', 'x', 403), 'ACCESS_DENIED', 'ACCESS_DENIED'],
  ['403 with a new code', awsError('Forbidden', 'x', 403), 'ACCESS_DENIED', 'ACCESS_DENIED'],
  [
    'no credentials',
    Object.assign(new Error('x'), { name: 'CredentialsProviderError' }),
    'CREDENTIALS_MISSING',
    'CREDENTIALS_MISSING',
  ],
  ['expired token', awsError('ExpiredTokenException'), 'CREDENTIALS_MISSING', 'CREDENTIALS_MISSING'],
  ['unknown key', awsError('UnrecognizedClientException'), 'CREDENTIALS_MISSING', 'CREDENTIALS_MISSING'],
  ['service quota', awsError('LimitExceededException'), 'QUOTA_EXCEEDED', 'QUOTA_EXCEEDED'],
  ['target groups', awsError('TooManyTargetGroupsException'), 'QUOTA_EXCEEDED', 'QUOTA_EXCEEDED'],
  ['rules', awsError('TooManyRulesException'), 'QUOTA_EXCEEDED', 'QUOTA_EXCEEDED'],
  [
    'target groups of a load balancer',
    awsError('TooManyUniqueTargetGroupsPerLoadBalancerException'),
    'QUOTA_EXCEEDED',
    'QUOTA_EXCEEDED',
  ],
  [
    'load balancers of a target group',
    awsError('TargetGroupAssociationLimitException'),
    'QUOTA_EXCEEDED',
    'QUOTA_EXCEEDED',
  ],
  [
    'tasks of a service',
    awsError('InvalidParameterException', 'Desired count exceeds limit.'),
    'QUOTA_EXCEEDED',
    'QUOTA_EXCEEDED',
  ],
  [
    'records of a batch',
    awsError('InvalidChangeBatch', '[Number of records limit of 1000 exceeded.]'),
    'QUOTA_EXCEEDED',
    'QUOTA_EXCEEDED',
  ],
  [
    'a revision being created',
    awsError('ClientException', 'Too many concurrent attempts to create a new revision of the specified family.'),
    'CONFLICT_RETRYABLE',
    'CONFLICT_RETRYABLE',
  ],
  [
    'a service that drains',
    awsError('InvalidParameterException', 'Unable to Start a service that is still Draining.'),
    'CONFLICT_RETRYABLE',
    'CONFLICT_RETRYABLE',
  ],
  [
    'a role not seen yet',
    awsError('ClientException', 'ECS was unable to assume the role that was provided for this task.'),
    'CONFLICT_RETRYABLE',
    'CONFLICT_RETRYABLE',
  ],
  [
    'a name taken meanwhile',
    awsError('InvalidParameterException', 'Creation of service was not idempotent.'),
    'CONFLICT_RETRYABLE',
    'CONFLICT_RETRYABLE',
  ],
  ['a batch in flight', awsError('PriorRequestNotComplete'), 'CONFLICT_RETRYABLE', 'CONFLICT_RETRYABLE'],
  ['a target group in use', awsError('ResourceInUseException'), 'CONFLICT_RETRYABLE', 'CONFLICT_RETRYABLE'],
  ['a log group taken', awsError('ResourceAlreadyExistsException'), 'CONFLICT_RETRYABLE', 'CONFLICT_RETRYABLE'],
  ['a target group not seen yet', awsError('TargetGroupNotFoundException'), 'CONFLICT_RETRYABLE', 'CONFLICT_RETRYABLE'],
  ['validation', awsError('ValidationException'), 'INVALID_REQUEST', 'INVALID_REQUEST'],
  ['invalid change batch', awsError('InvalidChangeBatch'), 'INVALID_REQUEST', 'INVALID_REQUEST'],
];

describe('classifyAwsError', () => {
  it.each(rows)('%s', (_, error, afterChange, afterRead) => {
    expect(classifyAwsError(error, change).code).toBe(afterChange);
    expect(classifyAwsError(error, read).code).toBe(afterRead);
  });

  it('names the call, keeps the cause, and gives the request id', () => {
    const cause = awsError('ValidationException', 'bad name');
    const classed = classifyAwsError(cause, change);
    expect(classed.message).toBe('ecs:CreateService failed: ValidationException: bad name');
    expect(classed.cause).toBe(cause);
    expect(classed.detail).toContain('r-1');
  });

  it('passes a StepError (a revoked step) as it is', () => {
    const revoked = new StepError('STEP_REVOKED', 'taken back');
    expect(classifyAwsError(revoked, change)).toBe(revoked);
  });

  it('has only codes whose retry matches what the design says of their class', () => {
    const retried = rows.filter(([, , code]) => errorTable[code].retryable).map(([, , code]) => code);
    expect(new Set(retried)).toEqual(
      new Set([
        'THROTTLED',
        'UNCLEAR',
        'AWS_UNAVAILABLE',
        'AWS_ANSWER_UNREADABLE',
        'CREDENTIALS_MISSING',
        'CONFLICT_RETRYABLE',
      ]),
    );
  });

  it('survives what is thrown and is no error', () => {
    expect(classifyAwsError('words', read).code).toBe('AWS_UNAVAILABLE');
    expect(classifyAwsError(undefined, change).code).toBe('UNCLEAR');
  });
});

describe('isAwsError', () => {
  it('knows an error by name, classed or raw, with or without Exception at its end', () => {
    const raw = awsError('TargetGroupNotFoundException');
    expect(isAwsError(raw, 'TargetGroupNotFound')).toBe(true);
    expect(isAwsError(classifyAwsError(raw, read), 'TargetGroupNotFoundException')).toBe(true);
    expect(isAwsError(classifyAwsError(raw, read), 'RuleNotFound')).toBe(false);
  });
});

describe('the message of a call without an answer', () => {
  const timeOut = (message: string, code: object = {}) =>
    Object.assign(new Error(message), { name: 'TimeoutError', ...code });
  it.each([
    [
      'socket hang up',
      timeOut('socket hang up', { code: 'ECONNRESET' }),
      'the connection was cut before the answer was complete (ECONNRESET)',
    ],
    [
      'write EPIPE',
      timeOut('write EPIPE', { code: 'EPIPE' }),
      'the connection was cut before the answer was complete (EPIPE)',
    ],
    [
      "the SDK's time-out of a request",
      timeOut('@smithy/node-http-handler - [ERROR] a request has exceeded the configured 5000 ms requestTimeout.', {
        code: 'ETIMEDOUT',
      }),
      'no answer within 5000 ms',
    ],
    [
      "the SDK's time-out of a connection",
      timeOut(
        '@smithy/node-http-handler - the request socket did not establish a connection with the server within the configured timeout of 2000 ms.',
      ),
      'no connection within 2000 ms',
    ],
    [
      'a refused connection',
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }),
      'no connection: connect ECONNREFUSED 127.0.0.1:1',
    ],
  ])('says for %s what became of the connection', (_, error, words) => {
    expect(classifyAwsError(error, read).message).toBe(`${read.service}:${read.action} failed: ${words}`);
  });
});

describe('sent', () => {
  it('names the call and the field that is missing; after a change the outcome is unclear', () => {
    expect(sent(0, read, 'x')).toBe(0);
    expect(() => sent(undefined, read, 'services[0].arn')).toThrow(
      expect.objectContaining({
        code: 'AWS_ANSWER_UNREADABLE',
        message: expect.stringContaining('services[0].arn') as string,
      }),
    );
    expect(() => sent(undefined, change, 'service')).toThrow(expect.objectContaining({ code: 'UNCLEAR' }));
  });
});

describe('isRead', () => {
  it.each([
    ...['DescribeServices', 'GetChange', 'ListTasks', 'GetSecretValue', 'GetCallerIdentity', 'ListObjectsV2'],
    ...['HeadBucket', 'HeadObject', 'GetItem', 'BatchGetItem', 'TransactGetItems', 'Query', 'Scan', 'LookupEvents'],
    ...['SelectObjectContent', 'SearchResources', 'BatchGetImage', 'FilterLogEvents', 'TestDNSAnswer'],
  ])('%s reads', (action) => expect(isRead({ action })).toBe(true));
  it.each([
    ...['CreateService', 'TagResource', 'PutRetentionPolicy', 'RestoreSecret', 'SendEmail', 'DeregisterTaskDefinition'],
    ...[
      'TestFailover',
      'TestSomethingNew',
      'CheckoutLicense',
      'CheckInLicense',
      'BatchWriteItem',
      'TransactWriteItems',
    ],
    ...['StartQuery', 'ExecuteStatement', 'ReceiveMessage', 'GetId', 'GetClusterCredentials', 'Listen', 'Unknown'],
  ])('%s changes', (action) => expect(isRead({ action })).toBe(false));

  it('is what a kind declares, whatever the name says', () => {
    expect(isRead({ action: 'CheckDomainAvailability', isRead: true })).toBe(true);
    expect(isRead({ action: 'GetAndAdvance', isRead: false })).toBe(false);
    const error = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    const call = { service: 'route53domains', action: 'CheckDomainAvailability' };
    expect(classifyAwsError(error, call).code).toBe('UNCLEAR');
    expect(classifyAwsError(error, { ...call, isRead: true }).code).toBe('AWS_UNAVAILABLE');
  });
});
