import { describe, expect, it } from 'vitest';
import { report } from '../../../src/cli/doctor.ts';
import { ok, problem, warning } from '../../../src/doctor/finding.ts';

const last = (text: string) => text.split('\n').at(-1);

describe("the doctor's report", () => {
  it('ends with whether tenants can come, and speaks of no product and no approach', () => {
    const good = [ok('control database', 'reachable'), ok('cell eu: other services', 'none')];
    expect(last(report(good))).toBe('Ready for tenants: nothing is missing.');
    expect(last(report([...good, warning('a', 'is full')]))).toBe(
      'Ready for tenants, with 1 warning: read each line marked warning first.',
    );
    const bad = report([...good, problem('a', 'does not exist'), problem('b', 'is gone'), warning('c', 'is full')]);
    expect(last(bad)).toBe(
      'Not ready for tenants: 2 problems, 1 warning. Fix each line marked PROBLEM, then run `tenantry doctor` again.',
    );
    expect(bad).toContain('PROBLEM  a: does not exist');
    expect(bad).not.toMatch(/approach|earlier|moamalat/i);
  });
});
