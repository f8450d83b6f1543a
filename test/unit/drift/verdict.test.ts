import { expect, it } from 'vitest';
import type { Difference } from '../../../src/contracts/drift.ts';
import { sweptExtras, SWEPT_WITHIN_MS } from '../../../src/drift/swept-extras.ts';
import { toConfirm, verdictOf } from '../../../src/drift/verdict.ts';
import type { SweepFinding } from '../../../src/contracts/sweep.ts';

const retention: Difference = { is: 'changed', field: 'retentionDays', wanted: 30, found: 1 };
const denied = { code: 'ACCESS_DENIED', message: 'AWS refused DescribeLogGroups' };
const step = (...differences: Difference[]) => [{ stepId: 'a', differences }];

it('only what differs is looked at a second time', () => {
  const looks = [...step(retention), { stepId: 'b', differences: [] }, { stepId: 'c', unseen: denied }];
  expect(toConfirm(looks)).toEqual(['a']);
});

it('a difference counts when two looks saw it, as the second one saw it', () => {
  const { findings, unseen } = verdictOf(step(retention), step({ ...retention, found: 3 }));
  expect(findings).toEqual([{ stepId: 'a', ...retention, found: 3, remedy: 'repair', source: 'look' }]);
  expect(unseen).toEqual([]);
});

it('what one look alone saw is nothing: it was older than what was there', () => {
  expect(verdictOf(step(retention), step())).toEqual({ findings: [], unseen: [] });
  const other: Difference = { is: 'missing', field: 'logs:log-group x' };
  expect(verdictOf(step(retention), step(other)).findings).toEqual([]);
});

it('of several extras each counts by itself', () => {
  const extra = (found: string): Difference => ({ is: 'extra', field: 'conditions', found });
  const { findings } = verdictOf(step(extra('source-ip')), step(extra('source-ip'), extra('http-header')));
  expect(findings.map(({ found }) => found)).toEqual(['source-ip']);
});

it('a step that either look could not see is unknown, and nothing is said of it', () => {
  expect(verdictOf([{ stepId: 'a', unseen: denied }], []).unseen).toEqual([{ stepId: 'a', ...denied }]);
  const second = verdictOf(step(retention), [{ stepId: 'a', unseen: denied }]);
  expect(second).toEqual({ findings: [], unseen: [{ stepId: 'a', ...denied }] });
  expect(verdictOf(step(retention), []).unseen).toMatchObject([{ stepId: 'a', code: 'UNCLEAR' }]);
});

it("things with a tenant's mark that the ledger does not hold are told by a sweep that is recent and whole", () => {
  const now = new Date('2026-01-01T12:00:00Z');
  const leak = {
    class: 'leak',
    type: 'sqs:queue',
    name: 'q',
    physicalId: 'url',
    owner: { tenantId: 't', stepId: 's' },
  };
  const missing = { ...leak, class: 'missing' };
  const report = { at: now.toISOString(), findings: [leak, missing] as SweepFinding[], problems: [] };
  expect(sweptExtras(report, now)('t')).toMatchObject([
    { stepId: 's', is: 'extra', field: 'sqs:queue q', found: 'url', remedy: 'hand', source: 'sweep' },
  ]);
  expect(sweptExtras(report, now)('other')).toEqual([]);
  expect(sweptExtras(report, new Date(now.getTime() + SWEPT_WITHIN_MS + 1))('t')).toBeUndefined();
  expect(sweptExtras({ ...report, problems: [{ what: 'x', message: 'y' }] }, now)('t')).toBeUndefined();
  expect(sweptExtras(undefined, now)('t')).toBeUndefined();
});
