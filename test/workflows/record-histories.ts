/**
 * Records histories of the main cases into `test/histories/<version>/`, with the commands beside them. By hand:
 * `npx tsx test/workflows/record-histories.ts` before a release, `... --missing` to record only the cases that this version
 * has no history of, `... --commands` to renew only the commands after a change that is wanted (and that `git diff` then
 * shows).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import type { PlannedStep } from '../../src/contracts/blueprint.ts';
import { HEALTH_WORKFLOW, type HealthActivities } from '../../src/contracts/health.ts';
import { taskQueues } from '../../src/contracts/ids.ts';
import {
  ISOLATION_WORKFLOW,
  isolationSignal,
  type IsolationActivities,
  type IsolationInput,
  type IsolationTurn,
} from '../../src/contracts/isolation.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { afterWithLast, before, walked } from '../support/move.ts';
import { eventsOf, until } from './ending.ts';
import { startEnvironment, type Started, type WorkflowEnvironment } from './environment.ts';
import { commandsFile, historiesDirectory, historyFiles, recordingBundle, replay } from './replay.ts';
import { step, type WorldOptions } from './world.ts';

const minutes = (n: number) => n * 60_000;
const hours = (n: number) => minutes(60 * n);
const profiles = {
  dns: { usualMs: 40_000, deadlineMs: minutes(10) },
  service: { usualMs: 90_000, deadlineMs: minutes(20) },
};
const steps: PlannedStep[] = [
  step('validate', [], { kind: 'slug-reservation' }),
  step('create_schema', ['validate'], { kind: 'postgres-schema' }),
  step('create_task_definition', ['create_schema'], { kind: 'task-definition', rereads: true }),
  step('create_target_group', ['validate'], { kind: 'target-group' }),
  step('create_alb_rule', ['create_target_group'], { kind: 'listener-rule' }),
  step('create_dns', ['create_alb_rule'], { kind: 'dns-record', ready: profiles.dns, gone: profiles.dns }),
  step('deploy_backend', ['create_task_definition', 'create_alb_rule'], {
    kind: 'ecs-service',
    removeAfter: ['create_dns'],
    failsAs: { type: 'BackendFailed', message: 'Backend service failed to start' },
    ready: profiles.service,
    gone: profiles.service,
  }),
  step('finalize', ['create_dns', 'deploy_backend']),
];
const waits = {
  create_dns: { readyAfterMs: 40_000, goneAfterMs: 40_000 },
  deploy_backend: { readyAfterMs: 95_000, goneAfterMs: 60_000 },
};
const unhealthy = { ...waits, deploy_backend: { ...waits.deploy_backend, failsInGenerations: [1] } };
const denied = [{ code: 'ACCESS_DENIED' }] as const;

const throttled = (times: number) => [
  ...Array.from({ length: times }, () => ({ code: 'THROTTLED' as const })),
  'ok' as const,
];

interface Scenario extends WorldOptions {
  readonly gated?: readonly string[];
  readonly act?: (started: Started) => Promise<unknown>;
  /** Time is skipped only after `act`. */
  readonly actsFirst?: boolean;
}

const retryWhenStuck = async ({ world, handle }: Started) => {
  await world.untilState('stuck');
  world.fix('create_schema');
  await handle.executeUpdate('retry');
};
const settled = () => new Promise((resolve) => setTimeout(resolve, 500));
const cancelIn = (call: string, cancel: (s: Started) => Promise<unknown>) => ({
  gated: [call],
  act: async (started: Started) => {
    await started.gates.reached(call);
    await settled(); // until nothing else is in flight: see `calmFailures`
    await cancel(started);
    await settled();
    started.gates.open(call);
  },
});

/** What an operation before has made, in the scenario that goes back to it. */
const applied = ['validate', 'create_schema', 'create_target_group'];

const becomes: Readonly<Record<string, PlannedStep['becomes']>> = {
  ...{ create_target_group: 'make', create_schema: 'drop' },
  ...{ create_task_definition: 'change', deploy_backend: 'change' },
};
/** The definition and its service change, a target group is new, and the schema goes. */
const update = {
  type: 'update',
  steps: steps.map((s) => ({
    ...s,
    needs: s.needs.map((id) => (id === 'create_schema' ? 'validate' : id)),
    becomes: becomes[s.id] ?? 'keep',
  })),
  applied: steps.map(({ id }) => id).filter((id) => id !== 'create_target_group'),
} as const;

/** All that is applied is brought back. */
const repair = {
  type: 'repair',
  steps: steps.map((s) => ({ ...s, becomes: s.id === 'finalize' ? ('keep' as const) : ('change' as const) })),
  applied: steps.map(({ id }) => id),
} as const;

