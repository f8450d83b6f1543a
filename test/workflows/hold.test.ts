import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../src/contracts/messages.ts';
import { verbOptions } from '../../src/contracts/verbs.ts';
import { durationOf, endingOf, isRefusal, until } from './ending.ts';
import { startEnvironment, type WorkflowEnvironment } from './environment.ts';
import { step } from './world.ts';

type Handle = Awaited<ReturnType<WorkflowEnvironment['start']>>['handle'];

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

const atOnce = { usualMs: 0, deadlineMs: 20 * 60_000 };
const chain = [step('a'), step('b', ['a']), step('c', ['b'], { ready: atOnce }), step('finalize', ['c'])];
const denied = { b: { ensure: [{ code: 'ACCESS_DENIED', detail: 'no ecs:CreateService' }] } } as const;

describe('a provisioning in which nothing fails', () => {
  it('makes each step after those it needs, commits, and completes as active', async () => {
    const { world, handle } = await env.start({ steps: chain, behaviors: { c: { readyAfterMs: 90_000 } } });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
    expect(world.calls.filter((c) => !c.includes('observe'))).toEqual([
      ...['claim', 'a.ensure', 'b.ensure', 'c.ensure', 'confirm', 'state:committing'],
      ...['finalize.ensure', 'close:succeeded'],
    ]);
    expect(world.violations).toEqual([]);
  });

  it('shows tenant and status in the search attributes', async () => {
    const { world, handle } = await env.start({ steps: chain });
    await handle.result();
    const { typedSearchAttributes } = await handle.describe();
    const shown = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(shown)).toMatchObject({
      TenantId: world.tenantId,
      TenantSlug: 'acme',
      Product: 'moamalat',
      Operation: 'provision',
      TenantStatus: 'active',
    });
  });

  it('exits without a trace when another run has the claim', async () => {
    const { world, handle } = await env.start({ steps: chain, claimed: false });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'not-claimed' });
    expect(world.calls).toEqual(['claim']);
  });

  it('fails with what the claim says when that is refused for good', async () => {
    const claimFault = { code: 'INTERNAL', detail: 'a defect' } as const;
    const { world, handle } = await env.start({ steps: chain, claimFault });
    expect(await endingOf(handle)).toMatchObject({
      status: 'FAILED',
      type: 'INTERNAL',
      details: { detail: 'a defect' },
    });
    expect(world.calls).toEqual(['claim']);
  });
});

