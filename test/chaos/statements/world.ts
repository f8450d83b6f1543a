import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOfTenant, takeInventory, type InventoryItem } from '../../../sandbox/inventory/inventory.ts';
import type { PostgresProxy } from '../../../sandbox/parts/postgres-proxy.ts';
import type { RunRequest } from '../../../src/client/orchestrator.ts';
import { schemaName } from '../../../src/naming.ts';
import { sharedReads } from '../../../testing/shared-reads.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../../testing/sagas/world.ts';
import type { Target } from './cases.ts';
import type { StepLook } from './points.ts';

/** A saga world in which each call is one step's own, faults are armed before a run starts, and inventories are shared. */
export interface MatrixWorld extends SagaWorld {
  readonly proxy: PostgresProxy;
  /** Starts a provisioning; `arm` is called once its operation is known and before it runs. */
  born(product: string, arm: (target: Target) => void): Promise<Tenant>;
  /** Asks for a change of the tenant. */
  changed(tenant: Tenant, ask: () => Promise<unknown>, arm: (target: Target) => void): Promise<Tenant>;
  /** Starts the deprovisioning. */
  buried(tenant: Tenant, arm: (target: Target) => void): Promise<Tenant>;
  /** The tenant's things, by an inventory that began after this call. */
  itemsOf(tenant: Tenant): Promise<InventoryItem[]>;
  /** Everything, likewise. */
  everything(): Promise<InventoryItem[]>;
  /** Refuses a look of an operation for good; answers the rule's id. */
  refuse(look: StepLook, target: Target): string;
  /** Resolves once that rule has struck, or when the operation is over. */
  struck(ruleId: string, isOver: () => Promise<boolean>): Promise<void>;
}

export interface Tenant extends Run {
  /** Of its last operation. */
  readonly target: Target;
}

const TASK_START_MS = 700;
const LOOK_EVERY_MS = 20;

export async function startMatrixWorld(): Promise<MatrixWorld> {
  const arming = new Map<string, (run: RunRequest) => void>();
  const world = await startSagaWorld({
    postgresProxy: true,
    looksPerStep: true,
    beforeStart: (run) => arming.get(run.slug)?.(run),
  });
  const { proxy, sources, gateway } = world;
  // So that the first look of a wait always comes before what it waits for, and what it then asks for is always asked.
  gateway.setTime({ taskStartMs: TASK_START_MS });
  if (!proxy) throw new Error('the world has no proxy before PostgreSQL');
  const everything = sharedReads({ everyMs: 2_000, restFactor: 4 }, () =>
    takeInventory({ ...sources, scope: 'tenants' }),
  );

  const started = async (slug: string, arm: (target: Target) => void, start: () => Promise<Run>): Promise<Tenant> => {
    let target: Target | undefined;
    arming.set(slug, ({ operationId, tenantId }) => {
      target = { operationId, tenantId, slug, schema: schemaName(tenantId) };
      arm(target);
    });
    const run = await start();
    arming.delete(slug);
    if (!target) throw new Error(`the run of ${slug} was never started`);
    return { ...run, target };
  };

  return {
    ...world,
    proxy,
    everything,
    refuse: (look, { operationId }) => {
      const denied = { type: 'error', when: 'before', code: 'AccessDeniedException', status: 400 } as const;
      return gateway.addRule({ match: { ...look, operationId }, fault: denied });
    },
    struck: async (ruleId, isOver) => {
      const hits = () => gateway.faults().rules.find(({ id }) => id === ruleId)?.hits ?? 0;
      for (let looks = 1; hits() === 0; looks += 1) {
        if (looks % 25 === 0 && (await isOver())) return;
        await sleep(LOOK_EVERY_MS);
      }
    },
    born: (product, arm) => {
      const slug = `f-${randomUUID().slice(0, 8)}`;
      return started(slug, arm, () => world.provision(product, 'rollback', slug));
    },
    changed: (tenant, ask, arm) => started(tenant.slug, arm, () => ask().then(() => tenant)),
    buried: (tenant, arm) => started(tenant.slug, arm, () => world.deprovision(tenant)),
    itemsOf: async ({ tenantId, slug }) => (await everything()).filter(isOfTenant({ tenantId, slug })),
    close: () => world.close(),
  };
}
