/** Of every answer: no page shows it in a frame, runs anything of it, or tells where it came from; nothing on the way keeps it. */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** Of an answer that was asked for by TLS: for a year nobody goes there otherwise. */
export const tlsHeaders = { 'strict-transport-security': 'max-age=31536000' } as const;

/** Of the page for people, which runs scripts and styles of its own. */
export const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
