import { expect, it } from 'vitest';
import { durationMs, durationPattern } from '../../../src/contracts/durations.ts';

it.each([1, 7, 30, 90, 365])('the pattern of durations up to %i days has those, and no longer ones', (days) => {
  const pattern = new RegExp(durationPattern(days));
  const longestMs = days * 86_400_000;
  expect(pattern.test('0')).toBe(true);
  for (const [unit, ms] of Object.entries({ s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }))
    for (const near of [0, 1, 9, 10, 99, 100, 999, 1_000, longestMs / ms])
      for (const count of [near - 1, near, near + 1].filter((n) => n >= 0)) {
        const text = `${count}${unit}`;
        const inMs = durationMs(text);
        expect([text, pattern.test(text)]).toEqual([text, inMs !== undefined && inMs <= longestMs]);
      }
  for (const text of ['', '1', '1x', '1.5h', '-1s', '1234567s', '00', ' 1h', '1h\n'])
    expect(pattern.test(text)).toBe(false);
});
