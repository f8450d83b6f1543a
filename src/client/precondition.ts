import { createHash } from 'node:crypto';
import { RequestError } from './request-error.ts';

/** Tags of which one must be the current one; `*`: whatever it is. */
export type IfMatch = '*' | readonly string[];

/** A request that is carried out only while what it changes is as its caller has seen it. */
export interface Conditional {
  /** Undefined: whatever it is at. */
  readonly ifMatch?: IfMatch | undefined;
}

/** What callers choose of a tenant. */
export interface Chosen {
  /** Rises with every choice of settings, mode, tier or credentials. */
  readonly settingsVersion: number;
  readonly displayName: string;
  readonly contactEmail: string;
}

/**
 * Names what is chosen for a tenant: it is another exactly when that is another. What runs and looks make of the tenant is no part of it.
 * @returns text that fits between the quotation marks of an entity tag (RFC 9110, section 8.8.3)
 */
export function tenantTag({ settingsVersion, displayName, contactEmail }: Chosen): string {
  return `${settingsVersion}-${hashOf([displayName, contactEmail])}`;
}

/** What callers choose of a webhook. */
export interface ChosenWebhook {
  readonly url: string;
  readonly description: string | null;
  readonly events: readonly string[] | null;
  readonly enabled: boolean;
}

/** As {@link tenantTag}, of a webhook. */
export function webhookTag({ url, description, events, enabled }: ChosenWebhook): string {
  return hashOf([url, description, events, enabled]);
}

function hashOf(chosen: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(chosen)).digest('hex').slice(0, 16);
}

/** @param what what the tag is of, as a sentence begins @throws RequestError PRECONDITION_FAILED */
export function refuseOtherTag(ifMatch: IfMatch | undefined, current: string, what: string): void {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch.includes(current)) return;
  const etag = `"${current}"`;
  throw new RequestError(
    'PRECONDITION_FAILED',
    `${what} is not as If-Match has it any more: its ETag is ${etag}; nothing was changed`,
    { details: { header: 'if-match', etag } },
  );
}
