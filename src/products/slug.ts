import { hasIdForm } from '../contracts/tenant-name.ts';

/** Slugs that no product gives away (requirement U-02); a product adds its own. */
export const reservedSlugs: readonly string[] = [
  ...['www', 'api', 'admin', 'app', 'auth', 'mail', 'smtp', 'imap', 'pop', 'pop3', 'webmail', 'ftp', 'sftp'],
  ...['ns1', 'ns2', 'ns3', 'ns4', 'dns', 'static', 'assets', 'cdn', 'status', 'support', 'help', 'docs', 'blog'],
  ...['billing', 'dev', 'test', 'staging', 'prod', 'production', 'internal', 'localhost', 'root', 'login', 'sso'],
  ...['portal', 'dashboard', 'console', 'security', 'abuse', 'postmaster', 'hostmaster', 'webmaster'],
  ...['autodiscover', 'autoconfig', 'wpad', 'isatap', 'company-x', 'tenantry'],
];

const MIN_LENGTH = 3;
const MAX_LENGTH = 40;
const PATTERN = /^[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])?$/;

export type ParsedSlug =
  | { readonly ok: true; readonly slug: string }
  | {
      readonly ok: false;
      readonly problem: string;
      /** It is a slug, but none that is given away. */
      readonly isReserved?: boolean;
    };

/**
 * A slug by the rule of requirement U-02: trimmed and lower-cased first, then a DNS label of 3 to 40 characters,
 * no punycode look-alike, not reserved.
 * @param reserved the product's own reserved slugs, besides {@link reservedSlugs}.
 */
export function parseSlug(raw: string, reserved: readonly string[] = []): ParsedSlug {
  const slug = normalSlug(raw);
  const problem = problemOf(slug);
  if (problem !== undefined) return { ok: false, problem };
  if (reservedSlugs.includes(slug) || reserved.includes(slug))
    return { ok: false, problem: `"${slug}" is reserved`, isReserved: true };
  return { ok: true, slug };
}

/** As it is compared and stored, if it is one. */
export function normalSlug(raw: string): string {
  return raw.trim().toLowerCase();
}

function problemOf(slug: string): string | undefined {
  if (slug.length < MIN_LENGTH || slug.length > MAX_LENGTH) {
    return `must have ${MIN_LENGTH} to ${MAX_LENGTH} characters, has ${slug.length}`;
  }
  if (!PATTERN.test(slug)) {
    return 'must consist of letters a-z, digits and hyphens, and begin and end with a letter or digit';
  }
  // Hosts whose third and fourth characters are hyphens are internationalised names in disguise (RFC 5891, 4.2.3.1).
  if (slug.startsWith('--', 2)) return 'must not have hyphens as third and fourth character';
  // Requests name tenants by id or by slug.
  if (hasIdForm(slug)) return 'must not have the form of an id (UUID)';
  return undefined;
}
