import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endingOf, eventsOf, isRefusal, until } from './ending.ts';
import { startEnvironment, type Started, type WorkflowEnvironment } from './environment.ts';
import { step, type World, type WorldOptions } from './world.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const atOnce = { usualMs: 0, deadlineMs: 20 * 60_000 };
const chain = [step('a'), step('b', ['a'], { ready: atOnce }), step('c', ['b']), step('finalize', ['c'])];
const denied = { b: { ensure: [{ code: 'ACCESS_DENIED' }] } } as const;

/** The three ways to say cancel, and how the workflow closes after each. */
const ways = {
  update: {
    cancel: ({ handle, world }: Started) => handle.executeUpdate('cancel', { args: [world.operationId] }),
    status: 'COMPLETED',
  },
  signal: { cancel: ({ handle }: Started) => handle.signal('cancel'), status: 'COMPLETED' },
  temporal: { cancel: ({ handle }: Started) => handle.cancel(), status: 'CANCELLED' },
} as const;

/** The phases in which cancel applies: how to get there, and what lets the run go on. */
const phases: Record<
  string,
  { options: WorldOptions; gated: string[]; there: (s: Started) => Promise<void>; on: (s: Started) => void }
> = {
  'before the claim is answered': {
    options: { steps: chain },
    gated: ['claim'],
    there: ({ gates }) => gates.reached('claim'),
    on: ({ gates }) => gates.open('claim'),
  },
  'while ensuring': {
    options: { steps: chain },
    gated: ['b.ensure'],
    there: ({ gates }) => gates.reached('b.ensure'),
    on: ({ gates }) => gates.open('b.ensure'),
  },
  'while a slice looks': {
    options: { steps: chain, behaviors: { b: { readyAfterMs: 'never' } } },
    gated: ['b.observe-ready'],
    there: ({ gates }) => gates.reached('b.observe-ready'),
    on: ({ gates }) => gates.open('b.observe-ready'),
  },
  'between two slices': {
    options: { steps: chain, behaviors: { b: { readyAfterMs: 'never' } } },
    gated: [],
    there: ({ handle }) => until(async () => (await eventsOf(handle)).some((e) => e === 'TIMER_STARTED')),
    on: () => undefined,
  },
  'while holding': {
    options: { steps: chain, behaviors: denied },
    gated: [],
    there: ({ world }) => world.untilState('holding'),
    on: () => undefined,
  },
};

describe.each(Object.entries(ways))('cancel by %s', (name, way) => {
  it.each(Object.entries(phases))('%s takes everything back', async (_phase, { options, gated, there, on }) => {
    const started = await env.start(options, gated);
    await there(started);
    await way.cancel(started);
    if (name !== 'update') await new Promise((resolve) => setTimeout(resolve, 100)); // signals are not answered
    on(started);
    const ending = await endingOf(started.handle);
    expect(ending).toMatchObject({ status: way.status });
    if (name !== 'temporal') expect(ending.outcome).toBe('cancelled');
    expect(started.world.closed?.state).toBe('cancelled');
    expectGone(started.world);
    expect(started.world.count('c.ensure')).toBe(0);
  });

  it.each([
    ['while committing', 'finalize.ensure', { steps: chain }, 'COMPLETED'],
    ['while rolling back', 'a.remove', { steps: chain, behaviors: denied, onFailure: 'rollback' }, 'FAILED'],
  ] as const)('%s changes nothing', async (_phase, gate, options, status) => {
    const started = await env.start(options, [gate]);
    await started.gates.reached(gate);
    if (name === 'update') await expect(way.cancel(started)).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    else await way.cancel(started);
    started.gates.open(gate);
    expect(await endingOf(started.handle)).toMatchObject({ status });
    expect(started.world.closed?.state).toBe(status === 'FAILED' ? 'rolled-back' : 'succeeded');
    expect(started.world.violations).toEqual([]);
  });
});

describe('a cancel', () => {
  it('is refused from the moment the commit is asked of the database', async () => {
    const { world, handle, gates } = await env.start({ steps: chain }, ['state:committing']);
    await gates.reached('state:committing');
    await expect(handle.executeUpdate('cancel')).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    gates.open('state:committing');
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
    expect(world.violations).toEqual([]);
  });

  it('with an earlier operation’s id is ignored as a signal and refused as an Update', async () => {
    const { world, handle, gates } = await env.start({ steps: chain }, ['b.ensure']);
    await gates.reached('b.ensure');
    await handle.signal('cancel', 'an-earlier-operation');
    const late = handle.executeUpdate('cancel', { args: ['an-earlier-operation'] });
    await expect(late).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    gates.open('b.ensure');
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
    expect(world.violations).toEqual([]);
  });

  it('while stuck is refused', async () => {
    const { world, handle } = await env.start({
      steps: chain,
      behaviors: { ...denied, a: { remove: [{ code: 'ACCESS_DENIED' }] } },
      onFailure: 'rollback',
    });
    await world.untilState('stuck');
    await expect(handle.executeUpdate('cancel')).rejects.toSatisfy(isRefusal('NOT_CANCELLABLE'));
    await handle.cancel();
    world.fix('a');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'ACCESS_DENIED' });
    expectGone(world);
  });

  it('in the database makes the commit refused, and everything is taken back', async () => {
    const { world, handle } = await env.start({ steps: chain, refuses: ['committing'] });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'cancelled' });
    expect(world.count('finalize.ensure')).toBe(0);
    expectGone(world);
  });

  it('ends an ensure between two attempts at once', async () => {
    const unavailable = { ensure: [{ code: 'AWS_UNAVAILABLE', effect: true }] } as const;
    const { world, handle } = await env.start({ steps: chain, behaviors: { b: unavailable } });
    await world.until((w) => w.living.has('b'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await handle.executeUpdate('cancel');
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'cancelled' });
    expect(world.count('b.ensure')).toBe(1);
    expectGone(world);
  });
});

describe('a commit', () => {
  it('that is refused for good is rolled back without a hold', async () => {
    const { world, handle } = await env.start({
      steps: chain,
      behaviors: { finalize: { ensure: [{ code: 'INVALID_REQUEST' }] } },
    });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'INVALID_REQUEST' });
    expect(world.changes.map((c) => c.state)).toEqual(['committing', 'rolling-back']);
    expectGone(world);
  });

  it('without a clear answer is asked again for as long as it takes', async () => {
    const unclear = { code: 'UNCLEAR' } as const;
    const { world, handle } = await env.start({
      steps: chain,
      behaviors: { finalize: { ensure: [...Array.from({ length: 10 }, () => unclear), 'ok'] } },
    });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
    expect(world.count('finalize.ensure')).toBe(11);
    expect(world.violations).toEqual([]);
  });
});

function expectGone(world: World): void {
  expect([...world.living]).toEqual([]);
  expect(world.violations).toEqual([]);
}
