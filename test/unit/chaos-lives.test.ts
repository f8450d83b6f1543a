import { describe, expect, it } from 'vitest';
import type { FaultCase, FaultName } from '../chaos/matrix/cases.ts';
import { livesOf, livesOfMissed } from '../chaos/matrix/lives.ts';

const statements = Array.from({ length: 6 }, (_, i) => faultCase('postgres', '-', `statement ${i}`, 'cut-after'));
const calls = ['create_schema', 'create_dns', 'deploy_backend'].flatMap((stepId) => [
  faultCase('aws', stepId, 'DescribeSecret', 'stale'),
  faultCase('aws', stepId, 'DeleteSecret', 'cut-after'),
]);

describe('the lives that share out the cases of the fault suite', () => {
  const lives = livesOf('moamalat', [...calls, ...statements]);

  it('carry every case exactly once', () => {
    const carried = lives.flatMap(({ up, down }) => [...up, ...down]).map(({ id }) => id);
    expect(carried.sort()).toEqual([...calls, ...statements].map(({ id }) => id).sort());
  });

  it('keep a stale look apart from faults that could put it off until nothing is hidden any more', () => {
    const withStale = lives.filter(({ down }) => down.some(({ fault }) => fault === 'stale'));
    expect(withStale.length).toBeGreaterThan(0);
    expect(withStale.flatMap(({ down }) => down).filter(({ fault }) => fault !== 'stale')).toEqual([]);
  });

  it('strike each step of a phase at most once', () => {
    for (const { down } of lives) {
      const steps = down.filter(({ point }) => point.source === 'aws').map(({ point }) => point.stepId);
      expect(new Set(steps).size).toBe(steps.length);
    }
  });

  it('are lived again with one case alone when its fault never struck', () => {
    const life = { kind: 'lived', product: 'moamalat', up: [calls[0]!, calls[2]!], down: [calls[4]!] } as const;
    expect(livesOfMissed(life, [calls[2]!, calls[4]!])).toEqual([
      { ...life, up: [calls[2]], down: [] },
      { ...life, up: [], down: [calls[4]] },
    ]);
  });
});

function faultCase(source: 'aws' | 'postgres', stepId: string, call: string, fault: FaultName): FaultCase {
  const point = { phase: 'deprovision', source, stepId, verb: 'remove', call, kind: 'read', nth: 1 } as const;
  return {
    id: `${stepId} ${call} ${fault}`,
    point: point as unknown as FaultCase['point'],
    fault,
    variant: 'passing',
    chance: 0,
  };
}
