import { AwsError } from '../answer.ts';

const codes: Readonly<Record<string, { readonly code: string; readonly status: number }>> = {
  // ELB's page says ThrottlingException; what comes over the wire is `Throttling` (as clients report it).
  elasticloadbalancing: { code: 'Throttling', status: 400 },
  route53: { code: 'Throttling', status: 400 },
  'cognito-idp': { code: 'TooManyRequestsException', status: 400 },
  ses: { code: 'TooManyRequestsException', status: 429 },
  ec2: { code: 'RequestLimitExceeded', status: 503 },
  s3: { code: 'SlowDown', status: 503 },
};

/** How a service refuses a call that comes too soon, in its own words. */
export function throttlingError(service: string): AwsError {
  const own = Object.hasOwn(codes, service) ? codes[service] : undefined;
  return new AwsError(own?.code ?? 'ThrottlingException', 'Rate exceeded', own?.status ?? 400);
}
