import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { createActivities } from '../../../src/activities/create-activities.ts';
import type { CellAws } from '../../../src/aws/cell-aws.ts';
import type { Activities } from '../../../src/contracts/activities.ts';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import type { Step, Blueprint } from '../../../src/contracts/blueprint.ts';
import type { EnsureAnswer, Leftover, ObserveAnswer, RemoveAnswer } from '../../../src/contracts/messages.ts';
import type { Cell } from '../../../src/contracts/platform.ts';
import { placeOnLoadBalancer, reserveHostName } from '../../../src/db/allocations.ts';
import { listLeftovers } from '../../../src/db/leftovers.ts';
import { insertOperation } from '../../../src/db/operations.ts';
import { reserveSlug } from '../../../src/db/reservations.ts';
import { createTenantDatabases, type TenantDatabases } from '../../../src/db/tenant-databases.ts';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { newTenant, type KindWorld, type TestTenant } from './kind-world.ts';
import { testCaller } from '../../support/caller.ts';
import { twoComponents } from '../../support/platform.ts';

/** A tenant whose steps run through the real wrapper of the verbs: activities, ledger and kinds, on AWS behind the gateway. */
export interface StepTenant extends TestTenant {
  readonly operationId: string;
  readonly blueprint: Blueprint;
  /** Makes a step and all that it needs; answers what the step's own `ensure` does. */
  make(stepId: string): Promise<EnsureAnswer>;
  ensure(stepId: string): Promise<EnsureAnswer>;
  /** The undo begins: from here on steps may only be removed. */
  beginUndo(): Promise<void>;
  remove(stepId: string): Promise<RemoveAnswer>;
  observeGone(stepId: string): Promise<ObserveAnswer>;
  observeReady(stepId: string): Promise<ObserveAnswer>;
  leftovers(): Promise<Leftover[]>;
  outputs(stepId: string): Promise<Readonly<Record<string, string>>>;
}

export interface StepBench {
  readonly tenantDatabases: () => TenantDatabases;
  /** @param slug of the new tenant; @param platform what the workers read, by default the world's cell. */
  tenant(): Promise<StepTenant>;
  /** The same tenant before a worker that reads another description of the cell, or has clients of its own. */
  before(tenant: StepTenant, worker: { cell?: Cell; aws?: CellAws }): StepTenant;
}

export function useStepBench(world: KindWorld): StepBench {
  let tenantDatabases: TenantDatabases | undefined;
  beforeAll(() => {
    tenantDatabases = createTenantDatabases({ primary: world.databases.tenantUrl }, defaultCatalog.migrations);
  });
  afterAll(() => tenantDatabases?.close());
  const databases = () => tenantDatabases!;
  return {
    tenantDatabases: databases,
    tenant: async () => {
      const accepted = await acceptTenant(world);
      return { ...accepted, ...verbsOf(world, databases(), accepted, {}) };
    },
    before: (tenant, worker) => ({ ...tenant, ...verbsOf(world, databases(), tenant, worker) }),
  };
}

type Accepted = TestTenant & { operationId: string; blueprint: Blueprint };

/** As the API writes it, claimed by a run. */
async function acceptTenant(world: KindWorld): Promise<Accepted> {
  const { cell, db } = world;
  const tenant = await newTenant(world);
  const { id: tenantId, slug, host } = tenant;
  const operationId = randomUUID();
  const blueprint = await db.transaction(async (tx) => {
    await reserveSlug(tx, { product: 'moamalat', slug, tenantId });
    await reserveHostName(tx, { cell: cell.id, zone: cell.hostedZone.id, host, tenantId });
    const loadBalancer = (await placeOnLoadBalancer(tx, cell, tenantId, twoComponents))!;
    const resolved = moamalat.resolve({ cell, loadBalancer, tenantId, slug, tier: null, host });
    await insertOperation(tx, {
      id: operationId,
      tenantId,
      cell: cell.id,
      type: 'provision',
      onFailure: 'hold',
      holdMs: 60_000,
      workflowId: `tenant.moamalat.${slug}`,
      blueprint: resolved,
      caller: testCaller,
    });
    return resolved;
  });
  await db.query(`update operations set state = 'running', run_id = 'run-1' where id = $1`, [operationId]);
  for (const status of ['validating', 'creating'])
    await db.query('update tenants set status = $2 where id = $1', [tenantId, status]);
  return { ...tenant, operationId, blueprint };
}

function verbsOf(
  world: KindWorld,
  tenantDatabases: TenantDatabases,
  { id, operationId, blueprint }: Accepted,
  worker: { cell?: Cell; aws?: CellAws },
) {
  const { db, installationId } = world;
  const activities = createActivities({
    database: db,
    tenantDatabases,
    platform: { version: 1, cells: [worker.cell ?? world.cell] },
    log: pino({ level: 'silent' }),
    aws: () => worker.aws ?? world.aws,
    installationId,
    kinds: defaultCatalog.kinds,
  });
  const stepOf = (stepId: string): Step => {
    const step = blueprint.steps.find((s) => s.id === stepId);
    if (!step) throw new Error(`the blueprint has no step ${stepId}`);
    return step;
  };
  const run = <A>(stepId: string, verb: 'ensure' | 'observe' | 'remove', more: object = {}): Promise<A> => {
    const name = `${stepOf(stepId).kind}.${verb}` as keyof Activities;
    const call = { operationId, stepId, generation: 1, ...more };
    const environment = new MockActivityEnvironment(
      { attempt: 1, currentAttemptScheduledTimestampMs: Date.now() },
      { logger: new DefaultLogger('ERROR') },
    );
    return environment.run(() => (activities[name] as (input: unknown) => Promise<A>)(call));
  };
  const ensure = (stepId: string) => run<EnsureAnswer>(stepId, 'ensure');
  const make = async (stepId: string): Promise<EnsureAnswer> => {
    for (const need of stepOf(stepId).needs) await make(need);
    return ensure(stepId);
  };
  const observe = (stepId: string, want: 'ready' | 'gone') =>
    run<ObserveAnswer>(stepId, 'observe', { want, deadlineAtMs: Date.now() + 60_000 });
  return {
    make,
    ensure,
    beginUndo: async () => {
      await db.query(`update operations set state = 'rolling-back' where id = $1`, [operationId]);
    },
    remove: (stepId: string) => run<RemoveAnswer>(stepId, 'remove'),
    observeGone: (stepId: string) => observe(stepId, 'gone'),
    observeReady: (stepId: string) => observe(stepId, 'ready'),
    leftovers: () => listLeftovers(db, id),
    outputs: async (stepId: string) => {
      const { rows } = await db.query<{ outputs: Record<string, string> | null }>(
        'select outputs from steps where tenant_id = $1 and step_id = $2',
        [id, stepId],
      );
      return rows[0]?.outputs ?? {};
    },
  };
}

/** Code and detail of the failure that an activity ends in. @throws Error when it succeeds */
export async function failureOf(call: Promise<unknown>): Promise<{ code: string; message: string; detail: string }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    const [details] = (error.details ?? []) as { detail?: string }[];
    return { code: error.type ?? '', message: error.message, detail: details?.detail ?? '' };
  }
  throw new Error('the verb succeeded');
}
