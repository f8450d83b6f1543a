import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allSteps, before, transient, walked } from '../support/move.ts';
import { endingOf } from './ending.ts';
import { startEnvironment, type WorkflowEnvironment } from './environment.ts';
import type { World } from './world.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const applied = before.map(({ id }) => id);
const { steps } = walked({ held: ['mark', 'meta', 'rows'] });
const move = { steps, applied, type: 'migrate', onFailure: 'rollback' } as const;
const made = ['table', 'fence', 'tell', 'switch', 'mark', 'check'];
const moved = ['finalize', 'mark', 'meta', 'table'];
const denied = { code: 'ACCESS_DENIED', detail: 'no rights' } as const;

function expectAsBefore(world: World): void {
  expect([...world.living].sort()).toEqual([...applied].sort());
  expect(world.tenantStatus).toBe('active');
  expect(world.violations).toEqual([]);
}

function expectMoved(world: World): void {
  expect([...world.living].sort()).toEqual(moved);
  expect(world.closed?.state).toBe('succeeded');
  expect(world.tenantStatus).toBe('active');
  expect(world.violations).toEqual([]);
}

const removals = ({ calls }: World) => calls.filter((call) => call.endsWith('.remove'));

describe('a change of tier', () => {
  it('makes transient steps on its way, and past its commit removes them with what it drops', async () => {
    const { world, handle } = await env.start(move);
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    const commit = world.calls.indexOf('state:committing');
    expect(world.calls.slice(0, commit)).toEqual([
      ...['claim', 'table.ensure', 'fence.ensure', 'tell.ensure', 'switch.ensure', 'mark.ensure', 'check.ensure'],
      'confirm',
    ]);
    expect(removals(world).slice(0, 2)).toEqual(['check.remove', 'switch.remove']);
    expect(removals(world).slice(2).toSorted()).toEqual(['fence.remove', 'rows.remove', 'tell.remove']);
    expect(removals(world).at(-1)).toBe('fence.remove');
    expectMoved(world);
  });

  it.each(made.flatMap((id) => [false, true].map((effect) => [id, effect] as const)))(
    'that fails at %s (its effect landed: %s) leaves the tenant as it was',
    async (id, effect) => {
      const behaviors = { [id]: { ensure: [{ code: 'QUOTA_EXCEEDED', effect }] } } as const;
      const { world, handle } = await env.start({ ...move, behaviors });
      expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
      expectAsBefore(world);
    },
  );

  it.each(made)('that is cancelled at %s leaves the tenant as it was', async (id) => {
    const { world, handle, gates } = await env.start(move, [`${id}.ensure`]);
    await gates.reached(`${id}.ensure`);
    await handle.executeUpdate('cancel');
    gates.open(`${id}.ensure`);
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'cancelled' });
    expectAsBefore(world);
  });

  it('brings back what stays before it removes what was on the way, but for what is undone first', async () => {
    const undoneFirst = steps.map((one) => (one.id === 'switch' ? { ...one, undoFirst: true } : one));
    const { world, handle } = await env.start({
      ...{ ...move, steps: undoneFirst },
      behaviors: { check: { ensure: [{ code: 'QUOTA_EXCEEDED' }] } },
    });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    const back = world.calls.filter((call) => /\.(remove|restore)$/.test(call));
    expect(back.indexOf('switch.remove')).toBeLessThan(back.indexOf('mark.restore'));
    expect(back.indexOf('mark.restore')).toBeLessThan(back.indexOf('tell.remove'));
    expect(world.tenantStatus).toBe('active');
  });

  it.each([...transient, 'rows'])(
    'that cannot remove %s past its commit is stuck, and a retry finishes it',
    async (id) => {
      const { world, handle } = await env.start({ ...move, behaviors: { [id]: { remove: [denied] } } });
      await world.untilState('stuck');
      expect(world.tenantStatus).toBe('migrating');
      world.fix(id);
      await handle.executeUpdate('retry');
      expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
      expect(world.calls.filter((call) => call.endsWith('.restore'))).toEqual([]);
      expectMoved(world);
    },
  );

  it('that cannot take a transient step back is stuck, and a retry goes on taking back', async () => {
    const behaviors = { check: { ensure: [denied] }, fence: { remove: [denied] } } as const;
    const { world, handle } = await env.start({ ...move, behaviors });
    await world.untilState('stuck');
    world.fix('fence');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'ACCESS_DENIED' });
    expectAsBefore(world);
  });
});

const lost = { code: 'RUN_LOST', message: 'the run was lost' } as const;

describe('a change of tier whose run was lost', () => {
  it('before its commit is taken back by the run that takes over', async () => {
    const back = walked({ held: allSteps, direction: 'back' });
    const takeover = { generation: 1, failure: lost, removesIn: 'rolling-back', cancelled: false } as const;
    const { world, handle } = await env.start({ ...move, steps: back.steps, takeover });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'RUN_LOST' });
    expectAsBefore(world);
  });

  it('past its commit is finished: nothing is made or brought back', async () => {
    // What differs from before is so already, and a claim names nothing that is to be brought back.
    const finish = walked({ held: allSteps, direction: 'finish' });
    expect(finish.restore).toEqual([]);
    const rest = finish.steps.map((one) => (one.becomes === 'drop' ? one : { ...one, becomes: 'keep' as const }));
    const takeover = { generation: 1, failure: lost, removesIn: 'committing', cancelled: false } as const;
    const { world, handle } = await env.start({ ...move, steps: rest, takeover });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls.filter((call) => /\.(ensure|restore)$/.test(call))).toEqual([]);
    expectMoved(world);
  });
});
