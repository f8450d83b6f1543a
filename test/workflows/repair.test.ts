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

const denied = { code: 'ACCESS_DENIED', detail: 'no rights' } as const;
/** All that is applied is brought back; a rule that an abandoned update left goes. */
const steps = [
  step('root', [], { becomes: 'change' }),
  step('definition', ['root'], { becomes: 'change' }),
  step('service', ['definition'], { becomes: 'change' }),
  step('finalize', ['service'], { becomes: 'keep' }),
  step('rule', ['root'], { becomes: 'drop' }),
];
const repair = { steps, applied: ['root', 'definition', 'service', 'finalize'], type: 'repair' } as const;

describe('a repair', () => {
  it('brings every step back in order, waits until each is ready, and drops what is not applied', async () => {
    const { world, handle } = await env.start({ ...repair, behaviors: { service: { readyAfterMs: 30_000 } } });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect([...new Set(world.calls)]).toEqual([
      ...['claim', 'state:committing', 'root.restore', 'definition.restore', 'service.restore'],
      ...['service.observe-restored', 'rule.remove', 'close:succeeded'],
    ]);
    expect([...world.living].sort()).toEqual(['definition', 'finalize', 'root', 'service']);
    expect(world.tenantStatus).toBe('active');
    expect(world.violations).toEqual([]);
  });

  it('that cannot bring a step back gets stuck without touching what needs it, and a retry brings back only what is left', async () => {
    const { world, handle } = await env.start({ ...repair, behaviors: { definition: { restore: [denied] } } });
    await world.untilState('stuck');
    expect(world.calls.filter((call) => !call.startsWith('state:'))).toEqual([
      ...['claim', 'root.restore', 'definition.restore', 'leftovers'],
    ]);
    expect(await handle.query<Progress>('progress')).toMatchObject({
      state: 'stuck',
      steps: { root: 'restored', definition: 'restore-failed', service: 'waiting' },
    });
    await expect(handle.executeUpdate('cancel')).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    world.fix('definition');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(world.count('root.restore')).toBe(1);
    expect(world.count('definition.restore')).toBe(2);
    expect(world.changes.at(-1)).toMatchObject({ state: 'committing', generation: 2 });
    expect(world.violations).toEqual([]);
  });

  it('that is closed in the database while it is stuck ends so', async () => {
    const { world, handle } = await env.start({ ...repair, behaviors: { root: { restore: [denied] } } });
    await world.untilState('stuck');
    world.closeInDatabase('abandoned');
    await handle.signal('close', { outcome: 'abandoned', operationId: world.operationId });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'abandoned' });
  });

  it('whose commit is refused has changed nothing and is over', async () => {
    const { world, handle } = await env.start({ ...repair, refuses: ['committing'] });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'not-claimed' });
    expect(world.calls).toEqual(['claim', 'state:committing']);
  });

  it('whose run was lost brings everything back in the run that takes over', async () => {
    const failure = { code: 'RUN_LOST', message: 'the run was lost' };
    const takeover = { generation: 1, failure, cancelled: false, removesIn: 'committing' } as const;
    const { world, handle } = await env.start({ ...repair, takeover });
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls).toEqual([
      ...['claim', 'state:committing', 'root.restore', 'definition.restore', 'service.restore', 'rule.remove'],
      'close:succeeded',
    ]);
    expect(world.violations).toEqual([]);
  });
});