const notice = step('show_notice', [], { kind: 'listener-notice', rereads: true, removeAfter: ['create_dns'] });
const isService = ({ id }: PlannedStep) => id === 'deploy_backend';

/** A notice is new, and the service changes once it shows. */
const suspension = {
  type: 'suspend',
  steps: [
    { ...notice, becomes: 'make' as const },
    ...steps.map((s) =>
      isService(s)
        ? { ...s, needs: [...s.needs, notice.id], becomes: 'change' as const }
        : { ...s, becomes: 'keep' as const },
    ),
  ],
  applied: steps.map(({ id }) => id),
} as const;

/** The service changes, all else is brought to what was applied, and the notice goes. */
const resumption = {
  type: 'resume',
  steps: [
    ...steps.map((s) => {
      const becomes = s.id === 'finalize' ? ('keep' as const) : ('restore' as const);
      return { ...s, becomes: isService(s) ? ('change' as const) : becomes };
    }),
    { ...notice, removeAfter: [], becomes: 'drop' as const },
  ],
  applied: [...steps.map(({ id }) => id), notice.id],
} as const;

function keptSchema(one: PlannedStep): PlannedStep {
  return one.id === 'create_schema' ? { ...one, becomes: 'keep' } : one;
}
const revocation = step('revoke_password', ['deploy_backend'], {
  ...{ kind: 'postgres-password', becomes: 'make', undoFirst: true },
});

/** No data goes; the password before is revoked once the service runs by the new one. */
const rotation = { ...update, type: 'rotate', steps: [...update.steps.map(keptSchema), revocation] } as const;

/** With steps that are there on the way only. */
const migration = {
  type: 'migrate',
  steps: walked({ held: ['mark', 'meta', 'rows'] }).steps,
  applied: before.map(({ id }) => id),
  onFailure: 'rollback',
} as const;

/** With one that is made after the look before the commit. */
const migrationWithLast = { ...migration, steps: walked({ held: ['mark', 'meta', 'rows'], own: afterWithLast }).steps };

/** As the claim plans what a lost run left. */
function onTheWayBack(one: PlannedStep): PlannedStep {
  const back: PlannedStep['becomes'] = one.becomes === 'make' ? 'drop' : one.becomes === 'drop' ? 'keep' : one.becomes;
  return { ...one, becomes: back };
}

