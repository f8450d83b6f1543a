import { describe, expect, it } from 'vitest';
import type { CallRecord } from '../../sandbox/gateway/gateway.ts';
import { changingCalls, directionGroups, directions, killPoints, lookingCalls } from '../chaos/kill-points.ts';

type Verb = 'ensure' | 'observe' | 'remove';
let seq = 0;

function call(
  stepId: string,
  verb: Verb,
  kind: 'read' | 'change',
  action: string,
  more: Pick<Partial<CallRecord>, 'outcome' | 'fault'> = {},
): CallRecord {
  seq += 1;
  return {
    ...{ seq, at: new Date(seq * 1_000).toISOString(), service: 'dynamodb', action, kind, account: '000000000000' },
    ...{ outcome: 'ok', status: 200, durationMs: 1, caller: { operationId: 'move-1', stepId, verb }, ...more },
  };
}

/** A step that closes and opens, one that waits, and one that only looks when it is removed. */
const log = [
  call('wait', 'ensure', 'read', 'GetParameter'),
  call('wait', 'ensure', 'read', 'GetParameters'),
  call('wait', 'observe', 'read', 'GetParameter'),
  call('fence', 'ensure', 'read', 'GetItem'),
  call('fence', 'ensure', 'change', 'UpdateItem'),
  call('fence', 'ensure', 'change', 'UpdateItem', { outcome: 'error' }),
  call('fence', 'remove', 'read', 'GetItem'),
  call('fence', 'remove', 'change', 'UpdateItem'),
  call('wait', 'remove', 'read', 'GetParameters'),
  call('wait', 'remove', 'read', 'GetParameters'),
];

describe('the points at which workers are killed', () => {
  it('count a step’s calls by its verb, because a rule of the gateway does', () => {
    const named = changingCalls('move', 'move-1', log).map(({ stepId, verb, nth, isLast, outcome }) =>
      [stepId, verb, nth, isLast, outcome].join(' '),
    );
    expect(named).toEqual(['fence ensure 0 false ok', 'fence ensure 1 true error', 'fence remove 0 true ok']);
  });

  it('are at calls that change nothing only where a step makes no others for its verb', () => {
    const ids = killPoints(lookingCalls('move', 'move-1', log)).map(({ id }) => id);
    expect(ids).toEqual([
      'move wait ensure GetParameter 0 before',
      'move wait ensure GetParameters 0 before',
      'move wait ensure GetParameters 0 unrecorded',
      'move wait ensure GetParameters 0 untold',
      'move wait remove GetParameters 0 before',
      'move wait remove GetParameters 0 unrecorded',
      'move wait remove GetParameters 0 untold',
    ]);
  });

  it('are not at a call that was throttled and made again', () => {
    const throttled = [call('dns', 'ensure', 'change', 'ChangeResourceRecordSets', { outcome: 'throttled' })];
    const answered = call('dns', 'ensure', 'change', 'ChangeResourceRecordSets');
    const named = changingCalls('provision', 'move-1', [...throttled, answered]);
    expect(named.map(({ nth, outcome }) => [nth, outcome])).toEqual([[0, 'ok']]);
  });

  it('begin after the failure of an operation that fails', () => {
    const failed = [
      ...log.slice(0, 5),
      call('fence', 'ensure', 'change', 'UpdateItem', { fault: { type: 'error', ruleId: 'deny' } }),
      ...log.slice(7),
    ];
    const ids = killPoints(changingCalls('failed move', 'move-1', failed));
    expect(ids.every(({ call: { verb } }) => verb === 'remove')).toBe(true);
  });

  it('are of every direction in one part of a long run', () => {
    expect(directionGroups().flat().sort()).toEqual([...directions].sort());
  });
});
