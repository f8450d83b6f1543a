import type { PlannedStep, PollingProfile } from '../../contracts/blueprint.ts';
import { OBSERVE_SLICE_MS } from '../../contracts/verbs.ts';

/** Requirement U-10: a wait without a profile of its own ends after 20 minutes. */
export const DEFAULT_PROFILE: PollingProfile = { usualMs: 10_000, deadlineMs: 20 * 60_000 };

/** Part of the usual time that passes before the first look (design rule 4). */
const FIRST_LOOK = 0.6;
/** Temporal stretches shorter timers to this. */
const SHORTEST_TIMER_MS = 1_000;
const FIRST_PAUSE_MS = 2_000;
/** Requirement R-ORC-07. */
const LONGEST_PAUSE_MS = 60_000;

export type Wanted = 'ready' | 'gone';

export function profileOf(step: PlannedStep, want: Wanted): PollingProfile {
  return step[want] ?? DEFAULT_PROFILE;
}

/** How long to wait before the first slice, in ms; 0 for none. */
export function firstLookMs(profile: PollingProfile): number {
  return timerMs(Math.min(profile.usualMs * FIRST_LOOK, profile.deadlineMs));
}

/** A slice that has just answered `pending`, all in ms. */
export interface Slice {
  readonly sinceStartMs: number;
  readonly tookMs: number;
  /** Slices that ended after the usual time, without this one. */
  readonly lateSlices: number;
}

/**
 * How long to wait between two slices, in ms; 0 for none. Until the usual time is past a slice follows the other at once
 * (one that answered early is filled up with a timer, so that no kind can make the workflow spin); then back-off. The
 * deadline cuts every pause: the slice after it is the one that throws the last thing seen.
 */
export function pauseMs(profile: PollingProfile, slice: Slice): number {
  const leftMs = profile.deadlineMs - slice.sinceStartMs;
  if (leftMs <= 0) return 0;
  const wanted = isLate(profile, slice)
    ? Math.min(FIRST_PAUSE_MS * 2 ** Math.min(slice.lateSlices, 10), LONGEST_PAUSE_MS)
    : OBSERVE_SLICE_MS - slice.tookMs;
  const cut = Math.min(wanted, leftMs);
  return cut < leftMs ? timerMs(cut) : Math.max(cut, SHORTEST_TIMER_MS);
}

export function isLate(profile: PollingProfile, slice: Pick<Slice, 'sinceStartMs'>): boolean {
  return slice.sinceStartMs >= profile.usualMs;
}

function timerMs(wantedMs: number): number {
  return wantedMs < SHORTEST_TIMER_MS ? 0 : Math.round(wantedMs);
}
