import type { OperationType } from '../../src/contracts/operation-table.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isResidue, residuesOf } from '../../sandbox/demo/residues.ts';
import { describeChange, describeItem, difference } from '../../sandbox/inventory/inventory.ts';
import type { TimePreset, TimeSettings } from '../../sandbox/gateway/time.ts';
import type { FaultRule } from '../../sandbox/gateway/faults/setting.ts';
import type { Accepted } from '../../src/cli/api-client.ts';
import { startSystem, type System } from './system.ts';

let system: System | undefined;
const running = (): System => {
  if (!system) throw new Error('the system is not up');
  return system;
};
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

const SIDE_BY_SIDE_MS = 300_000;

/** What an operator should not do, as the runbook says. */
const terminate = ({ workflowId }: Accepted) =>
  running().temporal('workflow', 'terminate', '-w', workflowId, '--reason', 'the test pulls the plug');

const untilMidway = ({ tenantId }: Accepted) =>
  expect
    .poll(async () => (await running().api.status(tenantId)).currentSteps, { timeout: 60_000, interval: 50 })
    .toContain('deploy_backend');

const setTime = (settings: Partial<TimeSettings> | { readonly preset: TimePreset }) => control('time', settings);

async function control(path: string, body: object): Promise<void> {
  const answer = await fetch(`${running().parts.env.AWS_ENDPOINT_URL}/_gateway/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.ok).toBe(true);
}

/** A tenant whose services AWS refuses to make. */
async function createHeld(slug: string): Promise<Accepted> {
  const rule: FaultRule = {
    match: { service: 'ecs', action: 'CreateService', contains: slug },
    fault: { type: 'error', when: 'before', code: 'AccessDeniedException' },
    times: null,
  };
  await control('faults/rules', rule);
  const tenant = await running().create(slug);
  await running().until(tenant.tenantId, 'holding');
  return tenant;
}

interface Case {
  readonly slug: string;
  /** Brings a tenant to where its run is terminated. */
  readonly prepare: (slug: string) => Promise<Accepted>;
  /** The operation's state there. */
  readonly lostWhile: string;
  readonly type: OperationType;
  readonly finish: (tenant: Accepted) => Promise<unknown>;
  readonly end: { readonly operation: { readonly type: string; readonly state: string }; readonly status: string };
}

const retry = ({ tenantId }: Accepted) => running().api.retry(tenantId);
const provision = (state: string) => ({ operation: { type: 'provision', state }, status: 'failed' });
const removed = { operation: { type: 'deprovision', state: 'succeeded' }, status: 'deleted' };

const cases: readonly Case[] = [
  {
    slug: 'lost-midway',
    prepare: async (slug) => {
      const tenant = await running().create(slug);
      await untilMidway(tenant);
      return tenant;
    },
    lostWhile: 'running',
    type: 'provision',
    finish: retry,
    end: provision('rolled-back'),
  },
  {
    slug: 'lost-then-deleted',
    prepare: async (slug) => {
      const tenant = await running().create(slug);
      await untilMidway(tenant);
      return tenant;
    },
    lostWhile: 'running',
    type: 'provision',
    finish: ({ tenantId }) => running().api.delete(tenantId, 'lost-then-deleted'),
    end: removed,
  },
  {
    slug: 'lost-undo',
    prepare: async (slug) => {
      const tenant = await running().create(slug);
      await untilMidway(tenant);
      await running().api.cancel(tenant.tenantId);
      await running().until(tenant.tenantId, 'rolling-back');
      return tenant;
    },
    lostWhile: 'rolling-back',
    type: 'provision',
    finish: retry,
    // What the operator asked for before the run was lost.
    end: provision('cancelled'),
  },
  {
    slug: 'lost-removal',
    prepare: async (slug) => {
      const tenant = await running().create(slug);
      await running().until(tenant.tenantId, 'succeeded');
      await running().api.delete(tenant.tenantId, slug);
      await running().until(tenant.tenantId, 'committing');
      return tenant;
    },
    lostWhile: 'committing',
    type: 'deprovision',
    finish: retry,
    end: removed,
  },
  {
    slug: 'lost-hold',
    prepare: createHeld,
    lostWhile: 'holding',
    type: 'provision',
    finish: retry,
    end: provision('rolled-back'),
  },
];

it(
  'a terminated run is seen, its operation stuck with the list of what is left, and finished to nothing',
  { timeout: SIDE_BY_SIDE_MS },
  async () => {
    const { api, until, inventory } = running();
    const before = await inventory();
    // Midway lasts until `temporal` has been started and has terminated the run, however slow the machine is.
    await setTime({ dnsSyncMs: 20_000 });
    const lose = async (one: Case) => {
      const tenant = await one.prepare(one.slug);
      await terminate(tenant);
      const { operation } = await api.status(tenant.tenantId);
      expect(operation).toMatchObject({ type: one.type, state: one.lostWhile });
      await expect(api.retry(tenant.tenantId)).rejects.toMatchObject({ status: 409, code: 'RUN_LOST' });
      // A deprovisioning is never cancelled, lost or not.
      const code = one.type === 'provision' ? 'RUN_LOST' : 'NOT_CANCELLABLE';
      await expect(api.cancel(tenant.tenantId)).rejects.toMatchObject({ status: 409, code });
      return { ...one, tenant, operationId: operation.operationId };
    };
    const lost = await Promise.all(cases.map(lose));
    await setTime({ preset: 'demo' });

    const finishOne = async ({ tenant, operationId, lostWhile, type, finish, end }: (typeof lost)[number]) => {
      const stuck = await until(tenant.tenantId, 'stuck');
      expect(stuck).toMatchObject({
        status: type === 'provision' ? 'failed' : 'deleting',
        cleanupPending: true,
        operation: { operationId },
        error: { code: 'RUN_LOST' },
      });
      expect(stuck.error?.message).toContain(lostWhile);
      expect(stuck.leftovers?.length).toBeGreaterThan(0);
      await finish(tenant);
      const done = await until(tenant.tenantId, 'rolled-back', 'cancelled', ...(end === removed ? ['succeeded'] : []));
      expect(done).toMatchObject({ ...end, cleanupPending: false });
      expect((await api.operation(tenant.tenantId, operationId)).generation).toBe(finish === retry ? 2 : 1);
    };
    await Promise.all(lost.map(finishOne));

    const events = await Promise.all(lost.map(({ tenant }) => api.events(tenant.tenantId, { after: 0, limit: 200 })));
    const residues = residuesOf(events.flat());
    const { added, removed: missing, changed } = difference(before, await inventory());
    expect(added.filter((item) => !isResidue(item, residues)).map(describeItem)).toEqual([]);
    expect(missing.map(describeItem)).toEqual([]);
    expect(changed.map(describeChange)).toEqual([]);
  },
);
