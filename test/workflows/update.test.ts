import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../src/contracts/messages.ts';
import { durationOf, endingOf } from './ending.ts';
import { startEnvironment, type WorkflowEnvironment } from './environment.ts';
import { step } from './world.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const fails = { ensure: [{ code: 'QUOTA_EXCEEDED' }] } as const;
const denied = { code: 'ACCESS_DENIED', detail: 'no rights' } as const;
/** A definition and its service change, a group is new, a rule goes; the rest stays. */
const steps = [
  step('root', [], { becomes: 'keep' }),
  step('group', ['root'], { becomes: 'make' }),
  step('definition', ['root', 'group'], { becomes: 'change' }),
  step('service', ['definition'], { becomes: 'change' }),
  step('finalize', ['service'], { becomes: 'keep' }),
  step('rule', ['root'], { becomes: 'drop' }),
];
const applied = ['root', 'definition', 'service', 'finalize', 'rule'];
const update = { steps, applied, type: 'update', onFailure: 'rollback' } as const;
const walked = (calls: readonly string[]) => [
  ...new Set(calls.filter((call) => !/^(claim|confirm|state:|close:)/.test(call))),
];

describe('an update', () => {
  it('makes and changes in order, commits, and only then drops', async () => {
    const { world, handle } = await env.start(update);
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls).toEqual([
      ...['claim', 'group.ensure', 'definition.ensure', 'service.ensure', 'confirm', 'state:committing'],
      ...['rule.remove', 'close:succeeded'],
    ]);
    expect([...world.living].sort()).toEqual(
      ['definition', 'finalize', 'group', 'root', 'rule', 'service'].filter((id) => id !== 'rule'),
    );
    expect(world.tenantStatus).toBe('active');
    expect(world.violations).toEqual([]);
  });

  it('that fails brings back what it changed, waits until it is ready, and then removes what it made', async () => {
    const behaviors = { service: { ...fails, readyAfterMs: 30_000 } };
    const { world, handle } = await env.start({ ...update, behaviors });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(walked(world.calls)).toEqual([
      ...['group.ensure', 'definition.ensure', 'service.ensure'],
      ...['definition.restore', 'service.restore', 'service.observe-restored', 'group.remove'],
    ]);
    expect(world.changes).toMatchObject([{ state: 'rolling-back', generation: 2 }]);
    expect(world.closed).toMatchObject({
      state: 'rolled-back',
      failure: { code: 'QUOTA_EXCEEDED', stepId: 'service' },
    });
    expect(world.tenantStatus).toBe('active');
    expect(world.violations).toEqual([]);
  });

  it('brings back once more what an effect without an answer may change until then', async () => {
    const service = { ensure: [{ code: 'INVALID_REQUEST', landsAfterMs: 20_000 }], readyAfterMs: 5_000 } as const;
    const { world, handle } = await env.start({ ...update, behaviors: { service } });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'INVALID_REQUEST' });
    expect([world.count('definition.restore'), world.count('service.restore')]).toEqual([1, 2]);
    expect(await durationOf(handle)).toBeGreaterThanOrEqual(40_000);
    expect(world.violations).toEqual([]);
  });

  it('brings back only what it began', async () => {
    const { world, handle } = await env.start({ ...update, behaviors: { group: fails } });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(walked(world.calls)).toEqual(['group.ensure', 'group.remove']);
    expect(world.violations).toEqual([]);
  });

  it('holds where its request says so, and goes on after a retry', async () => {
    const behaviors = { service: { ensure: [denied, 'ok'] } } as const;
    const { world, handle } = await env.start({ ...update, onFailure: 'hold', behaviors });
    await world.untilState('holding');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls).not.toContain('service.restore');
    expect(world.violations).toEqual([]);
  });

  it('is taken back by a cancel until it commits, and ends as cancelled', async () => {
    const { world, handle, gates } = await env.start(update, ['service.ensure']);
    await gates.reached('service.ensure');
    await handle.executeUpdate('cancel');
    gates.open('service.ensure');
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'cancelled' });
    expect(world.calls).toContain('service.restore');
    expect([...world.living].sort()).toEqual([...applied].sort());
    expect(world.tenantStatus).toBe('active');
    expect(world.violations).toEqual([]);
  });

  it('that cannot bring a step back removes nothing, is stuck, and tries again at a retry', async () => {
    const behaviors = { service: { ...fails, restore: [denied] } };
    const { world, handle } = await env.start({ ...update, behaviors });
    await world.untilState('stuck');
    expect(world.calls).not.toContain('group.remove');
    expect(world.tenantStatus).toBe('updating');
    expect(world.changes.at(-1)?.leftovers).toContainEqual(
      expect.objectContaining({ stepId: 'service', code: 'ACCESS_DENIED', reason: 'not brought back' }),
    );
    expect(await handle.query<Progress>('progress')).toMatchObject({ steps: { service: 'restore-failed' } });
    world.fix('service');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(world.count('definition.restore')).toBe(1);
    expect(world.count('service.restore')).toBe(2);
    expect(world.violations).toEqual([]);
  });

  it('that cannot drop a step past its commit is stuck, and a retry finishes it: nothing is brought back', async () => {
    const { world, handle } = await env.start({ ...update, behaviors: { rule: { remove: [denied] } } });
    await world.untilState('stuck');
    world.fix('rule');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls.filter((call) => call.endsWith('.restore'))).toEqual([]);
    expect(world.violations).toEqual([]);
  });
});

