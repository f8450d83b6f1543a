import { createHmac, randomBytes } from 'node:crypto';

/** Of Standard Webhooks (standardwebhooks.com), as are the headers and what is signed. */
const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

/** A secret to sign with: `whsec_` and 32 random bytes in base64. */
export function newSecret(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;
}

export interface SignedMessage {
  /** The same at every attempt. */
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/** Headers of an attempt: one signature for each secret, so that a receiver may know any of them. */
export function signatureHeaders(
  { id, at, body }: SignedMessage,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const timestamp = `${Math.floor(at.getTime() / 1000)}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
