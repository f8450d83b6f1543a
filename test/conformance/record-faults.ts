import type { FaultedLife } from '../../testing/index.ts';
import { recordResult } from '../chaos/results.ts';

/** One line of the published numbers per fault at a call. */
export function recordFaults(kind: string, lives: readonly FaultedLife[]): void {
  const struck = lives.filter(({ hits }) => hits > 0).length;
  console.log(`${kind}: ${lives.length} faults at its calls, ${struck} struck`);
  for (const { of, hits, problems } of lives) {
    const { point, fault, ending } = of;
    const { phase, verb, service, action, nth } = point;
    const outcome = problems.length > 0 ? 'wrong' : hits === 0 ? 'not applicable' : ending;
    const call = `${service} ${action}`;
    recordResult('fault', { of: kind, phase, verb, call, nth, fault, ending, hit: hits > 0, outcome, problems });
  }
}
