import { beforeEach, describe, expect, it, vi } from 'vitest';
import { StepError } from '../../src/contracts/step-error.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { listLedger } from '../../src/db/ledger.ts';
import { recordIntent } from '../../src/db/step-making.ts';
import { listSteps } from '../../src/db/steps.ts';
import { contentHash } from '../../src/naming.ts';
import { useControlDatabase } from '../support/database.ts';
import { readStatus } from '../../src/client/reading.ts';
import { listResidues } from '../../testing/sagas/residues.ts';
import { accept, cell, seedTenant, setRunning, smallSteps, type Seeded } from '../db/fixtures.ts';
import { activityBench, FakeKind } from './bench.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

let fake: FakeKind;
let run: ReturnType<typeof activityBench>;
let tenant: Seeded;
beforeEach(async () => {
  fake = new FakeKind();
  run = activityBench(db, fake);
  tenant = await seedTenant(db);
  await setRunning(db, tenant);
});

/** The step `logs` of another kind: one that lasts, and holds data. */
const schemaSteps = (slug: string): Step[] => [
  {
    id: 'logs',
    kind: 'postgres-schema',
    needs: [],
    spec: { database: 'primary', migrations: 'moamalat', connectionLimit: 5 },
  },
  ...smallSteps(slug).slice(1),
];
const call = (stepId = 'logs', generation = 1) => ({ operationId: tenant.operationId, stepId, generation });
const nameOf = () => `/ecs/moamalat-${tenant.slug}-backend`;
const stepOf = async (stepId = 'logs') => (await listSteps(db, tenant.tenantId)).find((s) => s.stepId === stepId);
const stepEvents = async () =>
  (await listEvents(db, tenant.tenantId)).map((e) => e.type).filter((type) => type.startsWith('step.'));
const setState = (state: string) =>
  db.query('update operations set state = $2 where id = $1', [tenant.operationId, state]);

describe('the look before the commit', () => {
  const confirm = () =>
    run<'confirmReady'>('confirmReady', { operationId: tenant.operationId, generation: 1, stepIds: ['logs'] });

  it('names what is not ready any more, and changes nothing', async () => {
    await run('log-group.ensure', call());
    expect(await confirm()).toEqual({ notReady: [] });
    fake.made.clear();
    expect(await confirm()).toEqual({ notReady: [{ stepId: 'logs', detail: 'absent: it is not there' }] });
    expect(fake.calls.filter((verb) => verb !== 'observe')).toEqual(['ensure']);
    expect(await stepOf()).toMatchObject({ state: 'ready' });
  });

  it('tells of what it waits for, once, with what was seen, and of its being ready again', async () => {
    await run('log-group.ensure', call());
    fake.made.clear();
    await confirm();
    await confirm();
    const status = () => readStatus({ database: db, catalog: defaultCatalog }, tenant.tenantId);
    const detail = 'absent: it is not there';
    const { awaited, ...waiting } = await status();
    expect(awaited).toMatchObject([{ stepId: 'logs', detail }]);
    expect(Date.now() - Date.parse(awaited?.[0]?.since ?? '')).toBeLessThan(60_000);
    expect(waiting).toMatchObject({ currentSteps: ['logs'], stepsDone: [] });
    fake.made.add(nameOf());
    await confirm();
    await confirm();
    expect(await stepEvents()).toEqual(['step.started', 'step.ready', 'step.pending', 'step.ready']);
    expect(await status()).not.toHaveProperty('awaited');
    expect(await status()).toMatchObject({ currentSteps: [], stepsDone: ['logs'] });
  });

  it('takes what cannot be looked at for not ready, and says why, and whether waiting may help', async () => {
    await run('log-group.ensure', call());
    const looks = vi.spyOn(fake, 'observe');
    looks.mockRejectedValueOnce(new StepError('AWS_UNAVAILABLE', 'a server error'));
    expect(await confirm()).toEqual({
      notReady: [{ stepId: 'logs', detail: 'it could not be looked at: AWS_UNAVAILABLE: a server error' }],
    });
    looks.mockRejectedValueOnce(new StepError('ACCESS_DENIED', 'no logs:DescribeLogGroups'));
    expect(await confirm()).toMatchObject({
      notReady: [{ stepId: 'logs', failure: { code: 'ACCESS_DENIED', message: 'no logs:DescribeLogGroups' } }],
    });
    looks.mockResolvedValueOnce({ status: 'failed', detail: 'its tasks stop' });
    expect(await confirm()).toMatchObject({
      notReady: [{ failure: { code: 'SERVICE_FAILED', detail: 'its tasks stop' } }],
    });
  });
});

