import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { afterWithLast, allSteps, before, walked } from '../support/move.ts';
import { endingOf } from './ending.ts';
import { startEnvironment, type WorkflowEnvironment } from './environment.ts';
import type { World } from './world.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const own = afterWithLast;
const applied = before.map(({ id }) => id);
const { steps } = walked({ held: ['mark', 'meta', 'rows'], own });
const move = { steps, applied, type: 'migrate', onFailure: 'hold' } as const;
const denied = { code: 'ACCESS_DENIED', detail: 'no rights' } as const;
const exhausted = { code: 'QUOTA_EXCEEDED' } as const;
const lost = { code: 'RUN_LOST', message: 'the run was lost' } as const;

function expectAsBefore(world: World): void {
  expect([...world.living].sort()).toEqual([...applied].sort());
  expect(world.tenantStatus).toBe('active');
  expect(world.violations).toEqual([]);
}

function expectMoved(world: World): void {
  expect([...world.living].sort()).toEqual(['finalize', 'mark', 'meta', 'table']);
  expect(world.closed?.state).toBe('succeeded');
  expect(world.violations).toEqual([]);
}

/** The calls from the making of the last step on. */
function fromLast({ calls }: World): readonly string[] {
  return calls.slice(calls.indexOf('close.ensure'));
}

/** Starts it with a retry as soon as it is held: the server's time goes on only while somebody waits for the end. */
async function startRetried(options: Parameters<WorkflowEnvironment['start']>[0], fixed: string) {
  const started: { run?: WorkflowHandle } = {};
  const { world, handle } = await env.start({
    ...options,
    onState: async (w, state) => {
      if (state !== 'holding') return;
      w.fix(fixed);
      await started.run?.signal('retry');
    },
  });
  started.run = handle;
  return { world, ending: await endingOf(handle) };
}

describe('a step that is the last', () => {
  it('is made after the look before the commit, which follows at once', async () => {
    const { world, handle } = await env.start(move);
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    const look = world.calls.indexOf('confirm');
    expect(world.calls.slice(look, look + 4)).toEqual(['confirm', 'close.ensure', 'state:committing', 'close.remove']);
    expectMoved(world);
  });

  it('is not made while the look finds something not ready, nor while that is held; a retry looks anew', async () => {
    const { world, ending } = await startRetried({ ...move, behaviors: { mark: { lostFor: 1_000 } } }, 'mark');
    expect(ending).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls.indexOf('close.ensure')).toBeGreaterThan(world.calls.indexOf('state:holding'));
    expect(world.count('close.ensure')).toBe(1);
    expectMoved(world);
  });

  it('that fails is taken back before it is held; a retry looks at all else anew and makes it again', async () => {
    const { world, ending } = await startRetried(
      { ...move, behaviors: { close: { ensure: [{ ...exhausted, effect: true }] } } },
      'close',
    );
    expect(ending).toMatchObject({ status: 'COMPLETED', outcome: 'active' });
    expect(fromLast(world).slice(0, 7)).toEqual([
      ...['close.ensure', 'close.remove', 'state:holding', 'state:running', 'confirm', 'close.ensure'],
      'state:committing',
    ]);
    expectMoved(world);
  });

  it('that is not ready in time is taken back before it is held', async () => {
    const { world, handle } = await env.start({ ...move, behaviors: { close: { readyAfterMs: 'never' } } });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'DEADLINE_EXCEEDED' });
    const rest = fromLast(world).filter((call) => !call.includes('observe'));
    expect(rest.slice(0, 3)).toEqual(['close.ensure', 'close.remove', 'state:holding']);
    expect(world.count('close.remove')).toBe(1);
    expectAsBefore(world);
  });

  it('that cannot be taken back is not held: all goes back, and it first', async () => {
    const behaviors = { close: { ensure: [{ ...exhausted, effect: true }], remove: [denied] } } as const;
    const { world, handle } = await env.start({ ...move, behaviors });
    await world.untilState('stuck');
    expect(world.count('state:holding')).toBe(0);
    expect(world.calls.filter((call) => call.endsWith('.restore'))).toEqual([]);
    world.fix('close');
    await handle.executeUpdate('retry');
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'QUOTA_EXCEEDED' });
    expectAsBefore(world);
  });

  it('is the first to go when the database refuses the commit', async () => {
    const { world, handle } = await env.start({ ...move, refuses: ['committing'] });
    expect(await endingOf(handle)).toMatchObject({ outcome: 'cancelled' });
    const rest = fromLast(world);
    expect(rest.slice(rest.indexOf('state:rolling-back')).slice(0, 2)).toEqual(['state:rolling-back', 'close.remove']);
    expect(world.count('state:holding')).toBe(0);
    expectAsBefore(world);
  });

  it.each(['confirm', 'close.ensure'])('goes back at once with a cancel at %s', async (call) => {
    const { world, handle, gates } = await env.start(move, [call]);
    await gates.reached(call);
    await handle.executeUpdate('cancel');
    gates.open(call);
    expect(await endingOf(handle)).toMatchObject({ status: 'COMPLETED', outcome: 'cancelled' });
    const isMade = call === 'close.ensure';
    expect(fromLast(world).slice(0, isMade ? 3 : 0)).toEqual(
      isMade ? ['close.ensure', 'close.remove', 'state:rolling-back'] : [],
    );
    expect(world.count('close.ensure')).toBe(isMade ? 1 : 0);
    expectAsBefore(world);
  });

  it('whose effect lands late is taken back until none can land, and only then held', async () => {
    const behaviors = { close: { ensure: [{ code: 'INVALID_REQUEST', landsAfterMs: 20_000 }] } } as const;
    const { world, handle } = await env.start({ ...move, behaviors });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'INVALID_REQUEST' });
    expect(world.calls.indexOf('state:holding')).toBeGreaterThan(world.calls.lastIndexOf('close.remove'));
    expectAsBefore(world);
  });

  it('is the first to go where the run was lost before its commit', async () => {
    const back = walked({ held: [...allSteps, 'close'], direction: 'back', own });
    const takeover = { generation: 1, failure: lost, removesIn: 'rolling-back', cancelled: false } as const;
    const { world, handle } = await env.start({ ...move, steps: back.steps, takeover });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'RUN_LOST' });
    expect(world.calls.find((call) => /\.(remove|restore)$/.test(call))).toBe('close.remove');
    expectAsBefore(world);
  });
});
