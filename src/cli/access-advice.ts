import type { ApiError } from './api-client.ts';

/** What to do about a request that was refused for its caller, where the table of errors says it in terms of headers. */
export function accessAdvice({ code, credentialFrom, retryAfterSeconds, details }: ApiError): string | undefined {
  if (code === 'UNAUTHENTICATED') return unauthenticatedAdvice[credentialFrom ?? 'nothing'];
  if (code === 'FORBIDDEN') return forbiddenAdvice(details?.roles);
  if (code === 'RATE_LIMITED' && retryAfterSeconds !== undefined) return `Wait ${retryAfterSeconds} s, then try again.`;
  return undefined;
}

const unauthenticatedAdvice = {
  nothing: 'Sign in with `tenantry login`, or set TENANTRY_API_TOKEN to a token or a service key.',
  TENANTRY_API_TOKEN:
    'Set TENANTRY_API_TOKEN to another token or service key, or unset it and sign in with `tenantry login`.',
  'sign-in': 'Sign in again with `tenantry login`.',
} as const;

function forbiddenAdvice(roles: unknown): string | undefined {
  if (!Array.isArray(roles)) return undefined;
  return `Ask somebody with the role ${roles.map(String).join(' or ')}, or sign in as one.`;
}
