import type { FaultedLife, FaultSample } from '../../testing/index.ts';
import { recordResult } from '../chaos/results.ts';

/** Six per kind, others in each run (`CHAOS_SEED` repeats one); all with `CONFORMANCE_FULL=1`, as `npm run test:chaos` has it. */
export const faultSample: FaultSample | undefined =
  process.env['CONFORMANCE_FULL'] === '1'
    ? undefined
    : { size: 6, seed: process.env['CHAOS_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31)) };

/** One line of the published numbers per fault at a call. */
export function recordFaults(kind: string, lives: readonly FaultedLife[]): void {
  const struck = lives.filter(({ hits }) => hits > 0).length;
  const by = faultSample ? ` (a sample: CHAOS_SEED=${faultSample.seed})` : '';
  console.log(`${kind}: ${lives.length} faults at its calls, ${struck} struck${by}`);
  for (const { of, hits, problems } of lives) {
    const { point, fault, ending } = of;
    const { phase, verb, service, action, nth } = point;
    const outcome = problems.length > 0 ? 'wrong' : hits === 0 ? 'not applicable' : ending;
    const call = `${service} ${action}`;
    recordResult('fault', { of: kind, phase, verb, call, nth, fault, ending, hit: hits > 0, outcome, problems });
  }
}
