import { describe, expect, it } from 'vitest';
import type { FaultCase } from '../chaos/statements/cases.ts';
import { livesOf, livesOfMissed } from '../chaos/statements/lives.ts';

const cases = (['provision', 'rollback', 'deprovision', 'rotate'] as const).flatMap((phase) =>
  Array.from({ length: 9 }, (_, i) => faultCase(phase, `statement ${i}`, 'passing')),
);
const final = faultCase('provision', 'statement 0', 'final');

describe('the lives that share out the cases of the statement suite', () => {
  const lives = livesOf('moamalat', [...cases, final]);

  it('carry every case exactly once', () => {
    const carried = lives.flatMap(({ up, down }) => [...up, ...down]).map(({ id }) => id);
    expect(carried.sort()).toEqual([...cases, final].map(({ id }) => id).sort());
  });

  it('carry a fault that ends the operation alone', () => {
    expect(lives.filter(({ up }) => up.includes(final))).toEqual([
      { kind: 'ended', product: 'moamalat', up: [final], down: [] },
    ]);
  });

  it('change a tenant for the faults of one change, and share no life between two of them', () => {
    const other = faultCase('update', 'statement 0', 'passing');
    const changed = livesOf('moamalat', [...cases, other]).filter(({ kind }) => kind === 'changed');
    expect(changed.map(({ up }) => new Set(up.map(({ point }) => point.phase)).size)).toEqual([1, 1, 1, 1]);
  });

  it('keep statements apart that follow each other', () => {
    const [first, second] = cases;
    const together = lives.filter(({ up }) => up.includes(first!) && up.includes(second!));
    expect(together).toEqual([]);
  });

  it('are lived again with one case alone when its fault never struck', () => {
    const life = { kind: 'lived', product: 'moamalat', up: [cases[0]!, cases[2]!], down: [cases[20]!] } as const;
    expect(livesOfMissed(life, [cases[2]!, cases[20]!])).toEqual([
      { ...life, up: [cases[2]], down: [] },
      { ...life, up: [], down: [cases[20]] },
    ]);
  });
});

function faultCase(phase: FaultCase['point']['phase'], call: string, variant: FaultCase['variant']): FaultCase {
  const point = {
    phase,
    call,
    kind: 'change',
    database: '',
    application: '',
    identity: 'slug',
    startsWith: '',
  } as const;
  const id = `${phase} ${call} ${variant}`;
  return { id, point: { ...point, within: undefined, places: [0] }, fault: 'cut-after', variant, chance: 0 };
}
