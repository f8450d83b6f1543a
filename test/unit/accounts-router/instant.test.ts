import { expect, it } from 'vitest';
import { elapsedMs } from '../../../src/accounts-router/instant.ts';

it('what has passed is what the clock says that says more', () => {
  const since = { monotonicMs: 1_000, wallMs: 50_000 };
  // A machine that was suspended; one whose clock was set back.
  expect(elapsedMs(since, { monotonicMs: 1_010, wallMs: 650_000 })).toBe(600_000);
  expect(elapsedMs(since, { monotonicMs: 601_000, wallMs: 10_000 })).toBe(600_000);
});
