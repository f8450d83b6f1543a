import { AwsError, errorAnswer } from '../answer.ts';
import { throttlingError } from '../limits/throttling.ts';
import type { Answer, Call } from '../request.ts';
import type { Fault } from './setting.ts';

/** The answer of an `error` or `throttle` fault, in the wire shape of the service that was called. */
export function faultAnswer(call: Call, fault: Extract<Fault, { type: 'error' | 'throttle' }>): Answer {
  if (fault.type === 'throttle') return errorAnswer(call, throttlingError(call.service));
  const { code, status = usualStatus(code), message = `${code} injected by the gateway` } = fault;
  return errorAnswer(call, new AwsError(code, message, status));
}

/** The code of a server's own failure (500), as the service names it: it does not tell whether there was an effect. */
export function serverErrorCode(service: string): string {
  return serverErrors[service] ?? 'InternalFailure';
}

const serverErrors: Readonly<Record<string, string>> = {
  ecs: 'ServerException',
  elasticloadbalancing: 'InternalFailure',
  route53: 'InternalFailure',
  secretsmanager: 'InternalServiceError',
  ses: 'InternalServiceErrorException',
};

function usualStatus(code: string): number {
  if (/^(?:Internal|Server)/.test(code)) return 500;
  if (code.includes('Unavailable')) return 503;
  return code.startsWith('TooManyRequests') ? 429 : 400;
}
