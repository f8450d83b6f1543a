import { isIP } from 'node:net';
import { z } from 'zod';

/** The identity provider, and what of its tokens counts. */
export interface OidcConfig {
  /** As its tokens have it in `iss`, character by character. */
  readonly issuer: string;
  readonly audience: string;
  readonly rolesClaim: string;
  readonly tenantsClaim: string;
  readonly algorithms: readonly string[];
}

/** Who may call the API, and how it is reached. */
export interface AccessConfig {
  /** Whose tokens the API takes; undefined: nobody's. */
  readonly oidc: OidcConfig | undefined;
  /** Whether the API takes service keys. */
  readonly serviceKeys: boolean;
  /** Addresses of proxies, CIDR: their `X-Forwarded-For` says where a request comes from. */
  readonly trustedProxies: readonly string[];
  /** Names under which the API is reached besides those of the loopback, with the port where it is not the scheme's own. In lower case. */
  readonly publicHosts: readonly string[];
}

/** Signatures by a key pair; the algorithms of RFC 7518 and RFC 8037 that are still recommended. */
export const takenAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
] as const;

/** Whether a URL is of this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** Whether what is sent to a URL cannot be read or changed on the way: HTTPS, or this machine. */
export function isPrivateWay(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
}

const issuer = z.string().refine(isIssuerUrl, {
  error: 'must be an https:// URL (http:// on this machine only) without user name, query or fragment',
});

/** Whether a text can be an issuer's URL, and what is sent there is private. */
export function isIssuerUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) return false;
  const parsed = new URL(text);
  return isPrivateWay(parsed) && parsed.username === '' && parsed.password === '';
}

const claim = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be the name of a claim: printable ASCII without spaces, 200 characters at most');

const list = (isItem: (item: string) => boolean, error: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .refine((items) => items.every(isItem), { error });

/** To be spread into the schema of the environment. */
export const accessVariables = {
  TENANTRY_OIDC_ISSUER: issuer.optional(),
  TENANTRY_OIDC_AUDIENCE: z.string().max(500).optional(),
  TENANTRY_OIDC_ROLES_CLAIM: claim.default('tenantry_roles'),
  TENANTRY_OIDC_TENANTS_CLAIM: claim.default('tenantry_tenants'),
  TENANTRY_OIDC_ALGORITHMS: list(
    (item) => takenAlgorithms.some((one) => one === item),
    `must be some of ${takenAlgorithms.join(', ')}, separated by commas`,
  ).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  TENANTRY_SERVICE_KEYS: z.enum(['true', 'false'], 'must be true or false').default('false'),
  TENANTRY_TRUSTED_PROXIES: list(
    isCidr,
    'must be addresses with a prefix length (CIDR), separated by commas: 10.0.0.0/16',
  ).default([]),
  TENANTRY_PUBLIC_HOSTS: list(isHost, 'must be host names, separated by commas: tenantry.example.com').default([]),
};

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  // Of everybody nobody would be behind a proxy, and each could say where it comes from.
  return Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128);
}

function isHost(text: string): boolean {
  return /^(?=.{1,253}(?::|$))(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?::\d{1,5})?$/i.test(
    text,
  );
}

type Given = z.output<z.ZodObject<typeof accessVariables>>;

/** What is wrong only together. */
export function checkAccess(
  given: Pick<Given, 'TENANTRY_OIDC_ISSUER' | 'TENANTRY_OIDC_AUDIENCE'>,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  const [has, lacks] =
    given.TENANTRY_OIDC_ISSUER === undefined
      ? ['TENANTRY_OIDC_AUDIENCE', 'TENANTRY_OIDC_ISSUER']
      : ['TENANTRY_OIDC_ISSUER', 'TENANTRY_OIDC_AUDIENCE'];
  if ((given.TENANTRY_OIDC_ISSUER === undefined) === (given.TENANTRY_OIDC_AUDIENCE === undefined)) return;
  context.addIssue({ code: 'custom', path: [lacks], message: `is not set, while ${has} is: tokens are taken by both` });
}

export function accessOf(given: Given): AccessConfig {
  const { TENANTRY_OIDC_ISSUER: issuerUrl, TENANTRY_OIDC_AUDIENCE: audience } = given;
  return {
    oidc:
      issuerUrl === undefined || audience === undefined
        ? undefined
        : {
            issuer: issuerUrl,
            audience,
            rolesClaim: given.TENANTRY_OIDC_ROLES_CLAIM,
            tenantsClaim: given.TENANTRY_OIDC_TENANTS_CLAIM,
            algorithms: given.TENANTRY_OIDC_ALGORITHMS,
          },
    serviceKeys: given.TENANTRY_SERVICE_KEYS === 'true',
    trustedProxies: given.TENANTRY_TRUSTED_PROXIES,
    publicHosts: given.TENANTRY_PUBLIC_HOSTS.map((host) => host.toLowerCase()),
  };
}
