import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OBSERVE_SLICE_MS } from '../../../src/contracts/verbs.ts';
import { firstLookMs, isLate, pauseMs } from '../../../src/workflows/executor/polling.ts';

const profile = { usualMs: 90_000, deadlineMs: 1_200_000 };

describe('the first look', () => {
  it('comes at 60 % of the usual time, at once where that is under a second, never after the deadline', () => {
    expect(firstLookMs(profile)).toBe(54_000);
    expect(firstLookMs({ usualMs: 1_500, deadlineMs: 60_000 })).toBe(0);
    expect(firstLookMs({ usualMs: 100_000, deadlineMs: 30_000 })).toBe(30_000);
  });
});

describe('the pause between slices', () => {
  it('is none until the usual time is past', () => {
    expect(pauseMs(profile, { sinceStartMs: 62_000, tookMs: OBSERVE_SLICE_MS, lateSlices: 0 })).toBe(0);
  });

  it('fills up a slice that answered early, so that nothing spins', () => {
    expect(pauseMs(profile, { sinceStartMs: 62_000, tookMs: 500, lateSlices: 0 })).toBe(7_500);
  });

  it('then backs off to 60 s', () => {
    const pauses = [0, 1, 2, 3, 4, 5, 6, 60].map((lateSlices) =>
      pauseMs(profile, { sinceStartMs: 95_000, tookMs: OBSERVE_SLICE_MS, lateSlices }),
    );
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('ends at the deadline', () => {
    const late = { sinceStartMs: 1_170_000, tookMs: 8_000, lateSlices: 9 };
    expect(pauseMs(profile, late)).toBe(30_000);
    expect(pauseMs(profile, { ...late, sinceStartMs: 1_200_000 })).toBe(0);
  });

  it('leads every wait past its deadline in few slices, never pausing for more than 60 s', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 600_000 }),
        fc.integer({ min: 0, max: 3_600_000 }),
        fc.integer({ min: 0, max: 9_000 }),
        (usualMs, deadlineMs, tookMs) => {
          const p = { usualMs, deadlineMs };
          let sinceStartMs = firstLookMs(p);
          let slices = 0;
          for (let lateSlices = 0; sinceStartMs < deadlineMs; slices += 1) {
            sinceStartMs += tookMs;
            const slice = { sinceStartMs, tookMs, lateSlices };
            const pause = pauseMs(p, slice);
            expect(pause).toBeLessThanOrEqual(60_000);
            expect(pause === 0 || pause >= 1_000).toBe(true);
            if (isLate(p, slice)) lateSlices += 1;
            sinceStartMs += pause;
          }
          // Slices of about 8 s in the last 40 % of the usual time, six of the back-off, then one a minute.
          expect(slices).toBeLessThanOrEqual(Math.ceil((0.4 * usualMs) / 7_000) + 8 + Math.ceil(deadlineMs / 60_000));
        },
      ),
    );
  });
});
