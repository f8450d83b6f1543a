import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { durationOf, endingOf, eventsOf, isRefusal, until } from './ending.ts';
import { startEnvironment, type Started, type WorkflowEnvironment } from './environment.ts';
import { step, type WorldOptions } from './world.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const days = (n: number) => n * 86_400_000;
const steps = [step('root'), step('leaf', ['root']), step('finalize', ['leaf'])];
const deletion: WorldOptions = { steps, type: 'deprovision', graceMs: days(7) };
const lost = { code: 'RUN_LOST', message: 'the run was lost' };
const untilWaiting = ({ handle }: Started) => until(async () => (await eventsOf(handle)).includes('TIMER_STARTED'));

describe('a deletion with a grace period', () => {
  it('removes nothing before its end, and then everything', async () => {
    const { world, handle } = await env.start(deletion);
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'deleted' });
    expect(await durationOf(handle)).toBeGreaterThanOrEqual(days(7));
    expect(world.calls).toEqual(['claim', 'state:committing', 'leaf.remove', 'root.remove', 'close:succeeded']);
    expect(world.violations).toEqual([]);
  });

  it('whose end has come before its run could begin does not wait', async () => {
    const { world, handle } = await env.start({ ...deletion, graceMs: -days(1) });
    expect(await endingOf(handle)).toMatchObject({ outcome: 'deleted' });
    expect(await eventsOf(handle)).not.toContain('TIMER_STARTED');
    expect(world.violations).toEqual([]);
  });

  it.each([
    ['an Update', ({ handle, world }: Started) => handle.executeUpdate('cancel', { args: [world.operationId] })],
    ['a signal', ({ handle }: Started) => handle.signal('cancel')],
    ["Temporal's own cancellation", ({ handle }: Started) => handle.cancel()],
  ])('ends by %s with the tenant as it was', async (way, cancel) => {
    const started = await env.start(deletion);
    await untilWaiting(started);
    await cancel(started);
    const { world, handle } = started;
    const ending = await endingOf(handle);
    if (way.startsWith('Temporal')) expect(ending.status).toBe('CANCELLED');
    else expect(ending).toMatchObject({ status: 'COMPLETED', outcome: 'cancelled' });
    expect(world.calls).toEqual(['claim', 'close:cancelled']);
    expect(world.tenantStatus).toBe('active');
    expect(world.living.size).toBe(2);
    expect(await durationOf(handle)).toBeLessThan(days(7));
    expect(world.violations).toEqual([]);
  });

  it.each(['cancelled', 'abandoned', 'superseded'] as const)(
    'that the database has as %s ends as soon as it is told, and at its end when it is not',
    async (outcome) => {
      const told = await env.start(deletion);
      await untilWaiting(told);
      told.world.closeInDatabase(outcome);
      await told.handle.signal('close', { outcome, operationId: told.world.operationId });
      expect(await endingOf(told.handle)).toMatchObject({ status: 'COMPLETED', outcome });
      expect(await durationOf(told.handle)).toBeLessThan(days(7));
      const untold = await env.start(deletion);
      await untilWaiting(untold);
      untold.world.closeInDatabase(outcome);
      expect(await endingOf(untold.handle)).toMatchObject({ status: 'COMPLETED', outcome });
      expect([told, untold].map(({ world }) => world.calls)).toEqual([['claim'], ['claim', 'state:committing']]);
      expect(untold.world.living.size).toBe(2);
    },
  );

  it('takes no cancel once it is over', async () => {
    const { world, handle, gates } = await env.start({ ...deletion, graceMs: 2_000 }, ['leaf.remove']);
    const ended = endingOf(handle);
    await gates.reached('leaf.remove');
    await expect(handle.executeUpdate('cancel')).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    await handle.signal('cancel');
    gates.open('leaf.remove');
    expect(await ended).toMatchObject({ outcome: 'deleted' });
    expect(world.violations).toEqual([]);
  });

  it('without a grace period takes no cancel before its first removal either', async () => {
    const { world, handle, gates } = await env.start({ steps, type: 'deprovision' }, ['claim']);
    await gates.reached('claim');
    await expect(handle.executeUpdate('cancel')).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    gates.open('claim');
    expect(await endingOf(handle)).toMatchObject({ outcome: 'deleted' });
    expect(await eventsOf(handle)).not.toContain('TIMER_STARTED');
    expect(world.violations).toEqual([]);
  });
});

describe('a run that takes over from one that was lost in its grace period', () => {
  it('waits for the end of it, and then removes everything', async () => {
    const takeover = { generation: 1, failure: lost, cancelled: false };
    const { world, handle } = await env.start({ ...deletion, takeover });
    expect(await endingOf(handle)).toMatchObject({ outcome: 'deleted' });
    expect(world.changes).toMatchObject([{ state: 'running', generation: 2 }, { state: 'committing' }]);
    expect(await durationOf(handle)).toBeGreaterThanOrEqual(days(7));
    expect(world.violations).toEqual([]);
  });

  it('leaves the tenant as it was when the lost one had taken a cancel', async () => {
    const takeover = { generation: 1, failure: lost, cancelled: true };
    const { world, handle } = await env.start({ ...deletion, takeover });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'cancelled' });
    expect(world.calls).toEqual(['claim', 'state:running', 'close:cancelled']);
    expect(world.tenantStatus).toBe('active');
    expect(world.violations).toEqual([]);
  });
});
