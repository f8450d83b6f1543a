import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/contracts/blueprint.ts';
import { isSameWork, stepsToChange } from '../../../src/plan/changes.ts';
import { planTo } from '../../../src/plan/plan.ts';

const step = (id: string, spec: Record<string, unknown> = {}, more: Partial<Step> = {}): Step => ({
  ...{ id, kind: 'log-group', needs: [], spec },
  ...more,
});
const applied = [
  step('logs', { name: 'l', days: 7 }),
  step('definition', { logs: { ref: 'logs.name' }, image: 'a' }, { needs: ['logs'], rereads: true }),
  step('service', { definition: { ref: 'definition.arn' }, count: 1 }, { needs: ['definition'] }),
  step('record', { host: 'h' }, { needs: ['service'] }),
  step('finalize', { url: 'u' }, { needs: ['record'], kind: 'tenant-activation' }),
];
const having = (id: string, spec: Record<string, unknown>) =>
  applied.map((one) => (one.id === id ? { ...one, spec: { ...one.spec, ...spec } } : one));
const changes = (target: readonly Step[], more: { altered?: string[]; rereads?: boolean; repairs?: boolean } = {}) => {
  const { rereads = false, repairs = false } = more;
  return [...stepsToChange({ applied, target, altered: new Set(more.altered), rereads, repairs })].sort();
};

describe('steps to change', () => {
  it('are none when the target is what is applied', () => {
    expect(changes(applied)).toEqual([]);
  });

  it('are those whose spec differs, and all that refer to what one of them gives', () => {
    expect(changes(having('definition', { image: 'b' }))).toEqual(['definition', 'service']);
    expect(changes(having('service', { count: 2 }))).toEqual(['service']);
    expect(changes(having('logs', { days: 8 }))).toEqual(['definition', 'logs', 'service']);
  });

  it('are also those that refer to what a new step gives', () => {
    const target = [...having('service', { group: { ref: 'group.arn' } }), step('group')];
    expect(changes(target)).toEqual(['service']);
  });

  it('are also those that an operation left otherwise than they were applied', () => {
    expect(changes(applied, { altered: ['logs'] })).toEqual(['definition', 'logs', 'service']);
  });

  it('are also those that read something outside, where that is to be read again', () => {
    expect(changes(applied, { rereads: true })).toEqual(['definition', 'service']);
  });

  it('are all, where somebody may have changed what they made', () => {
    expect(changes(applied, { repairs: true })).toEqual(['definition', 'logs', 'record', 'service']);
  });

  it('are never the commit, whatever its spec says', () => {
    expect(changes(having('finalize', { url: 'v' }))).toEqual([]);
  });
});

describe('the same work', () => {
  it('is asked for whatever the order of the keys, and whatever says when and how long', () => {
    const some = step('a', { b: [{ c: 1, d: 2 }], e: 'x' }, { needs: ['n'] });
    const other = step('a', { e: 'x', b: [{ d: 2, c: 1 }] }, { ready: { usualMs: 1, deadlineMs: 2 } });
    expect(isSameWork(some, other)).toBe(true);
  });

  it.each([
    ['a value', step('a', { e: 'y' })],
    ['a field more', step('a', { e: 'x', f: null })],
    ['the kind', step('a', { e: 'x' }, { kind: 'other' })],
  ])('is not when %s differs', (_what, other) => {
    expect(isSameWork(step('a', { e: 'x' }), other)).toBe(false);
  });
});

describe('the plan of an update', () => {
  const plan = (target: readonly Step[], notReady: string[] = []) =>
    planTo({
      target,
      known: [...applied, ...target],
      held: new Map(applied.map(({ id, kind }) => [id, { kind, isReady: !notReady.includes(id) }])),
      applied: new Set(applied.map(({ id }) => id)),
      changed: stepsToChange({ applied, target, altered: new Set(), rereads: false, repairs: false }),
    }).map(({ id, becomes }) => `${id} ${becomes}`);

  it('changes what differs, makes what is new, drops what the target lacks, and keeps the rest', () => {
    const target = [...having('service', { count: 2 }).filter(({ id }) => id !== 'record'), step('group')];
    expect(plan(target.map((one) => (one.id === 'finalize' ? { ...one, needs: ['service'] } : one))).sort()).toEqual([
      'definition keep',
      'finalize keep',
      'group make',
      'logs keep',
      'record drop',
      'service change',
    ]);
  });

  it('changes in its place what is applied and lost its readiness, so that an undo does not remove it', () => {
    expect(plan(applied, ['service'])).toContain('service change');
  });
});