describe('a step that fails for good', () => {
  it('holds, and a retry runs what failed and what follows, in the next generation', async () => {
    const { world, handle } = await env.start({ steps: chain, behaviors: denied });
    await world.untilState('holding');
    expect(await handle.query('progress')).toMatchObject({
      state: 'holding',
      steps: { a: 'ready', b: 'failed', c: 'waiting' },
      failure: { code: 'ACCESS_DENIED', stepId: 'b', detail: 'no ecs:CreateService' },
    });
    world.fix('b');
    const args: [string, string] = [world.operationId, '2999-01-01T00:00:00.000Z'];
    expect(await handle.executeUpdate('retry', { args })).toMatchObject({ state: 'holding' });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
    expect(world.changes.some((c) => c.askedInTemporal !== undefined)).toBe(false);
    expect(world.count('a.ensure')).toBe(1);
    expect(world.count('b.ensure')).toBe(2);
    expect(world.changes.map((c) => [c.state, c.generation])).toEqual([
      ...[
        ['holding', 1],
        ['running', 2],
        ['committing', 2],
      ],
    ]);
    expect(world.violations).toEqual([]);
  });

  it.each([
    ['a signal', 'retry', (h: Handle) => h.signal('retry')],
    ['an Update of other tools', 'retry', (h: Handle) => h.executeUpdate('retry')],
    ['a signal', 'cancel', (h: Handle) => h.signal('cancel')],
    ['an Update of other tools', 'cancel', (h: Handle) => h.executeUpdate('cancel')],
    ["Temporal's cancellation", 'cancel', (h: Handle) => h.cancel()],
  ])('says once, when it goes on, that %s asked for the %s in Temporal', async (_by, verb, ask) => {
    const { world, handle } = await env.start({ steps: chain, behaviors: denied });
    await world.untilState('holding');
    world.fix('b');
    await ask(handle);
    await endingOf(handle);
    const asked = world.changes.map((c) => [c.state, c.askedInTemporal]);
    expect(asked.slice(0, 2)).toEqual([
      ['holding', undefined],
      [verb === 'retry' ? 'running' : 'rolling-back', verb],
    ]);
    expect(asked.slice(2).every(([, by]) => by === undefined)).toBe(true);
  });

  it('takes everything back when the hold ends, and fails with the step’s failure', async () => {
    const { world, handle } = await env.start({ steps: chain, behaviors: denied });
    expect(await endingOf(handle)).toEqual({
      status: 'FAILED',
      type: 'ACCESS_DENIED',
      message: 'ACCESS_DENIED happened',
      details: { operationId: world.operationId, stepId: 'b', detail: 'no ecs:CreateService' },
    });
    expect(await durationOf(handle)).toBeGreaterThanOrEqual(30 * 60_000);
    expect(world.closed).toMatchObject({ state: 'rolled-back', failure: { code: 'ACCESS_DENIED' } });
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it('takes everything back at once when the request says rollback', async () => {
    const { world, handle } = await env.start({ steps: chain, behaviors: denied, onFailure: 'rollback' });
    expect(await endingOf(handle)).toMatchObject({ status: 'FAILED', type: 'ACCESS_DENIED' });
    expect(world.changes.map((c) => c.state)).toEqual(['rolling-back']);
    expect(world.calls.filter((c) => c.endsWith('.remove'))).toEqual(['b.remove', 'a.remove']);
    expect(world.violations).toEqual([]);
  });

  it('ends in its own words, with what happened as the detail', async () => {
    const failsAs = { type: 'BackendFailed', message: 'Backend service failed to start' };
    const { world, handle } = await env.start({
      steps: [step('a', [], { failsAs, ready: atOnce }), step('finalize', ['a'])],
      behaviors: { a: { failsInGenerations: [1] } },
      onFailure: 'rollback',
    });
    expect(await endingOf(handle)).toMatchObject({
      type: 'BackendFailed',
      message: 'Backend service failed to start',
      details: { stepId: 'a', detail: 'SERVICE_FAILED: SERVICE_FAILED happened: the tasks of a stop' },
    });
    expect(world.violations).toEqual([]);
  });

  it('lets a parallel ensure finish, ends a wait for readiness, and starts nothing more', async () => {
    const steps = [
      ...[step('bad'), step('making'), step('waiting', [], { ready: atOnce }), step('next', ['making'])],
      step('finalize', ['bad', 'next', 'waiting']),
    ];
    const { world, handle, gates } = await env.start(
      {
        steps,
        behaviors: { bad: { ensure: [{ code: 'QUOTA_EXCEEDED' }] }, waiting: { readyAfterMs: 'never' } },
      },
      ['making.ensure', 'bad.ensure'],
    );
    await world.until((w) => w.count('waiting.observe-ready') > 0);
    gates.open('bad.ensure');
    await until(async () => (await handle.query<Progress>('progress')).failure !== undefined);
    expect(world.state).toBe('running');
    gates.open('making.ensure');
    await world.untilState('holding');
    expect(await handle.query('progress')).toMatchObject({
      steps: { bad: 'failed', making: 'ready', waiting: 'waiting', next: 'waiting' },
    });
    expect(world.count('next.ensure')).toBe(0);
    expect(await endingOf(handle)).toMatchObject({ type: 'QUOTA_EXCEEDED' });
    expect([...world.living]).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it.each(['DATABASE_UNAVAILABLE', 'THROTTLED', 'CREDENTIALS_MISSING'] as const)(
    'is none while it is only %s, however long that takes',
    async (code) => {
      const away = [...Array.from({ length: 20 }, () => ({ code })), 'ok' as const];
      const { world, handle } = await env.start({ steps: chain, behaviors: { b: { ensure: away } } });
      expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
      expect(world.calls.filter((c) => c === 'b.ensure')).toHaveLength(21);
      expect(world.violations).toEqual([]);
    },
  );

  it.each(['DATABASE_UNAVAILABLE', 'THROTTLED', 'CREDENTIALS_MISSING'] as const)(
    'is one while it is %s when another has failed: the operation goes on without it',
    async (code) => {
      const steps = [step('bad'), step('busy'), step('finalize', ['bad', 'busy'])];
      const busy = [...Array.from({ length: 40 }, () => ({ code, effect: true })), 'ok' as const];
      const { world, handle } = await env.start({
        steps,
        behaviors: { bad: { ensure: [{ code: 'ACCESS_DENIED' }] }, busy: { ensure: busy } },
      });
      expect(await endingOf(handle)).toMatchObject({ type: 'ACCESS_DENIED', details: { stepId: 'bad' } });
      expect(world.count('busy.ensure')).toBe(verbOptions(undefined, 'ensure').maximumAttempts);
      expect(world.changes.map((c) => c.state)).toEqual(['holding', 'rolling-back']);
      expect([...world.living]).toEqual([]);
      expect(world.violations).toEqual([]);
    },
  );

  it('is given up in the pause before it is asked for anew', async () => {
    // The attempts of `busy` are used up after 182 s; `bad` is looked at first 8 s later.
    const ready = { usualMs: 190_000 / 0.6, deadlineMs: 20 * 60_000 };
    const busy = [...Array.from({ length: 40 }, () => ({ code: 'THROTTLED' as const })), 'ok' as const];
    const { world, handle } = await env.start({
      steps: [step('bad', [], { ready }), step('busy'), step('finalize', ['bad', 'busy'])],
      behaviors: { bad: { failsInGenerations: [1] }, busy: { ensure: busy } },
    });
    expect(await endingOf(handle)).toMatchObject({ type: 'SERVICE_FAILED', details: { stepId: 'bad' } });
    expect(world.count('busy.ensure')).toBe(verbOptions(undefined, 'ensure').maximumAttempts);
    expect(world.violations).toEqual([]);
  });

  it.each(['ensure', 'remove'] as const)(
    'is none while %s waits for its turn, which uses up no attempt',
    async (verb) => {
      const { maximumAttempts } = verbOptions(undefined, verb);
      const waits = Array.from({ length: 30 }, () => ({ code: 'THROTTLED' as const, retryAfterMs: 7_000 }));
      const failures = Array.from({ length: maximumAttempts - 1 }, () => ({ code: 'UNCLEAR' as const }));
      const attempts = [...waits, ...failures, 'ok' as const];
      const { world, handle } = await env.start({
        steps: chain,
        onFailure: 'rollback',
        behaviors:
          verb === 'ensure'
            ? { b: { ensure: attempts } }
            : { b: { remove: attempts }, c: { ensure: [{ code: 'QUOTA_EXCEEDED' as const }] } },
      });
      await endingOf(handle);
      expect(world.count(`b.${verb}`)).toBe(attempts.length);
      expect(world.violations).toEqual([]);
      const { history } = await handle.fetchHistory().then((h) => ({ history: h.events ?? [] }));
      const timersMs = history.flatMap((event) => {
        const started = event.timerStartedEventAttributes;
        return started ? [Number(started.startToFireTimeout?.seconds) * 1_000] : [];
      });
      // Each wait lasts until the turn, not the pause after an outage.
      expect(timersMs.filter((ms) => ms === 7_000)).toHaveLength(30);
      expect(timersMs).not.toContain(30_000);
    },
  );

  it('is tried again by Temporal while its failures are retryable', async () => {
    const { world, handle } = await env.start({
      steps: chain,
      behaviors: { b: { ensure: [{ code: 'THROTTLED' }, { code: 'AWS_UNAVAILABLE', effect: true }, 'ok'] } },
    });
    expect(await endingOf(handle)).toEqual({ status: 'COMPLETED', outcome: 'active' });
    expect(world.count('b.ensure')).toBe(3);
  });
});

describe('a deadline', () => {
  it('fails the step with the last thing seen, and not before its time', async () => {
    const { world, handle } = await env.start({
      steps: [step('a', [], { ready: { usualMs: 90_000, deadlineMs: 600_000 } }), step('finalize', ['a'])],
      behaviors: { a: { readyAfterMs: 'never' } },
      onFailure: 'rollback',
    });
    expect(await endingOf(handle)).toMatchObject({
      status: 'FAILED',
      type: 'DEADLINE_EXCEEDED',
      details: { stepId: 'a', detail: '0 of 1 tasks of a run' },
    });
    const tookMs = await durationOf(handle);
    expect(tookMs).toBeGreaterThanOrEqual(600_000);
    expect(tookMs).toBeLessThan(620_000);
    expect(world.violations).toEqual([]);
  });
});

describe('a retry', () => {
  const steps = [
    ...[step('template', [], { rereads: true }), step('service', ['template']), step('other', ['service'])],
    ...[step('aside'), step('bad', ['aside']), step('finalize', ['other', 'bad'])],
  ];
  const bad = { ensure: [{ code: 'ACCESS_DENIED' }, 'ok'] } as const;

  it('runs a step that rereads again, but not those behind it when its outputs are the same', async () => {
    const { world, handle, gates } = await env.start({ steps, behaviors: { bad } }, ['bad.ensure']);
    await world.until((w) => w.living.has('other'));
    gates.open('bad.ensure');
    await world.untilState('holding');
    await handle.signal('retry');
    expect(await endingOf(handle)).toMatchObject({ outcome: 'active' });
    expect(['template', 'service', 'other', 'aside'].map((id) => world.count(`${id}.ensure`))).toEqual([2, 1, 1, 1]);
    expect(world.violations).toEqual([]);
  });

  it('runs those behind it too, all the way, when its outputs changed', async () => {
    const behaviors = { bad, template: { outputs: ['revision 1', 'revision 2'] } };
    const { world, handle, gates } = await env.start({ steps, behaviors }, ['bad.ensure']);
    await world.until((w) => w.living.has('other'));
    gates.open('bad.ensure');
    await world.untilState('holding');
    await handle.signal('retry');
    expect(await endingOf(handle)).toMatchObject({ outcome: 'active' });
    expect(['template', 'service', 'other', 'aside'].map((id) => world.count(`${id}.ensure`))).toEqual([2, 2, 2, 1]);
  });

  it('that comes early is dropped as a signal and refused as an Update', async () => {
    const { world, handle, gates } = await env.start({ steps: chain, behaviors: denied }, ['a.ensure']);
    await gates.reached('a.ensure');
    await handle.signal('retry');
    await expect(handle.executeUpdate('retry')).rejects.toSatisfy(isRefusal('NOTHING_TO_RETRY'));
    gates.open('a.ensure');
    await world.untilState('holding');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(world.state).toBe('holding');
    expect(await endingOf(handle)).toMatchObject({ type: 'ACCESS_DENIED' });
    expect(world.count('b.ensure')).toBe(1);
  });

  it('that carries another operation’s id does nothing', async () => {
    const { world, handle } = await env.start({ steps: chain, behaviors: denied });
    await world.untilState('holding');
    await handle.signal('retry', 'an-earlier-operation');
    await expect(handle.executeUpdate('retry', { args: ['an-earlier-operation'] })).rejects.toSatisfy(
      isRefusal('NOTHING_TO_RETRY'),
    );
    expect(await endingOf(handle)).toMatchObject({ type: 'ACCESS_DENIED' });
    expect(world.count('b.ensure')).toBe(1);
  });
});
