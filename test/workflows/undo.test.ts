import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../src/contracts/messages.ts';
import { durationOf, endingOf, isRefusal, until } from './ending.ts';
import { startEnvironment, type WorkflowEnvironment } from './environment.ts';
import { step } from './world.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const denied = { code: 'ACCESS_DENIED', detail: 'no rights' } as const;
const fails = { ensure: [{ code: 'QUOTA_EXCEEDED' }] } as const;
/** Two branches on one root; `bad` fails once both stand. */
const branches = [
  ...[step('root'), step('left', ['root']), step('leaf', ['left']), step('right', ['root'])],
  ...[step('bad', ['leaf', 'right']), step('finalize', ['bad'])],
];

describe('an undo', () => {
  it('goes in reverse order and by removeAfter', async () => {
    const steps = [
      ...[step('group'), step('rule', ['group']), step('dns', ['rule'])],
      step('service', ['rule'], { removeAfter: ['dns'] }),
      ...[step('bad', ['dns', 'service']), step('finalize', ['bad'])],
    ];
    const behaviors = { bad: fails, dns: { goneAfterMs: 60_000 } };
    const { world, handle } = await env.start({ steps, behaviors, onFailure: 'rollback' });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(world.calls.filter((c) => c.endsWith('.remove'))).toEqual([
      ...['bad.remove', 'dns.remove', 'service.remove', 'rule.remove', 'group.remove'],
    ]);
    expect(await durationOf(handle)).toBeGreaterThanOrEqual(60_000);
    expect(world.violations).toEqual([]);
  });

  it('walks back to what was applied before: of that it removes nothing, though this operation made it anew', async () => {
    const steps = [
      ...[step('kept', [], { becomes: 'keep' }), step('repaired', ['kept'])],
      ...[step('new', ['repaired']), step('bad', ['new']), step('finalize', ['bad'])],
    ];
    const applied = ['kept', 'repaired', 'finalize'];
    const { world, handle } = await env.start({ steps, applied, behaviors: { bad: fails }, onFailure: 'rollback' });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(world.calls.filter((c) => /^(kept|repaired|new|bad)\./.test(c))).toEqual([
      ...['repaired.ensure', 'new.ensure', 'bad.ensure', 'bad.remove', 'new.remove'],
    ]);
    expect([...world.living].sort()).toEqual(['kept', 'repaired']);
    expect(world.violations).toEqual([]);
  });

  it('that cannot finish removes all that it can and is stuck with the exact list, until retry', async () => {
    const behaviors = { bad: fails, left: { remove: [denied] } };
    const { world, handle } = await env.start({ steps: branches, behaviors, onFailure: 'rollback' });
    await world.untilState('stuck');
    expect([...world.living].sort()).toEqual(['left', 'root']);
    const progress = await handle.query<Progress>('progress');
    expect(progress).toMatchObject({
      state: 'stuck',
      steps: { leaf: 'removed', right: 'removed', left: 'remove-failed', root: 'ready' },
      failure: { code: 'QUOTA_EXCEEDED', stepId: 'bad' },
    });
    expect(progress.leftovers?.map((l) => l.stepId)).toEqual(['left', 'root']);
    expect(world.changes.at(-1)?.leftovers?.map((l) => l.stepId)).toEqual(['left', 'root']);
    expect(world.tenantStatus).toBe('failed');

    world.fix('left');
    expect(await handle.executeUpdate('retry')).toMatchObject({ state: 'stuck' });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(world.changes.map((c) => [c.state, c.generation])).toEqual([
      ...[
        ['rolling-back', 1],
        ['stuck', 1],
        ['rolling-back', 2],
      ],
    ]);
    expect(world.count('leaf.remove')).toBe(1);
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it('that stays stuck after a retry waits for the next one', async () => {
    const behaviors = { bad: fails, left: { remove: [denied] } };
    const { world, handle } = await env.start({ steps: branches, behaviors, onFailure: 'rollback' });
    await world.untilState('stuck');
    await handle.signal('retry');
    await world.until((w) => w.changes.filter((c) => c.state === 'stuck').length === 2);
    world.fix('left');
    await handle.signal('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED' });
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it('gives up on a removal whose absence never comes, with what was seen', async () => {
    const gone = { usualMs: 0, deadlineMs: 120_000 };
    const steps = [step('a', [], { gone }), step('bad', ['a']), step('finalize', ['bad'])];
    const behaviors = { bad: fails, a: { goneAfterMs: 'never' } } as const;
    const { world, handle } = await env.start({ steps, behaviors, onFailure: 'rollback' });
    const end = endingOf(handle); // lets time skip
    await world.untilState('stuck');
    expect(world.changes.at(-1)?.leftovers?.map((l) => l.stepId)).toEqual(['a']);
    world.fix('a');
    await handle.signal('retry');
    expect(await end).toMatchObject({ status: 'FAILED' });
    expect(world.violations).toEqual([]);
  });

  it('removes again what stands after its removal, in the middle of the wait and not at its end', async () => {
    const steps = [step('a'), step('b', ['a']), step('bad', ['b']), step('finalize', ['bad'])];
    const behaviors = { bad: fails, b: { standsAfterRemovals: 2 } } as const;
    const { world, handle } = await env.start({ steps, behaviors, onFailure: 'rollback' });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(world.count('b.remove')).toBe(3);
    expect([...world.living]).toEqual([]);
    expect(await durationOf(handle)).toBeLessThan(120_000);
    expect(world.violations).toEqual([]);
  });

  it('goes on after a removal that failed though it worked', async () => {
    const behaviors = { bad: fails, left: { remove: [{ code: 'UNCLEAR', effect: true }, 'ok'] } } as const;
    const { world, handle } = await env.start({ steps: branches, behaviors, onFailure: 'rollback' });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED' });
    expect(world.count('left.remove')).toBe(2);
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });
});

describe('an end that is refused because the ledger holds something', () => {
  const steps = [step('root'), step('leaf', ['root']), step('finalize', ['leaf'])];

  it('makes a removal stuck with the list, and a retry removes it again', async () => {
    const { world, handle, gates } = await env.start({ steps, type: 'deprovision' }, ['close:succeeded']);
    await gates.reached('close:succeeded');
    world.living.add('leaf');
    gates.open('close:succeeded');
    await world.untilState('stuck');
    expect(world.changes.at(-1)).toMatchObject({
      failure: { code: 'STILL_PRESENT' },
      leftovers: [{ stepId: 'leaf' }],
    });
    await handle.signal('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'deleted' });
    expect([world.count('leaf.remove'), world.count('root.remove')]).toEqual([2, 1]);
    expect(world.violations).toEqual([]);
  });

  it('makes a rollback stuck too, which keeps its failure', async () => {
    const behaviors = { leaf: fails };
    const { world, handle, gates } = await env.start({ steps, behaviors, onFailure: 'rollback' }, [
      'close:rolled-back',
    ]);
    await gates.reached('close:rolled-back');
    world.living.add('leaf');
    gates.open('close:rolled-back');
    await world.untilState('stuck');
    expect(world.changes.at(-1)).toMatchObject({
      failure: { code: 'QUOTA_EXCEEDED' },
      leftovers: [{ stepId: 'leaf' }],
    });
    await handle.signal('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(world.violations).toEqual([]);
  });
});

describe('an effect that lands late', () => {
  it('is waited for, seen and removed before anything that it needs', async () => {
    const late = { ensure: [{ code: 'INVALID_REQUEST', landsAfterMs: 30_000 }] } as const;
    const steps = [step('root'), step('late', ['root']), step('finalize', ['late'])];
    const { world, handle } = await env.start({ steps, behaviors: { late }, onFailure: 'rollback' });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED' });
    expect(world.calls.filter((c) => /remove|gone/.test(c))).toEqual([
      ...['late.remove', 'late.observe-gone', 'late.remove', 'root.remove'],
    ]);
    expect(await durationOf(handle)).toBeGreaterThanOrEqual(40_000);
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it('is taken back too when the attempt ran into its start-to-close time-out', async () => {
    const hangs = { ensure: [{ code: 'UNCLEAR', hangs: true, effect: true }, { code: 'ACCESS_DENIED' }] } as const;
    const steps = [step('root'), step('hangs', ['root']), step('finalize', ['hangs'])];
    const { world, handle } = await env.start({ steps, behaviors: { hangs }, onFailure: 'rollback' });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'ACCESS_DENIED' });
    expect(world.count('hangs.ensure')).toBe(2);
    expect(world.count('hangs.remove')).toBe(1);
    expect([...world.living]).toEqual([]);
  });
});

describe('a stuck operation', () => {
  const stuck = {
    steps: branches,
    behaviors: { bad: fails, left: { remove: [denied] } },
    onFailure: 'rollback',
  } as const;

  it.each(['abandoned', 'superseded'] as const)('that is %s in the database ends its run', async (outcome) => {
    const { world, handle } = await env.start(stuck);
    await world.untilState('stuck');
    await until(async () => (await handle.query<Progress>('progress')).leftovers !== undefined);
    world.closeInDatabase(outcome);
    await handle.signal('close', { outcome, operationId: world.operationId });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome });
    expect(world.closed).toBeUndefined(); // somebody else did
  });

  it('whose retry comes after it was closed in the database removes nothing more', async () => {
    const { world, handle } = await env.start(stuck);
    await world.untilState('stuck');
    world.closeInDatabase('superseded');
    await handle.signal('retry');
    await world.until((w) => w.count('state:rolling-back') === 2);
    await handle.signal('close', { outcome: 'superseded', operationId: world.operationId });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'superseded' });
    expect(world.count('left.remove')).toBe(1);
  });

  it('ignores a close that is malformed, meant for another operation, or too early', async () => {
    const { world, handle, gates } = await env.start(stuck, ['bad.ensure']);
    await gates.reached('bad.ensure');
    await handle.signal('close', { outcome: 'abandoned' });
    gates.open('bad.ensure');
    await world.untilState('stuck');
    await handle.signal('close', { outcome: 'abandoned', operationId: 'an-earlier-operation' });
    await handle.signal('close', { outcome: 'active' });
    await handle.signal('close');
    world.fix('left');
    await handle.signal('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
  });
});

describe('a deprovisioning', () => {
  const standing = { type: 'deprovision', steps: branches } as const;

  it('is past its point of no return before it removes anything, and completes as deleted', async () => {
    const { world, handle } = await env.start(standing);
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'deleted' });
    expect(world.calls.slice(0, 3)).toEqual(['claim', 'state:committing', 'bad.remove']);
    expect(world.count('finalize.remove')).toBe(0);
    expect(world.closed?.state).toBe('succeeded');
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it('cannot be cancelled, in any way', async () => {
    const { world, handle, gates } = await env.start(standing, ['left.remove']);
    await gates.reached('left.remove');
    await expect(handle.executeUpdate('cancel')).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    await handle.signal('cancel');
    await handle.cancel();
    gates.open('left.remove');
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'deleted' });
    expect(world.violations).toEqual([]);
  });

  it('that fails is stuck, and a retry removes what is left', async () => {
    const { world, handle } = await env.start({ ...standing, behaviors: { left: { remove: [denied] } } });
    await world.untilState('stuck');
    expect(world.changes.at(-1)).toMatchObject({
      failure: { code: 'ACCESS_DENIED', stepId: 'left', detail: 'no rights' },
      leftovers: [{ stepId: 'left' }, { stepId: 'root' }],
    });
    world.fix('left');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'deleted' });
    expect(world.changes.map((c) => c.state)).toEqual(['committing', 'stuck', 'committing']);
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it('removes nothing when the database refuses the commit', async () => {
    const { world, handle } = await env.start({ ...standing, refuses: ['committing'] });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'not-claimed' });
    expect(world.calls).toEqual(['claim', 'state:committing']);
  });
});