describe('a step that is undone first', () => {
  const revocation = step('revocation', ['service'], { becomes: 'make', undoFirst: true });
  const rotation = { ...update, steps: [...steps.slice(0, -1), revocation, ...steps.slice(-1)] };
  const failing = { ...rotation, behaviors: { revocation: fails } };

  it('is removed before anything is brought back', async () => {
    const { world, handle } = await env.start(failing);
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(walked(world.calls)).toEqual([
      ...['group.ensure', 'definition.ensure', 'service.ensure', 'revocation.ensure', 'revocation.remove'],
      ...['definition.restore', 'service.restore', 'group.remove'],
    ]);
    expect(world.violations).toEqual([]);
  });

  it('that cannot be removed keeps everything else from being brought back until a retry', async () => {
    const behaviors = { revocation: { ...fails, remove: [denied] } };
    const { world, handle } = await env.start({ ...rotation, behaviors });
    await world.untilState('stuck');
    expect(world.calls.filter((call) => call.endsWith('.restore'))).toEqual([]);
    world.fix('revocation');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(walked(world.calls).slice(-3)).toEqual(['definition.restore', 'service.restore', 'group.remove']);
    expect(world.violations).toEqual([]);
  });

  it('goes with the others where a run that was lost had committed', async () => {
    const dropped = { ...revocation, becomes: 'drop' } as const;
    const { world, handle } = await env.start({
      ...{ ...update, steps: [...steps.slice(0, -1), dropped, ...steps.slice(-1)] },
      ...{ applied: [...applied, 'revocation'] },
    });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls.indexOf('revocation.remove')).toBeGreaterThan(world.calls.indexOf('state:committing'));
    expect(world.violations).toEqual([]);
  });
});

describe('a run that takes over from a lost update', () => {
  const lost = { code: 'RUN_LOST', message: 'the run was lost' };
  const takeover = { generation: 2, failure: lost, cancelled: false };

  it('brings every step back that was to be changed, and removes what was made', async () => {
    const back = steps
      .filter(({ id }) => id !== 'rule')
      .map((one) => (one.id === 'group' ? { ...one, becomes: 'drop' as const } : one));
    const { world, handle } = await env.start({ ...update, steps: back, takeover });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'RUN_LOST' });
    expect(walked(world.calls)).toEqual(['definition.restore', 'service.restore', 'group.remove']);
    expect(world.changes).toMatchObject([{ state: 'rolling-back', generation: 3 }]);
    expect(world.tenantStatus).toBe('active');
    expect(world.violations).toEqual([]);
  });

  it('only finishes one that had committed', async () => {
    const rest = steps.map((one) => (one.becomes === 'drop' ? one : { ...one, becomes: 'keep' as const }));
    const { world, handle } = await env.start({
      ...update,
      steps: rest,
      takeover: { ...takeover, removesIn: 'committing' },
    });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(walked(world.calls)).toEqual(['rule.remove']);
    expect(world.changes).toMatchObject([{ state: 'committing', generation: 3 }]);
    expect(world.violations).toEqual([]);
  });
});

describe('a resumption', () => {
  const resumption = {
    type: 'resume',
    onFailure: 'rollback',
    steps: [
      step('root', [], { becomes: 'restore' }),
      step('record', ['root'], { becomes: 'restore' }),
      step('service', ['root'], { becomes: 'change' }),
      step('finalize', ['service', 'record'], { becomes: 'keep' }),
      step('notice', [], { becomes: 'drop' }),
    ],
    applied: ['root', 'record', 'service', 'finalize', 'notice'],
  } as const;

  it('that fails brings what it changed and what it was bringing back to what was applied', async () => {
    const behaviors = { record: { readyAfterMs: 60_000 }, service: fails };
    const { world, handle } = await env.start({ ...resumption, behaviors });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expect(world.calls).not.toContain('root.restore');
    expect(world.calls).toEqual(
      expect.arrayContaining(['record.restore', 'record.observe-restored', 'service.restore']),
    );
    expect(world.closed).toMatchObject({ state: 'rolled-back', failure: { stepId: 'service' } });
    expect(world.tenantStatus).toBe('suspended');
    expect(world.violations).toEqual([]);
  });

  it('that cannot bring a step back is stuck with it, and suspended as before after a retry', async () => {
    const { world, handle } = await env.start({
      ...resumption,
      behaviors: { record: { ensure: [denied], restore: [denied] } },
    });
    await world.untilState('stuck');
    expect(await handle.query<Progress>('progress')).toMatchObject({
      leftovers: expect.arrayContaining([
        expect.objectContaining({ stepId: 'record', reason: 'not brought back', code: 'ACCESS_DENIED' }),
      ]) as unknown,
    });
    world.fix('record');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'ACCESS_DENIED' });
    expect(world.tenantStatus).toBe('suspended');
    expect(world.violations).toEqual([]);
  });
});
