import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { describeCase, faultCases, isStale, type FaultCase } from '../faults/faults.ts';
import { expectedOf } from '../faults/expected.ts';
import { callPoints } from '../faults/points.ts';
import { liveWave } from '../faults/wave.ts';
import type { FaultSample } from '../bench.ts';
import type { ConformanceCase } from './case.ts';
import { shapeMadeBy } from './life.ts';

const FAULTS_LIMIT_MS = 600_000;

export const faultCase: ConformanceCase = {
  name: 'is made once, and leaves nothing behind, whatever call fails in whatever way',
  limitMs: FAULTS_LIMIT_MS,
  async run(bench) {
    const points = await callPoints(bench);
    const calmShape = await shapeMadeBy(bench);
    const cases = sampled(faultCases(points), bench.faultSample);
    // A list of all that there is may be stale for every life: those whose fault is another one are lived before.
    const [clear, stale] = [cases.filter((of) => !isStale(of)), cases.filter(isStale)];
    const first = [...(await liveWave(bench, clear, calmShape)), ...(await liveWave(bench, stale, calmShape))];
    const missed = first.filter(({ hasStruck, problems }) => !hasStruck && problems.length === 0).map(({ of }) => of);
    const lives = [...first.filter(({ of }) => !missed.includes(of)), ...(await liveWave(bench, missed, calmShape))];
    bench.onFaults?.(lives);
    const wrong = lives.filter(({ problems }) => problems.length > 0);
    assert.deepEqual(
      wrong.map(({ of, problems }) => `${describeCase(of)} (${expectedOf(of)}): ${problems.join('; ')}`),
      [],
    );
    const never = lives.filter(({ hasStruck }) => !hasStruck).map(({ of }) => describeCase(of));
    assert.deepEqual(never, [], 'faults that never struck');
  },
};

/** By the seed: the same seed chooses the same cases as long as the kind makes the same calls. */
function sampled(cases: readonly FaultCase[], sample: FaultSample | undefined): readonly FaultCase[] {
  if (!sample) return cases;
  const rank = (of: FaultCase) =>
    createHash('sha256')
      .update(`${sample.seed} ${describeCase(of)}`)
      .digest('hex');
  return [...cases].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, sample.size);
}
