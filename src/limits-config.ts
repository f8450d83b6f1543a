import { z } from 'zod';
import { isPrivateWay } from './access-config.ts';

/** So many requests at once, and as many again spread over the window. */
export interface Rate {
  readonly requests: number;
  readonly windowMs: number;
}

/** What is held against what; undefined: not held. */
export interface Limits {
  /** Of one caller. */
  readonly reads: Rate | undefined;
  readonly changes: Rate | undefined;
  /** Of all callers of one tenant. */
  readonly tenantReads: Rate | undefined;
  readonly tenantChanges: Rate | undefined;
  /** Of one address: credentials that were not taken. */
  readonly refused: Rate | undefined;
  /** Of one caller: requests beyond it wait, whatever becomes of them, so that they do not keep others waiting. */
  readonly pace: Rate | undefined;
  /** Of one caller: requests that are answered at the same time. */
  readonly inFlight: number | undefined;
  /** Of one caller: live streams. */
  readonly streams: number | undefined;
}

/** As the environment says it: `off`, or other than the default. */
export type GivenLimits = { readonly [Name in keyof Limits]?: Limits[Name] | 'off' };

export interface LimitsConfig {
  readonly limits: GivenLimits;
  /** Origins whose pages may call the API and read its answers. */
  readonly corsOrigins: readonly string[];
}

const minute = 60_000;

/** Where callers are asked who they are. */
export const defaultLimits: Limits = {
  reads: { requests: 3_000, windowMs: minute },
  changes: { requests: 300, windowMs: minute },
  tenantReads: { requests: 3_000, windowMs: minute },
  tenantChanges: { requests: 120, windowMs: minute },
  refused: { requests: 300, windowMs: minute },
  pace: { requests: 200, windowMs: 2_000 },
  inFlight: 6,
  streams: 50,
};

/** Where nobody is asked who calls: all requests would be one caller's. */
export const noLimits: Limits = {
  reads: undefined,
  changes: undefined,
  tenantReads: undefined,
  tenantChanges: undefined,
  refused: undefined,
  pace: undefined,
  inFlight: undefined,
  streams: undefined,
};

/** What holds: what was given, and for the rest the default. */
export function limitsOf(given: GivenLimits, asksCallers: boolean): Limits {
  const rest = asksCallers ? defaultLimits : noLimits;
  const pick = <V>(value: V | 'off' | undefined, other: V | undefined) =>
    value === 'off' ? undefined : (value ?? other);
  return {
    reads: pick(given.reads, rest.reads),
    changes: pick(given.changes, rest.changes),
    tenantReads: pick(given.tenantReads, rest.tenantReads),
    tenantChanges: pick(given.tenantChanges, rest.tenantChanges),
    refused: pick(given.refused, rest.refused),
    pace: pick(given.pace, rest.pace),
    inFlight: pick(given.inFlight, rest.inFlight),
    streams: pick(given.streams, rest.streams),
  };
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: minute, h: 60 * minute };
const MOST_REQUESTS = 1_000_000;
const LONGEST_WINDOW_MS = 24 * 60 * minute;

const rate = z.string().transform((text, context): Rate | 'off' => {
  if (text === 'off') return text;
  const read = rateIn(text);
  if (!read)
    context.addIssue(
      `must be off, or a number of requests (1 to ${MOST_REQUESTS}) and a time of 24 h at most: 100/1s, 3000/1m, 5000/1h`,
    );
  return read ?? 'off';
});

function rateIn(text: string): Rate | undefined {
  const [, requests = '', count = '', unit = ''] = /^([1-9]\d{0,6})\/([1-9]\d{0,4})?([smh])$/.exec(text) ?? [];
  const windowMs = Number(count === '' ? 1 : count) * (unitMs[unit] ?? 0);
  if (requests === '' || Number(requests) > MOST_REQUESTS || windowMs > LONGEST_WINDOW_MS) return undefined;
  return { requests: Number(requests), windowMs };
}

const MOST_AT_ONCE = 10_000;
const count = z.string().transform((text, context): number | 'off' => {
  if (text === 'off') return text;
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= MOST_AT_ONCE) return Number(text);
  context.addIssue(`must be off, or a number from 1 to ${MOST_AT_ONCE}`);
  return 'off';
});

const origins = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .refine((items) => items.every(isOrigin), {
    error:
      'must be origins as browsers send them, separated by commas: https://portal.example.com (http:// on this machine only; no path, no *, no slash at the end)',
  });

/** As browsers write one: in lower case, without the scheme's own port. */
function isOrigin(text: string): boolean {
  return (
    /^https?:\/\/[a-z0-9.:[\]-]+$/.test(text) &&
    URL.canParse(text) &&
    new URL(text).origin === text &&
    isPrivateWay(new URL(text))
  );
}

/** To be spread into the schema of the environment. */
export const limitsVariables = {
  TENANTRY_RATE_READS: rate.optional(),
  TENANTRY_RATE_CHANGES: rate.optional(),
  TENANTRY_RATE_TENANT_READS: rate.optional(),
  TENANTRY_RATE_TENANT_CHANGES: rate.optional(),
  TENANTRY_RATE_REFUSED: rate.optional(),
  TENANTRY_RATE_PACE: rate.optional(),
  TENANTRY_RATE_IN_FLIGHT: count.optional(),
  TENANTRY_RATE_STREAMS: count.optional(),
  TENANTRY_CORS_ORIGINS: origins.default([]),
};

export function limitsConfigOf(given: z.output<z.ZodObject<typeof limitsVariables>>): LimitsConfig {
  return {
    limits: {
      reads: given.TENANTRY_RATE_READS,
      changes: given.TENANTRY_RATE_CHANGES,
      tenantReads: given.TENANTRY_RATE_TENANT_READS,
      tenantChanges: given.TENANTRY_RATE_TENANT_CHANGES,
      refused: given.TENANTRY_RATE_REFUSED,
      pace: given.TENANTRY_RATE_PACE,
      inFlight: given.TENANTRY_RATE_IN_FLIGHT,
      streams: given.TENANTRY_RATE_STREAMS,
    },
    corsOrigins: given.TENANTRY_CORS_ORIGINS,
  };
}