const scenarios: Record<string, Scenario> = {
  'provision-active': { steps, behaviors: waits },
  'provision-held-and-retried': {
    ...{ steps, behaviors: { ...waits, create_schema: { ensure: [...denied, 'ok'] } } },
    act: async ({ world, handle }) => {
      await world.untilState('holding');
      await handle.executeUpdate('retry');
    },
  },
  'provision-hold-ended': { steps, behaviors: unhealthy },
  'provision-cancelled': {
    ...{ steps, behaviors: waits },
    ...cancelIn('create_schema.ensure', ({ handle }) => handle.executeUpdate('cancel')),
  },
  'provision-cancelled-by-temporal': {
    ...{ steps, behaviors: waits },
    ...cancelIn('create_alb_rule.ensure', ({ handle }) => handle.cancel()),
  },
  'provision-late-effect': {
    ...{ steps, onFailure: 'rollback' },
    behaviors: { create_alb_rule: { ensure: [{ code: 'INVALID_REQUEST', landsAfterMs: 20_000 }] } },
  },
  'provision-stuck-and-retried': {
    ...{ steps, onFailure: 'rollback', act: retryWhenStuck },
    behaviors: { create_task_definition: { ensure: denied }, create_schema: { remove: denied } },
  },
  // By plans that say what becomes of each step; those of the cases above were recorded before.
  'provision-active-by-plan': { steps: steps.map((s) => ({ ...s, becomes: 'make' as const })), behaviors: waits },
  'deprovision-deleted-by-plan': {
    ...{ type: 'deprovision', behaviors: waits },
    steps: steps.filter((s) => s.id !== 'finalize').map((s) => ({ ...s, becomes: 'drop' as const })),
  },
  'provision-back-to-applied': {
    ...{ steps: steps.map((s) => (applied.includes(s.id) ? { ...s, becomes: 'keep' as const } : s)), applied },
    ...{ onFailure: 'rollback', behaviors: { ...waits, create_alb_rule: { ensure: denied } } },
  },
  'provision-gives-up-beside-a-failure': {
    ...{ steps, onFailure: 'rollback' },
    behaviors: { create_schema: { ensure: denied }, create_target_group: { ensure: throttled(20) } },
  },
  'provision-taken-over': {
    ...{ steps, behaviors: waits },
    takeover: { generation: 1, failure: { code: 'RUN_LOST', message: 'the run was lost' }, cancelled: false },
  },
  'deprovision-taken-over': {
    ...{ steps, type: 'deprovision', behaviors: waits },
    takeover: { generation: 2, failure: { code: 'RUN_LOST', message: 'the run was lost' }, cancelled: false },
  },
  'deprovision-end-refused-and-retried': {
    ...{ steps, type: 'deprovision', behaviors: waits, gated: ['close:succeeded'] },
    act: async ({ world, handle, gates }) => {
      await gates.reached('close:succeeded');
      world.living.add('create_dns');
      gates.open('close:succeeded');
      await world.untilState('stuck');
      await handle.signal('retry');
    },
  },
  'deprovision-deleted-after-its-grace': { steps, type: 'deprovision', behaviors: waits, graceMs: 7 * 24 * hours(1) },
  'deprovision-cancelled-in-its-grace': {
    ...{ steps, type: 'deprovision', behaviors: waits, graceMs: hours(48) },
    actsFirst: true,
    act: async ({ handle }) => {
      await until(async () => (await eventsOf(handle)).includes('TIMER_STARTED'));
      await handle.executeUpdate('cancel');
    },
  },
  'deprovision-taken-over-in-its-grace': {
    ...{ steps, type: 'deprovision', behaviors: waits, graceMs: hours(1) },
    takeover: { generation: 1, failure: { code: 'RUN_LOST', message: 'the run was lost' }, cancelled: false },
  },
  'update-active': { ...update, behaviors: waits },
  'update-back-to-applied': {
    ...{ ...update, onFailure: 'rollback' },
    behaviors: { ...waits, deploy_backend: { ...waits.deploy_backend, ensure: denied } },
  },
  'update-not-dropped-and-retried': {
    ...{ ...update, behaviors: { ...waits, create_schema: { remove: denied } }, act: retryWhenStuck },
  },
  'update-taken-over': {
    ...{ ...update, steps: update.steps.map(onTheWayBack), behaviors: waits },
    takeover: { generation: 1, failure: { code: 'RUN_LOST', message: 'the run was lost' }, cancelled: false },
  },
  'repair-active': { ...repair, behaviors: waits },
  'repair-stuck-and-retried': {
    ...{ ...repair, act: retryWhenStuck },
    behaviors: { ...waits, create_schema: { restore: denied } },
  },
  'repair-taken-over': {
    ...{ ...repair, behaviors: waits },
    takeover: {
      ...{ generation: 1, failure: { code: 'RUN_LOST', message: 'the run was lost' } },
      ...{ cancelled: false, removesIn: 'committing' },
    },
  },
  'rotate-active': { ...rotation, behaviors: waits },
  'rotate-back-to-applied': {
    ...{ ...rotation, onFailure: 'rollback' },
    behaviors: { ...waits, revoke_password: { ensure: denied } },
  },
  'migrate-active': { ...migration, behaviors: { fence: { readyAfterMs: 40_000, goneAfterMs: 40_000 } } },
  'migrate-back-to-applied': { ...migration, behaviors: { check: { ensure: denied } } },
  'migrate-not-removed-and-retried': {
    ...{ ...migration, act: retryWhenStuck },
    // The next attempt works.
    behaviors: { switch: { remove: [...denied, 'ok'] } },
  },
  'migrate-active-with-a-last-step': { ...migrationWithLast },
  'migrate-held-and-retried-with-a-last-step': {
    ...{ ...migrationWithLast, onFailure: 'hold' },
    behaviors: { close: { ensure: [...denied, 'ok'] } },
    act: async ({ world, handle }) => {
      await world.untilState('holding');
      await handle.executeUpdate('retry');
    },
  },
  'suspend-suspended': { ...suspension, behaviors: waits },
  'suspend-back-to-applied': {
    ...{ ...suspension, onFailure: 'rollback' },
    behaviors: { ...waits, deploy_backend: { ...waits.deploy_backend, ensure: denied } },
  },
  'resume-active': { ...resumption, behaviors: waits },
  'resume-back-to-applied': {
    ...{ ...resumption, onFailure: 'rollback' },
    behaviors: { ...waits, deploy_backend: { ...waits.deploy_backend, ensure: denied } },
  },
  'deprovision-deleted': { steps, type: 'deprovision', behaviors: waits },
  'deprovision-stuck-and-retried': {
    ...{ steps, type: 'deprovision', act: retryWhenStuck },
    behaviors: { create_schema: { remove: denied } },
  },
};

interface Apart {
  readonly workflowType: string;
  readonly args?: unknown[];
  readonly activities: object;
  readonly act?: (handle: WorkflowHandle) => Promise<unknown>;
  /** Where its activities are called, when not on its own queue. */
  readonly activityQueue?: string;
}

