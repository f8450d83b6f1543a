import { durationMs } from './durations.ts';
import type { TenantStatus } from './tenant-status.ts';

/** How long a deletion waits before it removes anything, unless the configuration or the request says otherwise (requirement U-38). */
export const DEFAULT_GRACE = '7d';
export const LONGEST_GRACE_DAYS = 90;

/** What is wrong with a grace period, for whoever gave it. */
export const graceProblem = `must be 0, or a number of seconds, minutes, hours or days up to ${LONGEST_GRACE_DAYS} days: 12h, 2d`;

/** A grace period in ms; undefined when {@link graceProblem} says why. */
export function graceMsOf(text: string): number | undefined {
  const ms = durationMs(text);
  return ms !== undefined && ms <= LONGEST_GRACE_DAYS * 86_400_000 ? ms : undefined;
}

/** Statuses to which a cancelled deletion brings its tenant back. From any other, something is broken already: nothing waits. */
export const statusesWithGrace: readonly TenantStatus[] = ['active', 'suspended', 'failed'];

/** The grace period of an operation, and what time it is. */
export interface Grace {
  readonly untilMs: number;
  readonly nowMs: number;
}
