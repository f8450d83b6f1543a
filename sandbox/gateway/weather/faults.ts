import { AwsError, errorAnswer } from '../answer.ts';
import type { Answer, Call } from '../request.ts';
import type { Fault } from './setting.ts';

/** The answer of an `error` or `throttle` fault, in the wire shape of the service that was called. */
export function faultAnswer(call: Call, fault: Extract<Fault, { type: 'error' | 'throttle' }>): Answer {
  if (fault.type === 'throttle') return errorAnswer(call, throttlingError(call.service));
  const { code, status = usualStatus(code), message = `${code} by order of the gateway's weather` } = fault;
  return errorAnswer(call, new AwsError(code, message, status));
}

/** How each service says that it is asked too often. Sources: the services' API references, "Common errors" (SES: v2). */
export function throttlingError(service: string): AwsError {
  const [code, status] = throttling[service] ?? ['ThrottlingException', 400];
  return new AwsError(code, 'Rate exceeded', status);
}

/** Whether this is one of the codes by which AWS throttles. */
export function isThrottlingCode(code: string | undefined): boolean {
  return code !== undefined && throttlingCodes.has(code);
}

/** The code of a server's own failure, as the service names it: what random errors use. */
export function serverErrorCode(service: string): string {
  return serverErrors[service] ?? 'InternalFailure';
}

const throttling: Readonly<Record<string, readonly [code: string, status: number]>> = {
  ecs: ['ThrottlingException', 400],
  elasticloadbalancing: ['Throttling', 400],
  route53: ['Throttling', 400],
  secretsmanager: ['ThrottlingException', 400],
  logs: ['ThrottlingException', 400],
  ses: ['TooManyRequestsException', 429],
  sts: ['Throttling', 400],
  iam: ['Throttling', 400],
  ec2: ['RequestLimitExceeded', 503],
};

const throttlingCodes = new Set(['ThrottlingException', ...Object.values(throttling).map(([code]) => code)]);

const serverErrors: Readonly<Record<string, string>> = {
  ecs: 'ServerException',
  elasticloadbalancing: 'InternalFailure',
  route53: 'InternalFailure',
  secretsmanager: 'InternalServiceError',
  logs: 'ServiceUnavailableException',
  ses: 'InternalServiceErrorException',
};

function usualStatus(code: string): number {
  if (/^(?:Internal|Server)/.test(code)) return 500;
  if (code.includes('Unavailable')) return 503;
  return code.startsWith('TooManyRequests') ? 429 : 400;
}