const isolationTurns: IsolationTurn[] = [
  { outcome: 'again', afterMs: hours(1), code: 'ACCESS_DENIED' },
  { outcome: 'again', afterMs: 500, code: 'THROTTLED' },
  { outcome: 'on' },
];

/** Workflows that are no operation's, with activities that answer at once. */
const apart: Record<string, Apart> = {
  'isolation-on-after-a-request': {
    workflowType: ISOLATION_WORKFLOW,
    args: [{ tenantId: 'a-tenant' } satisfies IsolationInput],
    activityQueue: taskQueues.isolation,
    activities: {
      driveIsolation: () => Promise.resolve(isolationTurns.shift() ?? { outcome: 'on' }),
    } satisfies IsolationActivities,
    act: async (handle) => {
      await until(async () => (await eventsOf(handle)).includes('TIMER_STARTED'));
      await handle.signal(isolationSignal);
    },
  },
  'health-check-of-two-cells': {
    workflowType: HEALTH_WORKFLOW,
    activities: {
      listHealthCells: () => Promise.resolve(['one', 'two']),
      checkHealth: ({ cell }) => Promise.resolve({ cell, looked: 2, left: 0, changed: 1 }),
    } satisfies HealthActivities,
  },
};

if (!process.argv.includes('--commands')) await recordHistories();
await recordCommands();

async function recordHistories(): Promise<void> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const directory = join(historiesDirectory, version);
  mkdirSync(directory, { recursive: true });
  const env = await startEnvironment({ identity: 'recorder' });
  const isRecorded = (name: string) => existsSync(join(directory, `${name}.history.json`));
  for (const [name, { gated, act, actsFirst, ...options }] of Object.entries(scenarios)) {
    if (process.argv.includes('--missing') && isRecorded(name)) continue;
    const started = await env.start({ calmFailures: true, ...options }, gated);
    if (actsFirst) await act?.(started);
    const ended = started.handle.result().catch(() => undefined); // how it ended stands in the history
    if (!actsFirst) await act?.(started);
    await ended;
    writeHistory(directory, name, started.handle.workflowId, await started.handle.fetchHistory());
    if (started.world.violations.length > 0) throw new Error(`${name}: ${started.world.violations.join('; ')}`);
    console.log(`${name}: ${started.world.calls.length} calls, ${started.world.state}`);
  }
  for (const [name, { workflowType, args = [], activities, act, activityQueue }] of Object.entries(apart)) {
    if (process.argv.includes('--missing') && isRecorded(name)) continue;
    const worker = await workerFor(env, name, activities);
    const handle = await env.server.client.workflow.start(workflowType, { taskQueue: name, workflowId: name, args });
    const run = () =>
      worker.runUntil(async () => {
        await act?.(handle);
        await handle.result();
      });
    const other = activityQueue === undefined ? undefined : await workerFor(env, activityQueue, activities);
    await (other ? other.runUntil(run) : run());
    writeHistory(directory, name, name, await handle.fetchHistory());
  }
  await env.stop();
}

async function workerFor({ server }: WorkflowEnvironment, taskQueue: string, activities: object): Promise<Worker> {
  const workflowBundle = { codePath: await workflowBundlePath() };
  const identity = 'recorder';
  return Worker.create({ connection: server.nativeConnection, identity, taskQueue, workflowBundle, activities });
}

function writeHistory(directory: string, name: string, workflowId: string, recorded: object): void {
  const { History } = proto.temporal.api.history.v1;
  const plain = { enums: String, longs: String, bytes: String };
  const history = withoutStacks(History.toObject(History.fromObject(recorded), plain));
  const text = JSON.stringify({ workflowId, history }, undefined, 1);
  writeFileSync(join(directory, `${name}.history.json`), `${text}\n`);
}

async function recordCommands(): Promise<void> {
  const bundle = await recordingBundle();
  for (const file of historyFiles()) {
    const { error, commands } = await replay(bundle, file);
    if (error) throw error;
    writeFileSync(commandsFile(file), `${JSON.stringify(commands, undefined, 1)}\n`);
  }
}

/** Stacks name this machine's paths; a replay does not need them. */
function withoutStacks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutStacks);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Record<string, unknown>).map(([key, inner]) => {
      if (key === 'stackTrace') return [key, ''];
      return [key, key === 'encodedAttributes' ? withoutEncodedStack(inner) : withoutStacks(inner)];
    }),
  );
}

function withoutEncodedStack(value: unknown): unknown {
  const payload = value as { data: string };
  const attributes = JSON.parse(Buffer.from(payload.data, 'base64').toString()) as object;
  const data = Buffer.from(JSON.stringify({ ...attributes, stack_trace: '' })).toString('base64');
  return { ...payload, data };
}