describe('ensure', () => {
  it('stores what it is about to make before it makes it', async () => {
    let before: unknown;
    fake.beforeEffect = async () => {
      before = {
        step: (await stepOf())?.state,
        rows: (await listLedger(db, tenant.tenantId)).map((r) => [r.name, r.state]),
      };
    };
    await run('log-group.ensure', call());
    expect(before).toEqual({ step: 'intended', rows: [[nameOf(), 'intended']] });
    expect(await stepOf()).toMatchObject({ state: 'ready', outputs: { name: nameOf() }, unclearUntil: null });
    expect(await listLedger(db, tenant.tenantId)).toMatchObject([{ state: 'ready', physicalId: `arn:${nameOf()}` }]);
    expect(await stepEvents()).toEqual(['step.started', 'step.ready']);
  });

  it('does nothing when the step is ready and its inputs are unchanged, and says so once per generation', async () => {
    const first = await run('log-group.ensure', call());
    expect(await run('log-group.ensure', call())).toEqual(first);
    const retried = await run('log-group.ensure', call('logs', 2));
    await run('log-group.ensure', call('logs', 2));
    expect(retried.outputsHash).toBe(first.outputsHash);
    expect(fake.calls.filter((verb) => verb !== 'observe')).toEqual(['ensure']);
    expect(await stepEvents()).toEqual(['step.started', 'step.ready', 'step.skipped']);
  });

  it('makes what a retry finds missing though the step was ready', async () => {
    await run('log-group.ensure', call());
    fake.made.clear();
    await run('log-group.ensure', call('logs', 2));
    expect(fake.calls).toEqual(['ensure', 'observe', 'ensure']);
    expect(fake.made).toEqual(new Set([nameOf()]));
    expect(await stepOf()).toMatchObject({ state: 'ready', generation: 2 });
  });

  it('runs again when what it reads outside the blueprint has changed', async () => {
    await run('log-group.ensure', call());
    fake.print = 'b';
    await run('log-group.ensure', call('logs', 2));
    expect(fake.calls).toEqual(['ensure', 'ensure']);
  });

  it('keeps its window open when it died between the call and the result, and a definite attempt does not close it', async () => {
    fake.afterEffect = () => Promise.reject(new StepError('UNCLEAR', 'no answer came'));
    await expect(run('log-group.ensure', call())).rejects.toMatchObject({ type: 'UNCLEAR', nonRetryable: false });
    const unclear = (await stepOf())?.unclearUntil;
    expect(unclear?.getTime()).toBeGreaterThan(Date.now() + 35_000);
    fake.afterEffect = () => Promise.resolve();
    await run('log-group.ensure', call(), 2);
    expect(await stepOf()).toMatchObject({ state: 'ready', unclearUntil: unclear });
    expect(await stepEvents()).toEqual(['step.started', 'step.ready']);
  });

  it('opens no window by an attempt that sent nothing: only a change can land late', async () => {
    fake.beforeEffect = () => Promise.reject(new StepError('AWS_UNAVAILABLE', 'a look got no answer'));
    await expect(run('log-group.ensure', call())).rejects.toMatchObject({ type: 'AWS_UNAVAILABLE' });
    expect((await stepOf())?.unclearUntil).toBeNull();
    // Nor does it close one that an earlier attempt left open.
    fake.beforeEffect = () => Promise.resolve();
    fake.afterEffect = () => Promise.reject(new StepError('UNCLEAR', 'no answer came'));
    await expect(run('log-group.ensure', call(), 2)).rejects.toMatchObject({ type: 'UNCLEAR' });
    const unclear = (await stepOf())?.unclearUntil;
    fake.beforeEffect = () => Promise.reject(new StepError('AWS_UNAVAILABLE', 'a look got no answer'));
    await expect(run('log-group.ensure', call(), 3)).rejects.toMatchObject({ type: 'AWS_UNAVAILABLE' });
    expect((await stepOf())?.unclearUntil).toEqual(unclear);
  });

  it('changes and records nothing once its own time is over: another attempt has taken its place', async () => {
    const late = vi.spyOn(Date, 'now');
    fake.beforeEffect = async () => {
      const { performance } = globalThis;
      const base = performance.timeOrigin + performance.now();
      late.mockImplementation(() => base + 9_000);
    };
    await expect(run('log-group.ensure', call())).rejects.toMatchObject({ type: 'UNCLEAR', nonRetryable: false });
    expect([...fake.made]).toEqual([]);
    late.mockRestore();
    fake.beforeEffect = () => Promise.resolve();
    fake.afterEffect = async () => {
      const base = Date.now();
      vi.spyOn(Date, 'now').mockImplementation(() => base + 10_500);
    };
    await expect(run('log-group.ensure', call(), 2)).rejects.toMatchObject({ type: 'UNCLEAR' });
    vi.restoreAllMocks();
    expect([...fake.made]).toEqual([nameOf()]);
    expect((await stepOf())?.state).toBe('intended');
    expect((await stepOf())?.unclearUntil).not.toBeNull();
  });

  it('counts the window of a kind that lasts from its last change', async () => {
    tenant = await seedTenant(db, { steps: schemaSteps });
    await setRunning(db, tenant);
    let first: number | undefined;
    fake.beforeEffect = async () => {
      first = (await stepOf())?.unclearUntil?.getTime();
      await new Promise((resolve) => setTimeout(resolve, 500));
    };
    fake.afterEffect = () => Promise.reject(new StepError('UNCLEAR', 'no answer came'));
    await expect(run('postgres-schema.ensure', call())).rejects.toMatchObject({ type: 'UNCLEAR' });
    expect((await stepOf())?.unclearUntil?.getTime()).toBeGreaterThanOrEqual(first! + 500);
    // And takes the extended one back when all is well.
    await db.query('update steps set unclear_until = null where tenant_id = $1', [tenant.tenantId]);
    fake.afterEffect = () => Promise.resolve();
    await run('postgres-schema.ensure', call(), 2);
    expect(await stepOf()).toMatchObject({ state: 'ready', unclearUntil: null });
  });

  it('takes its own window back after a definite failure, and records the failure', async () => {
    fake.beforeEffect = () => Promise.reject(new StepError('QUOTA_EXCEEDED', 'no room', { detail: 'limit 5' }));
    await expect(run('log-group.ensure', call())).rejects.toMatchObject({
      type: 'QUOTA_EXCEEDED',
      nonRetryable: true,
      details: [{ stepId: 'logs', code: 'QUOTA_EXCEEDED', detail: 'limit 5' }],
    });
    expect(await stepOf()).toMatchObject({
      state: 'intended',
      unclearUntil: null,
      failure: { code: 'QUOTA_EXCEEDED' },
    });
    expect(await stepEvents()).toEqual(['step.started', 'step.failed']);
  });

  it('records a failure that could pass only with its last attempt', async () => {
    // Throttling ends no step: the executor gives the attempts anew.
    fake.beforeEffect = () => Promise.reject(new StepError('THROTTLED', 'slow down'));
    await expect(run('log-group.ensure', call(), 8)).rejects.toMatchObject({ type: 'THROTTLED', nonRetryable: false });
    fake.beforeEffect = () => Promise.reject(new StepError('CONFLICT_RETRYABLE', 'it drains'));
    await expect(run('log-group.ensure', call(), 7)).rejects.toThrow('it drains');
    expect(await stepEvents()).toEqual(['step.started']);
    await expect(run('log-group.ensure', call(), 8)).rejects.toThrow('it drains');
    expect(await stepEvents()).toEqual(['step.started', 'step.failed']);
  });

  it('stops itself before its effect when the step is being taken back meanwhile', async () => {
    fake.beforeEffect = async () => {
      await setState('rolling-back');
      await run('log-group.remove', call());
    };
    await expect(run('log-group.ensure', call())).rejects.toMatchObject({ type: 'STEP_REVOKED', nonRetryable: true });
    expect([...fake.made]).toEqual([]);
    expect((await stepOf())?.state).toBe('removing');
  });

  it('refuses to begin once its operation undoes, is closed, or has removed the step', async () => {
    for (const state of ['rolling-back', 'stuck', 'rolled-back']) {
      await setState(state);
      await expect(run('log-group.ensure', call())).rejects.toMatchObject({ type: 'STEP_REVOKED' });
    }
    expect(fake.calls).toEqual([]);
    expect(await stepOf()).toBeUndefined();
  });

  it('makes a step anew that an earlier operation removed', async () => {
    await run('log-group.ensure', call());
    await setState('rolling-back');
    await run('log-group.remove', call());
    await setState('rolled-back');
    const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps: smallSteps(tenant.slug) };
    const operationId = await accept(db, { ...tenant, type: 'provision', blueprint });
    await db.query(`update operations set state = 'running' where id = $1`, [operationId]);
    await run('log-group.ensure', { operationId, stepId: 'logs', generation: 1 });
    expect(await stepOf()).toMatchObject({ state: 'ready', operationId, removedAt: null });
    expect([...fake.made]).toEqual([nameOf()]);
  });

  it('makes a step anew that this operation took back, in a later generation only', async () => {
    await run('log-group.ensure', call());
    await run('log-group.remove', call());
    expect(await stepOf()).toMatchObject({ state: 'removed' });
    const late = { ...call(), tenantId: tenant.tenantId, cell: cell.id, kind: 'log-group' };
    const intent = { key: late, resources: [], latenessMs: 1_000, attempt: 2, sawMade: false };
    expect(await recordIntent(db, intent)).toBeUndefined();
    await expect(run('log-group.ensure', call())).rejects.toMatchObject({ type: 'STEP_REVOKED' });
    await run('log-group.ensure', call('logs', 2));
    expect(await stepOf()).toMatchObject({ state: 'ready', generation: 2, removedAt: null });
    expect([...fake.made]).toEqual([nameOf()]);
    expect(await recordIntent(db, intent)).toBeUndefined();
  });

  it('refuses what lies outside the cell before it stores or calls anything', async () => {
    const steps = (slug: string): Step[] =>
      smallSteps(slug).map((s) =>
        s.kind === 'log-group' ? { ...s, spec: { ...s.spec, name: '/ecs/moamalat-other-backend' } } : s,
      );
    tenant = await seedTenant(db, { steps });
    await setRunning(db, tenant);
    await expect(run('log-group.ensure', call())).rejects.toMatchObject({ type: 'OUTSIDE_CELL', nonRetryable: true });
    expect(fake.calls).toEqual([]);
    expect(await listLedger(db, tenant.tenantId)).toEqual([]);
    expect(await stepEvents()).toEqual(['step.failed']);
  });

  it('refuses a reference to a step that is not ready', async () => {
    const steps = (slug: string): Step[] => [
      ...smallSteps(slug).map((s) => (s.id === 'finalize' ? { ...s, needs: ['rule'] } : s)),
      {
        id: 'rule',
        kind: 'listener-rule',
        needs: ['logs'],
        spec: {
          loadBalancerArn: cell.loadBalancers[0]!.arn,
          host: `${slug}.tenants.test`,
          paths: [],
          targetGroupArn: { ref: 'logs.name' },
        },
      },
    ];
    tenant = await seedTenant(db, { steps });
    await setRunning(db, tenant);
    await expect(run('listener-rule.ensure', call('rule'))).rejects.toMatchObject({ type: 'BLUEPRINT_INVALID' });
  });
});

