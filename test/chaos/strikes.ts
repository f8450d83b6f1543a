import fc from 'fast-check';
import type { FaultRule } from '../../sandbox/gateway/faults/setting.ts';

export interface Strike {
  readonly stepId: string;
  readonly verb: 'ensure' | 'remove';
}

/** As a rule of the gateway; AWS refuses each kind of call that way at times. */
export function strikeRule({ stepId, verb }: Strike, operationId: string): FaultRule {
  return {
    match: { operationId, stepId, verb, kind: 'change' },
    fault: { type: 'error', when: 'before', code: 'AccessDeniedException', status: 403, message: 'a story’s strike' },
    times: verb === 'remove' ? null : 1,
  };
}

/** One draw in `oneIn`; else undefined. */
export function seldom<T>(value: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 1, arbitrary: value }, { weight: oneIn - 1, arbitrary: fc.constant(undefined) });
}
