import type { JWTPayload } from 'jose';
import { z } from 'zod';
import type { OidcConfig } from '../../access-config.ts';
import { RequestError } from '../../client/request-error.ts';
import { givenRoles, makingRoles, type CallerScope, type GivenRole } from '../../contracts/caller.ts';
import type { Identity } from './identity.ts';
import { unauthenticated } from './refusals.ts';

/** The last moment that a `Date` can hold, in seconds. */
const LAST_SECOND = 8.64e12;

const subject = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,255}$/u)
  .refine((text) => text.isWellFormed());
const ending = z.number().min(0).max(LAST_SECOND);
/** One name, or several; a text has them between spaces, as the standard's `scope`. */
const names = z.union([z.string().transform((text) => text.split(' ').filter(Boolean)), z.array(z.string())]);
const tenantIds = names.pipe(z.array(z.uuid().toLowerCase()));

/** Whom the verified claims of a token stand for. @throws RequestError UNAUTHENTICATED, or FORBIDDEN where they name no role */
export function identityOfClaims(claims: JWTPayload, config: Omit<OidcConfig, 'audience' | 'algorithms'>): Identity {
  const principal = `${new URL(config.issuer).host}|${read(subject, claims.sub, 'sub')}`;
  const expiresAt = new Date(read(ending, claims.exp, 'exp') * 1_000);
  const given = read(names.optional(), claimOf(claims, config.rolesClaim), config.rolesClaim) ?? [];
  // The first that counts is the one that may do most.
  const role = givenRoles.find((each) => given.includes(each));
  if (role === undefined) throw noRole(principal, config.rolesClaim);
  const scope = scopeOf(role, claims, config.tenantsClaim);
  return { principal, role, expiresAt, ...(scope && { scope }) };
}

function scopeOf(role: GivenRole, claims: JWTPayload, tenantsClaim: string): CallerScope | undefined {
  if (makingRoles.includes(role)) return { kind: 'own' };
  if (role !== 'tenant-admin') return undefined;
  return { kind: 'tenants', ids: read(tenantIds.optional(), claimOf(claims, tenantsClaim), tenantsClaim) ?? [] };
}

/** By its whole name (`https://example.com/roles`), else by a path (`realm_access.roles`). */
function claimOf(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name
    .split('.')
    .reduce<unknown>(
      (value, part) => Object.entries(isObject(value) ? value : {}).find(([key]) => key === part)?.[1],
      claims,
    );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function read<T>(schema: z.ZodType<T>, value: unknown, claim: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unauthenticated('claims', `the claim ${claim} of the token is not what it must be`);
}

function noRole(principal: string, claim: string): RequestError {
  return new RequestError('FORBIDDEN', `the token of ${principal} names no role of Tenantry in its claim ${claim}`, {
    details: { claim, roles: givenRoles },
  });
}