describe('observe', () => {
  const observe = (want: 'ready' | 'gone', deadlineAtMs = Date.now() + 60_000) =>
    run('log-group.observe', { ...call(), want, deadlineAtMs });

  it('makes a pending step ready when it sees that', async () => {
    fake.outcome = 'pending';
    expect((await run('log-group.ensure', call())).status).toBe('pending');
    expect((await stepOf())?.state).toBe('present');
    expect(await observe('ready')).toMatchObject({ status: 'done' });
    expect(await observe('ready')).toMatchObject({ status: 'done' });
    expect((await stepOf())?.state).toBe('ready');
    expect(await stepEvents()).toEqual(['step.started', 'step.pending', 'step.ready']);
  });

  it('stores the outputs that are known once it is ready, and tells by a hash that they are others', async () => {
    fake.outcome = 'pending';
    const { outputsHash: before } = await run<'log-group.ensure'>('log-group.ensure', call());
    expect((await stepOf())?.outputs).toEqual({ name: nameOf() });
    const outputs = { name: nameOf(), arn: 'arn:known-now' };
    fake.seen = { status: 'ready', detail: 'it is there', outputs };
    const seen = await observe('ready');
    expect(seen).toMatchObject({ status: 'done', outputsHash: contentHash(outputs) });
    expect(seen.outputsHash).not.toBe(before);
    expect(await stepOf()).toMatchObject({ state: 'ready', outputs, outputsHash: contentHash(outputs) });
  });

  it('answers pending after one slice', async () => {
    fake.outcome = 'pending';
    await run('log-group.ensure', call());
    fake.seen = { status: 'pending', detail: '0 of 1 tasks' };
    const began = Date.now();
    expect(await observe('ready')).toEqual({ status: 'pending', detail: '0 of 1 tasks' });
    expect(Date.now() - began).toBeLessThanOrEqual(8_500);
    expect(fake.calls.filter((c) => c === 'observe').length).toBeGreaterThan(5);
  });

  it('tells of what is to go that it stands, when every look of a slice says so', async () => {
    await run('log-group.ensure', call());
    await setState('rolling-back');
    fake.seen = { status: 'ready', detail: 'it is there' };
    expect(await observe('gone')).toEqual({ status: 'pending', detail: 'it is there', stands: true });
    setTimeout(() => (fake.seen = { status: 'pending', detail: 'it drains' }), 2_500);
    expect(await observe('gone')).toEqual({ status: 'pending', detail: 'it drains' });
  });

  it('fails when what was made is missing for a whole slice, but not for a look that is older than the change', async () => {
    fake.outcome = 'pending';
    await run('log-group.ensure', call());
    fake.made.clear();
    await expect(observe('ready')).rejects.toMatchObject({
      type: 'SERVICE_FAILED',
      nonRetryable: true,
      message: expect.stringContaining('missing') as unknown,
      details: [{ stepId: 'logs', code: 'SERVICE_FAILED', detail: 'it is not there' }],
    });
    expect(await stepEvents()).toEqual(['step.started', 'step.pending', 'step.failed']);

    setTimeout(() => (fake.seen = { status: 'pending', detail: '0 of 1 tasks' }), 2_500);
    expect(await observe('ready')).toEqual({ status: 'pending', detail: '0 of 1 tasks' });
  });

  it("ends a definite failure, and a deadline, in the step's own words with the last thing seen", async () => {
    const failsAs = { type: 'BackendFailed', message: 'Backend service failed to start' };
    const steps = (slug: string): Step[] => smallSteps(slug).map((s) => (s.id === 'logs' ? { ...s, failsAs } : s));
    tenant = await seedTenant(db, { steps });
    await setRunning(db, tenant);
    fake.outcome = 'pending';
    await run('log-group.ensure', call());
    fake.seen = { status: 'failed', detail: '3 tasks stopped: exit code 1' };
    const failure = { type: 'BackendFailed', message: failsAs.message, nonRetryable: true };
    await expect(observe('ready')).rejects.toMatchObject({
      ...failure,
      details: [{ stepId: 'logs', code: 'SERVICE_FAILED', detail: expect.stringContaining('exit code 1') as unknown }],
    });
    fake.seen = { status: 'pending', detail: '0 of 1 tasks' };
    await expect(observe('ready', Date.now() - 1)).rejects.toMatchObject({
      ...failure,
      details: [
        { stepId: 'logs', code: 'DEADLINE_EXCEEDED', detail: expect.stringContaining('0 of 1 tasks') as unknown },
      ],
    });
    // The code in whose place the words stand leads to its page of the runbook.
    const detail = expect.stringMatching(/^DEADLINE_EXCEEDED: /) as unknown;
    expect((await stepOf())?.failure).toMatchObject({ code: 'BackendFailed', stepId: 'logs', detail });
  });

  it('marks a step removed when it is gone, and fails as STILL_PRESENT past the deadline', async () => {
    await run('log-group.ensure', call());
    await setState('rolling-back');
    fake.outcome = 'pending';
    expect(await run('log-group.remove', call())).toMatchObject({ status: 'pending' });
    fake.seen = { status: 'pending', detail: 'draining' };
    await expect(observe('gone', Date.now() - 1)).rejects.toMatchObject({ type: 'STILL_PRESENT', nonRetryable: true });
    fake.seen = undefined;
    expect(await observe('gone')).toMatchObject({ status: 'done' });
    expect((await stepOf())?.state).toBe('removed');
  });
});

