import { describe, expect, it } from 'vitest';
import { networkOf, refusalBudget } from '../../src/api/access/refusal-budget.ts';

describe('the budget of refusals', () => {
  const rates = { each: { burst: 2, perMinute: 1 }, all: { burst: 5, perMinute: 1 } };

  it('is of each, and the next that is recorded says how many were not', () => {
    const take = refusalBudget(rates);
    expect([take('a', 0), take('a', 0), take('a', 0), take('a', 0), take('b', 0)]).toEqual([
      0,
      0,
      undefined,
      undefined,
      0,
    ]);
    expect([take('a', 59_000), take('a', 60_000)]).toEqual([undefined, 3]);
  });

  it('is of all together too, however many they are', () => {
    const take = refusalBudget(rates);
    const taken = Array.from({ length: 100 }, (_, i) => take(`address-${i}`, 0));
    expect(taken.filter((each) => each !== undefined)).toHaveLength(5);
  });
});

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s is one of %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
