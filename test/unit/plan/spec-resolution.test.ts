import { describe, expect, it } from 'vitest';
import { resolveSpec, unresolvedRefs } from '../../../src/plan/spec-resolution.ts';

describe('references', () => {
  const sources = new Map([
    ['ready', { ready: true, outputs: { arn: 'a', port: 1 } }],
    ['present', { ready: false, outputs: { arn: 'b' } }],
  ]);
  const spec = {
    a: { ref: 'ready.arn' },
    b: { c: { ref: 'present.arn' }, d: { ref: 'none.arn' } },
    e: [{ ref: 'none.x' }, 'f'],
  };

  it('are replaced by outputs, and left out where there are none', () => {
    expect(resolveSpec(spec, sources)).toEqual({ a: 'a', b: { c: 'b' }, e: ['f'] });
  });

  it('are resolved only by steps that are ready', () => {
    expect(unresolvedRefs(spec, sources)).toEqual(['present.arn', 'none.arn', 'none.x']);
    expect(unresolvedRefs({ a: { ref: 'ready.port' } }, sources)).toEqual([]);
  });
});
