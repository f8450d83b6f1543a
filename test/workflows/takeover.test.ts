import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../src/contracts/messages.ts';
import { endingOf, isRefusal } from './ending.ts';
import { startEnvironment, type WorkflowEnvironment } from './environment.ts';
import { step } from './world.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const steps = [step('root'), step('left', ['root']), step('leaf', ['left']), step('finalize', ['leaf'])];
const failure = { code: 'QUOTA_EXCEEDED', message: 'no more rules', stepId: 'leaf' };
const lost = { code: 'RUN_LOST', message: 'the run was lost' };
const denied = { code: 'ACCESS_DENIED' } as const;

describe('a run that takes over from a lost one', () => {
  it('takes everything back that is left, in the next generation, and makes nothing', async () => {
    const { world, handle } = await env.start({ steps, takeover: { generation: 3, failure: lost, cancelled: false } });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'RUN_LOST' });
    expect(world.calls).toEqual([
      ...['claim', 'state:rolling-back', 'leaf.remove', 'left.remove', 'root.remove', 'close:rolled-back'],
    ]);
    expect(world.changes).toMatchObject([{ state: 'rolling-back', generation: 4, failure: lost }]);
    expect(world.closed).toMatchObject({ state: 'rolled-back', failure: lost });
    expect([...world.living]).toEqual([]);
    expect(world.tenantStatus).toBe('failed');
    expect(world.violations).toEqual([]);
  });

  it('ends with the failure for which the lost one rolled back', async () => {
    const { world, handle } = await env.start({ steps, takeover: { generation: 1, failure, cancelled: false } });
    expect(await endingOf(handle)).toMatchObject({
      status: 'FAILED',
      type: 'QUOTA_EXCEEDED',
      details: { operationId: world.operationId, stepId: 'leaf' },
    });
  });

  it('ends as cancelled when the lost one had taken a cancel', async () => {
    const { world, handle } = await env.start({ steps, takeover: { generation: 1, failure: lost, cancelled: true } });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'cancelled' });
    expect(world.closed?.state).toBe('cancelled');
    expect(world.violations).toEqual([]);
  });

  it('goes on with the removal of a tenant', async () => {
    const takeover = { generation: 1, failure: lost, cancelled: false };
    const { world, handle } = await env.start({ steps, type: 'deprovision', takeover });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'deleted' });
    expect(world.changes).toMatchObject([{ state: 'committing', generation: 2 }]);
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it('gets stuck like any other, and takes a retry', async () => {
    const takeover = { generation: 1, failure: lost, cancelled: false };
    const { world, handle } = await env.start({ steps, takeover, behaviors: { left: { remove: [denied] } } });
    await world.until((w) => w.changes.length === 2);
    expect(world.changes.at(-1)).toMatchObject({ state: 'stuck', generation: 2, failure: lost });
    expect(await handle.query<Progress>('progress')).toMatchObject({ state: 'stuck', leftovers: [{}, {}] });
    world.fix('left');
    await handle.signal('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'RUN_LOST' });
    expect(world.changes.at(-1)).toMatchObject({ state: 'rolling-back', generation: 3 });
    expect(world.violations).toEqual([]);
  });

  it('does nothing when the operation is closed before its claim', async () => {
    const takeover = { generation: 1, failure: lost, cancelled: false };
    const { world, handle, gates } = await env.start({ steps, takeover }, ['claim']);
    await gates.reached('claim');
    await expect(handle.executeUpdate('cancel')).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    world.closeInDatabase('superseded');
    gates.open('claim');
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'not-claimed' });
    expect(world.calls).toEqual(['claim']);
  });

  it('lets be what is closed right after its claim', async () => {
    const takeover = { generation: 1, failure: lost, cancelled: false };
    const { world, handle, gates } = await env.start({ steps, takeover }, ['state:rolling-back']);
    await gates.reached('state:rolling-back');
    world.closeInDatabase('superseded');
    gates.open('state:rolling-back');
    await handle.signal('close', { outcome: 'superseded', operationId: world.operationId });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'superseded' });
    expect([...world.living].sort()).toEqual(['leaf', 'left', 'root']);
    expect(world.violations).toEqual([]);
  });
});