describe('an intent that a lost connection delivers late', () => {
  const intentOf = (generation: number, sawMade: boolean) =>
    recordIntent(db, {
      key: { ...call('logs', generation), tenantId: tenant.tenantId, cell: cell.id, kind: 'log-group' },
      resources: [{ type: 'logs:log-group', name: nameOf() }],
      latenessMs: 40_000,
      attempt: 1,
      sawMade,
    });

  it('leaves a step ready that another attempt has made meanwhile', async () => {
    await run('log-group.ensure', call());
    expect(await intentOf(1, false)).toBeUndefined();
    expect(await stepOf()).toMatchObject({ state: 'ready', unclearUntil: null });
  });

  it('does not end the step of an attempt that began before the other came to its result', async () => {
    let overtaken = false;
    fake.fingerprint = async () => {
      if (!overtaken) {
        overtaken = true;
        await run('log-group.ensure', call());
      }
      return 'a';
    };
    await expect(run('log-group.ensure', call(), 2)).rejects.toMatchObject({ type: 'UNCLEAR', nonRetryable: false });
    expect(await run('log-group.ensure', call(), 3)).toMatchObject({ status: 'ready' });
    expect(fake.calls.filter((verb) => verb !== 'observe')).toEqual(['ensure']);
  });

  it('leaves a later generation as it is', async () => {
    fake.outcome = 'pending';
    await run('log-group.ensure', call('logs', 2));
    expect(await intentOf(1, true)).toBeUndefined();
    expect(await stepOf()).toMatchObject({ state: 'present', generation: 2 });
  });

  it('is taken of an attempt that saw the step as made, and of a later generation', async () => {
    await run('log-group.ensure', call());
    expect(await intentOf(1, true)).toBeDefined();
    expect(await intentOf(2, false)).toBeDefined();
    expect(await stepOf()).toMatchObject({ state: 'present', generation: 2 });
  });
});

