import { isDenied, type FaultCase, type FaultName } from './faults.ts';

/** What befell the call, in a sentence's words. */
const befell: Readonly<Record<FaultName, string>> = {
  error: 'the read failed with a server error',
  'error-before': 'the call failed with a server error and had no effect',
  'error-after': 'the call had its effect and failed with a server error',
  cut: 'the connection was cut before the read was answered',
  'cut-before': 'the connection was cut and the call had no effect',
  'cut-after': 'the call had its effect and the connection was cut',
  late: 'the call was not answered, and had its effect after the caller gave up',
  throttled: 'the call was throttled once',
  denied: 'the read was denied once',
  'denied-before': 'the call was denied once and had no effect',
  'denied-after': 'the call had its effect and was answered as denied',
  unseen: 'the call succeeded, and reads did not show its effect for 4.5 s',
  'lost-and-unseen': 'the call had its effect, its answer was lost, and reads did not show the effect for 4.5 s',
};

/** What a case does to a step, and what the step must come to all the same. */
export function expectedOf({ point, fault, ending }: FaultCase): string {
  return `${befell[fault]}; ${demandOf(point.phase, fault, ending)}`;
}

function demandOf(phase: FaultCase['point']['phase'], fault: FaultName, ending: FaultCase['ending']): string {
  if (phase === 'removing' && isDenied(fault))
    return 'expected: the removal ends as ACCESS_DENIED and names what is left, and leaves nothing when it is tried again';
  if (phase === 'removing') return 'expected: the removal is tried again until nothing is left';
  return ending === 'goes on'
    ? 'expected: a later attempt makes the same as without the fault, once, and its removal leaves nothing'
    : 'expected: the operation is undone at once, and nothing is left, whatever took effect';
}
