import type { Settings } from '../contracts/settings.ts';

/** What a canary makes, how it looks at it, and how long it waits; times in ms. */
export interface CanarySettings {
  readonly product: string;
  readonly tier: string | undefined;
  /** In which it is made; undefined: where the product's next tenant would be. */
  readonly cell: string | undefined;
  readonly contactEmail: string;
  readonly settings: Settings | undefined;
  readonly probe: ProbeSettings;
  /** From the request until the tenant is active. */
  readonly provisionWithinMs: number;
  readonly probeWithinMs: number;
  readonly removeWithinMs: number;
  /** A tenant of a canary that no process is known to be at work on is removed when it is older. */
  readonly leftAfterMs: number;
  /** Between two looks. */
  readonly pollMs: number;
}

export interface ProbeSettings {
  /** Of the tenant's address; each must answer. */
  readonly paths: readonly string[];
  readonly status: number;
  /** What the body must hold; undefined: anything. */
  readonly text: string | undefined;
  /** Where to connect in the place of what the name resolves to: `host:port`. */
  readonly connectTo: string | undefined;
  /** One attempt. */
  readonly timeoutMs: number;
}

/** Of a canary that is named no other: mails to it reach nobody and harm no reputation (Amazon SES, "mailbox simulator"). */
export const SIMULATOR = 'success@simulator.amazonses.com';
