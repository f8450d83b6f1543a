import { expect, it } from 'vitest';
import { decideRepairs, type RepairSituation } from '../../../src/drift/repair-policy.ts';

const quiet: RepairSituation = {
  ...{ isStopped: false, looked: 100, drifting: 3, failed: 0, openRepairs: 0, openAsked: 0 },
  candidates: ['a', 'b', 'c'],
};

it('repairs at most two tenants of a cell at once', () => {
  const tenantIds = quiet.candidates;
  expect(decideRepairs(quiet)).toEqual({ is: 'repair', atMost: 2, tenantIds });
  expect(decideRepairs({ ...quiet, openRepairs: 1 })).toEqual({ is: 'repair', atMost: 1, tenantIds });
  expect(decideRepairs({ ...quiet, openRepairs: 2 })).toMatchObject({ is: 'wait' });
});

it('waits while an operation is open that somebody asked for', () => {
  expect(decideRepairs({ ...quiet, openAsked: 1 })).toMatchObject({ is: 'wait' });
});

it.each([
  ['more than a fifth of the tenants drift', { drifting: 21 }],
  ['all three tenants drift', { looked: 3, drifting: 3 }],
  ['two repairs failed', { failed: 2 }],
])('stops when %s, also while others go first', (_, changes) => {
  expect(decideRepairs({ ...quiet, ...changes, openAsked: 5 })).toMatchObject({ is: 'stop' });
});

it.each([
  ['a fifth of the tenants drifts', { drifting: 20 }],
  ['both of two tenants drift', { looked: 2, drifting: 2 }],
  ['one repair failed', { failed: 1 }],
])('goes on when %s', (_, changes) => {
  expect(decideRepairs({ ...quiet, ...changes })).toMatchObject({ is: 'repair' });
});

it('does nothing while it is stopped, whatever else there is', () => {
  expect(decideRepairs({ ...quiet, isStopped: true, failed: 5 })).toMatchObject({ is: 'wait' });
});
