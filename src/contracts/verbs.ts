import type { Verb } from './kinds.ts';

/** Time limits and retries of one verb, in ms; the one table that workflows and the worker's ledger wrapper read. */
export interface VerbOptions {
  readonly startToCloseMs: number;
  /** Absent: no heartbeat. */
  readonly heartbeatMs?: number;
  readonly initialIntervalMs: number;
  readonly maximumIntervalMs: number;
  readonly backoff: number;
  readonly maximumAttempts: number;
}

/** Source: requirement U-11 (forward), U-13 (undo), design rule 5 (start-to-close 10 s where AWS is called without heartbeats). */
const defaults: Readonly<Record<Verb, VerbOptions>> = {
  ensure: {
    startToCloseMs: 10_000,
    initialIntervalMs: 2_000,
    maximumIntervalMs: 60_000,
    backoff: 2,
    maximumAttempts: 8,
  },
  // An observe slice looks for at most 8 s and answers.
  observe: {
    startToCloseMs: 12_000,
    initialIntervalMs: 2_000,
    maximumIntervalMs: 60_000,
    backoff: 2,
    maximumAttempts: 20,
  },
  remove: {
    startToCloseMs: 10_000,
    initialIntervalMs: 2_000,
    maximumIntervalMs: 300_000,
    backoff: 2,
    maximumAttempts: 20,
  },
};

/** Where a kind's verbs differ from the table; travels in the plan of an operation. */
export type KindLimits = Readonly<Partial<Record<Verb, Partial<VerbOptions>>>>;

export function verbOptions(limits: KindLimits | undefined, verb: Verb): VerbOptions {
  return { ...defaults[verb], ...limits?.[verb] };
}

/** How long an observe slice looks before it answers `pending`, and how often, in ms (design rule 4). */
export const OBSERVE_SLICE_MS = 8_000;
export const OBSERVE_EVERY_MS = 1_000;

/**
 * How long after an attempt's start its effect may still land, in ms: the longest time that one attempt may be without
 * a sign of life (start-to-close, or the heartbeat time-out) + 30 s (design rule 7).
 */
export function latenessWindowMs(limits: KindLimits | undefined, verb: 'ensure' | 'remove'): number {
  const { heartbeatMs, startToCloseMs } = verbOptions(limits, verb);
  return (heartbeatMs ?? startToCloseMs) + 30_000;
}

/**
 * After this time nothing that a run has scheduled can take effect any more, whatever it was, in ms. No kind may have a wider
 * window: one whose attempts may last longer shows by heartbeats that its worker lives.
 */
export const LONGEST_LATENESS_MS = Math.max(
  latenessWindowMs(undefined, 'ensure'),
  latenessWindowMs(undefined, 'remove'),
);