describe('the time at which a thing was made', () => {
  const madeAt = async () => (await listLedger(db, tenant.tenantId))[0]?.madeAt?.getTime() ?? 0;

  it('stays while the thing is changed in its place, and is a later one once it was made anew', async () => {
    await run('log-group.ensure', call());
    const first = await madeAt();
    fake.print = 'b';
    await run('log-group.ensure', call('logs', 2));
    expect(await madeAt()).toBe(first);
    // An attempt that changed something and failed made nothing anew either.
    fake.afterEffect = () => Promise.reject(new StepError('ACCESS_DENIED', 'refused'));
    fake.print = 'c';
    await expect(run('log-group.ensure', call('logs', 3))).rejects.toThrow();
    expect(await madeAt()).toBe(first);
    fake.afterEffect = () => Promise.resolve();
    fake.anew = true;
    await run('log-group.ensure', call('logs', 4));
    expect(await madeAt()).toBeGreaterThan(first);
  });

  it('is that of the thing which is there, also of an earlier one that the step went back to', async () => {
    await run('log-group.ensure', call());
    const first = await madeAt();
    Object.assign(fake, { print: 'b', id: '-2' });
    await run('log-group.ensure', call('logs', 2));
    expect(await madeAt()).toBeGreaterThan(first);
    Object.assign(fake, { print: 'a', id: '' });
    await run('log-group.ensure', call('logs', 3));
    expect(await madeAt()).toBe(first);
  });
});

