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
  { readonly ok: true; readonly slug: string } | { readonly ok: false; readonly problem: string };

/**
 * A slug by the rule of requirement U-02: trimmed and lower-cased first, then a DNS label of 3 to 40 characters,
 * no punycode look-alike, not reserved.
 * @param reserved the product's own reserved slugs, besides {@link reservedSlugs}.
 */
export function parseSlug(raw: string, reserved: readonly string[] = []): ParsedSlug {
  const slug = raw.trim().toLowerCase();
  const problem = problemOf(slug, reserved);
  return problem === undefined ? { ok: true, slug } : { ok: false, problem };
}

function problemOf(slug: string, reserved: readonly string[]): string | undefined {
  if (slug.length < MIN_LENGTH || slug.length > MAX_LENGTH) {
    return `must have ${MIN_LENGTH} to ${MAX_LENGTH} characters, has ${slug.length}`;
  }
  if (!PATTERN.test(slug)) {
    return 'must consist of letters a-z, digits and hyphens, and begin and end with a letter or digit';
  }
  // Hosts whose third and fourth characters are hyphens are internationalised names in disguise (RFC 5891, 4.2.3.1).
  if (slug.startsWith('--', 2)) return 'must not have hyphens as third and fourth character';
  if (reservedSlugs.includes(slug) || reserved.includes(slug)) return `"${slug}" is reserved`;
  return undefined;
}
