import { describe, expect, it } from 'vitest';
import { withoutSteps } from '../../../src/plan/remaining-steps.ts';
import type { PlannedStep } from '../../../src/contracts/blueprint.ts';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { cell } from '../../db/fixtures.ts';

const blueprint = moamalat.resolve({
  cell,
  loadBalancer: cell.loadBalancers[0]!,
  tenantId: '22222222-2222-4222-8222-222222222222',
  slug: 'acme',
  tier: null,
  host: 'acme.tenants.test',
});

describe('a plan without some of its steps', () => {
  const plan = blueprint.steps.map(({ spec: _spec, ...step }): PlannedStep => step);
  const ids = plan.map((s) => s.id);

  /** Whether `later` must wait for `earlier` on the way down. */
  const waits = (steps: typeof plan, later: string, earlier: string, seen = new Set<string>()): boolean => {
    if (seen.has(later)) return false;
    seen.add(later);
    const step = steps.find((s) => s.id === later);
    const before = [...steps.filter((s) => s.needs.includes(later)).map((s) => s.id), ...(step?.removeAfter ?? [])];
    return before.some((id) => id === earlier || waits(steps, id, earlier, seen));
  };

  it.each(ids)('keeps the order of all others when "%s" is left out', (left) => {
    const rest = withoutSteps(plan, new Set([left]));
    expect(rest.map((s) => s.id)).toEqual(ids.filter((id) => id !== left));
    for (const a of rest)
      for (const b of rest)
        if (a !== b && waits(plan, a.id, b.id))
          expect([a.id, b.id, waits(rest, a.id, b.id)]).toEqual([a.id, b.id, true]);
  });

  it('names no step that is not there', () => {
    const rest = withoutSteps(plan, new Set(['create_dns', 'deploy_backend', 'validate', 'finalize']));
    const left = new Set(rest.map((s) => s.id));
    for (const step of rest) for (const id of [...step.needs, ...(step.removeAfter ?? [])]) expect(left).toContain(id);
  });
});