describe('remove', () => {
  it('lists what is left of several resources when the rest of a removal is refused', async () => {
    await run('log-group.ensure', call());
    await db.query(
      `insert into ledger (tenant_id, step_id, cell, operation_id, type, name, state)
       select tenant_id, step_id, cell, operation_id, 'logs:other', 'other', 'ready' from ledger where tenant_id = $1`,
      [tenant.tenantId],
    );
    await setState('rolling-back');
    fake.gone = [{ type: 'logs:other', name: 'other' }];
    fake.removing = () => Promise.reject(new StepError('ACCESS_DENIED', 'refused'));
    await expect(run('log-group.remove', call())).rejects.toThrow();
    expect((await listLedger(db, tenant.tenantId)).map(({ name, state }) => [name, state])).toEqual([
      [nameOf(), 'removing'],
      ['other', 'removed'],
    ]);
    // A late effect may bring it back: then it is not gone before that has been looked for.
    await db.query(`update ledger set state = 'removing' where tenant_id = $1`, [tenant.tenantId]);
    await db.query(`update steps set unclear_until = now() + interval '1 hour' where tenant_id = $1`, [
      tenant.tenantId,
    ]);
    await expect(run('log-group.remove', call())).rejects.toThrow();
    expect((await listLedger(db, tenant.tenantId)).map(({ state }) => state)).toEqual(['removing', 'removing']);
  });

  it('marks, then calls, then records what stays; twice is harmless', async () => {
    await run('log-group.ensure', call());
    await setState('rolling-back');
    let during: string | undefined;
    fake.removing = async () => {
      during = (await listLedger(db, tenant.tenantId))[0]?.state;
    };
    expect(await run('log-group.remove', call())).toEqual({ status: 'removed' });
    expect(await run('log-group.remove', call())).toEqual({ status: 'removed' });
    expect(during).toBe('removing');
    expect(fake.calls).toEqual(['ensure', 'remove']);
    expect(await listResidues(db, tenant.tenantId)).toMatchObject([{ name: nameOf(), expiresAt: null }]);
    expect(await listLedger(db, tenant.tenantId)).toMatchObject([{ state: 'removed' }]);
    expect(await stepEvents()).toEqual(['step.started', 'step.ready', 'step.removing', 'step.removed']);
  });

  it('calls nothing for a step that was never begun', async () => {
    await setState('rolling-back');
    expect(await run('log-group.remove', call())).toEqual({ status: 'removed' });
    expect(fake.calls).toEqual([]);
  });

  it('goes on looking for what was made while looks do not show it', async () => {
    await run('log-group.ensure', call());
    await setState('rolling-back');
    fake.staleLooks = 2;
    expect(await run('log-group.remove', call())).toEqual({ status: 'removed' });
    expect(fake.calls).toEqual(['ensure', 'remove', 'remove', 'remove']);
    expect(fake.made).toEqual(new Set());
  });

  it('goes on looking for what a definitely failed attempt had made before it failed', async () => {
    fake.afterEffect = () => Promise.reject(new StepError('ACCESS_DENIED', 'its attributes were refused'));
    await expect(run('log-group.ensure', call())).rejects.toThrow();
    expect(await stepOf()).toMatchObject({ state: 'present', unclearUntil: null });
    await setState('rolling-back');
    fake.staleLooks = 1;
    expect(await run('log-group.remove', call())).toEqual({ status: 'removed' });
    expect(fake.made).toEqual(new Set());
  });

  it('believes the first look at a step that made nothing for sure', async () => {
    fake.beforeEffect = () => Promise.reject(new StepError('ACCESS_DENIED', 'refused'));
    await expect(run('log-group.ensure', call())).rejects.toThrow();
    expect(await stepOf()).toMatchObject({ state: 'intended', unclearUntil: null });
    await setState('rolling-back');
    fake.staleLooks = 1;
    expect(await run('log-group.remove', call())).toEqual({ status: 'removed' });
    expect(fake.calls).toEqual(['ensure', 'remove']);
  });

  it('asks for another look while an unclear attempt may still have an effect', async () => {
    fake.afterEffect = () => Promise.reject(new StepError('UNCLEAR', 'no answer came'));
    await expect(run('log-group.ensure', call())).rejects.toThrow();
    await setState('rolling-back');
    const answer = await run('log-group.remove', call());
    const unclear = (await stepOf())?.unclearUntil?.getTime();
    expect(answer).toEqual({ status: 'removed', recheckAtMs: unclear });
    expect((await stepOf())?.state).toBe('removing');
    const gone = { ...call(), want: 'gone' as const, deadlineAtMs: Date.now() + 60_000 };
    expect(await run('log-group.observe', gone)).toMatchObject({ status: 'done', recheckAtMs: unclear });
    // A few seconds ahead, by a clock that differs from the run's: the slice waits for it.
    await db.query(`update steps set unclear_until = now() + interval '3 seconds' where tenant_id = $1`, [
      tenant.tenantId,
    ]);
    expect(await run('log-group.observe', gone)).toEqual({ status: 'done', detail: 'it is not there' });
    expect((await stepOf())?.state).toBe('removed');
  });

  it('of what goes by name is not over while a deletion without an answer may hit the next one of the name', async () => {
    fake.deletesByName = true;
    await run('log-group.ensure', call());
    await setState('rolling-back');
    fake.removing = () => Promise.reject(new StepError('UNCLEAR', 'no answer came'));
    await expect(run('log-group.remove', call())).rejects.toThrow();
    const unclear = (await stepOf())?.unclearUntil?.getTime() ?? 0;
    expect(unclear).toBeGreaterThan(Date.now() + 30_000);
    fake.removing = () => Promise.resolve();
    expect(await run('log-group.remove', call(), 2)).toEqual({ status: 'removed', recheckAtMs: unclear });
    expect(await stepOf()).toMatchObject({ state: 'removing', unclearUntil: new Date(unclear) });
    await db.query(`update steps set unclear_until = now() where tenant_id = $1`, [tenant.tenantId]);
    expect(await run('log-group.remove', call())).toEqual({ status: 'removed' });
    expect((await stepOf())?.state).toBe('removed');
  });

  it('of what goes by name leaves no window open after a clear answer, be it yes or no', async () => {
    fake.deletesByName = true;
    await run('log-group.ensure', call());
    await setState('rolling-back');
    let during: Date | null | undefined;
    fake.removing = async () => {
      during = (await stepOf())?.unclearUntil;
      throw new StepError('ACCESS_DENIED', 'refused');
    };
    await expect(run('log-group.remove', call())).rejects.toThrow();
    expect(during?.getTime()).toBeGreaterThan(Date.now() + 30_000);
    expect(await stepOf()).toMatchObject({ state: 'removing', unclearUntil: null });
    fake.removing = () => Promise.resolve();
    expect(await run('log-group.remove', call())).toEqual({ status: 'removed' });
    expect(await stepOf()).toMatchObject({ state: 'removed', unclearUntil: null });
  });

  it('keeps why it failed, for the list of what is left', async () => {
    await run('log-group.ensure', call());
    await setState('rolling-back');
    fake.removing = () =>
      Promise.reject(new StepError('ACCESS_DENIED', 'not allowed to delete', { detail: 'by policy' }));
    await expect(run('log-group.remove', call())).rejects.toMatchObject({ type: 'ACCESS_DENIED', nonRetryable: true });
    expect(await run('listLeftovers', { operationId: tenant.operationId })).toMatchObject([
      {
        stepId: 'logs',
        type: 'logs:log-group',
        name: nameOf(),
        code: 'ACCESS_DENIED',
        reason: expect.stringContaining('not allowed to delete') as unknown,
      },
    ]);
    expect(await stepEvents()).toContain('step.remove-failed');
  });

  it('is not hindered by a template that the cell lists no more, and drains from its last attempt', async () => {
    await run('log-group.ensure', call());
    await db.query(
      `update operations set state = 'rolling-back', blueprint = jsonb_set(blueprint, '{steps,0}', $2) where id = $1`,
      [
        tenant.operationId,
        JSON.stringify({
          id: 'logs',
          kind: 'task-definition',
          needs: [],
          spec: {
            family: `moamalat-${tenant.slug}-backend`,
            templateService: 'retired-since',
            environment: {},
            secrets: {},
            logGroup: nameOf(),
          },
        }),
      ],
    );
    const later = activityBench(db, fake);
    fake.removing = () => Promise.reject(new StepError('THROTTLED', 'slow down'));
    await expect(later('task-definition.remove', call())).rejects.toMatchObject({ type: 'THROTTLED' });
    const began = (await stepOf())?.removingAt?.getTime();
    fake.removing = () => Promise.resolve();
    expect(await later('task-definition.remove', call(), 2)).toEqual({ status: 'removed' });
    expect((await stepOf())?.removingAt?.getTime()).toBeGreaterThan(began!);
  });

  it('of a closed operation touches nothing', async () => {
    await run('log-group.ensure', call());
    await setState('rolled-back');
    await expect(run('log-group.remove', call())).rejects.toMatchObject({ type: 'STEP_REVOKED' });
    expect([...fake.made]).toEqual([nameOf()]);
  });

  it("of an undo never drops an active tenant's data", async () => {
    tenant = await seedTenant(db, { steps: schemaSteps });
    await setRunning(db, tenant);
    await run('postgres-schema.ensure', call());
    await db.query('update tenants set activated_at = now() where id = $1', [tenant.tenantId]);
    await setState('rolling-back');
    await expect(run('postgres-schema.remove', call())).rejects.toMatchObject({
      type: 'PROTECTED',
      nonRetryable: true,
    });
    expect(fake.calls.filter((verb) => verb !== 'observe')).toEqual(['ensure']);
    expect((await stepOf())?.state).toBe('ready');
  });
});

describe('a database that is away', () => {
  it('makes the attempt fail as retryable, after it was borne with for a while', async () => {
    const away = createDatabase({ url: 'postgresql://nobody@127.0.0.1:1/none' });
    try {
      const began = Date.now();
      const failing = activityBench(away, fake)('log-group.ensure', call());
      await expect(failing).rejects.toMatchObject({ type: 'DATABASE_UNAVAILABLE', nonRetryable: false });
      expect(Date.now() - began).toBeGreaterThan(4_000);
    } finally {
      await away.close();
    }
  });
});
