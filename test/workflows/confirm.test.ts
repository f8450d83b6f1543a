import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../src/contracts/messages.ts';
import { endingOf } from './ending.ts';
import { startEnvironment, type WorkflowEnvironment } from './environment.ts';
import { step } from './world.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const chain = [step('a'), step('b', ['a']), step('finalize', ['b'])];

describe('the look before the commit', () => {
  it('waits for what was ready to be so again, and looks at that alone', async () => {
    const { world, handle } = await env.start({ steps: chain, behaviors: { a: { lostFor: 3 } } });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls.filter((c) => c === 'confirm')).toHaveLength(4);
    expect(world.calls.filter((c) => c.endsWith('.ensure'))).toEqual(['a.ensure', 'b.ensure', 'finalize.ensure']);
    expect(world.violations).toEqual([]);
  });

  it('holds an operation of which something is lost for good; a retry makes that again, and it alone', async () => {
    const failsAs = { type: 'BackendFailed', message: 'Backend service failed to start' };
    const steps = [step('a', [], { failsAs }), step('b', ['a']), step('finalize', ['b'])];
    let failure: Progress['failure'];
    const started: { run?: WorkflowHandle } = {};
    const { world, handle } = await env.start({
      steps,
      behaviors: { a: { lostFor: 1_000 } },
      // The server's time goes on only while somebody waits for the end: an operator comes as soon as it is held.
      onState: async (w, state) => {
        if (state !== 'holding') return;
        failure = w.changes.at(-1)?.failure;
        w.fix('a');
        await started.run?.signal('retry');
      },
    });
    started.run = handle;
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls.filter((c) => c.endsWith('.ensure'))).toEqual([
      ...['a.ensure', 'b.ensure', 'a.ensure', 'finalize.ensure'],
    ]);
    expect(failure).toMatchObject({ code: 'BackendFailed', stepId: 'a' });
    expect(failure?.detail).toContain('READINESS_LOST: step "a" was ready and is not any more: nothing of a is there');
    expect(world.violations).toEqual([]);
  });

  it('ends at once with a cancel, before the commit', async () => {
    const { world, handle } = await env.start({ steps: chain, behaviors: { b: { lostFor: 1_000 } } });
    await world.until((w) => w.count('confirm') >= 2);
    await handle.executeUpdate('cancel');
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'cancelled' });
    expect(world.count('state:committing')).toBe(0);
    expect(world.living.size).toBe(0);
    expect(world.violations).toEqual([]);
  });
});
