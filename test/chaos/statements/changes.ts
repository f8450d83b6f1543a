import type { TenantryClient } from '../../../src/client/tenantry.ts';
import { testCaller } from '../../support/caller.ts';
import type { ChangePhase } from './points.ts';
import type { MatrixWorld, Tenant } from './world.ts';

/** An operation on an active tenant. */
interface Change {
  /** What it begins after, undisturbed. */
  readonly after?: ChangePhase;
  readonly ask: (client: TenantryClient, tenantId: string) => Promise<unknown>;
  readonly outcome: 'active' | 'suspended';
}

const changes: Readonly<Record<ChangePhase, Change>> = {
  update: {
    ask: (client, id) =>
      client.changeTenant(testCaller, id, { settings: { services: { backend: { cpu: 512, memory: 1_024 } } } }),
    outcome: 'active',
  },
  suspend: { ask: (client, id) => client.changeMode(testCaller, id, 'suspend', {}), outcome: 'suspended' },
  resume: { after: 'suspend', ask: (client, id) => client.changeMode(testCaller, id, 'resume', {}), outcome: 'active' },
  rotate: { ask: (client, id) => client.rotateTenant(testCaller, id, {}), outcome: 'active' },
  repair: { ask: (client, id) => client.repairTenant(testCaller, id, {}), outcome: 'active' },
};

/** Brings an active tenant to where the change begins. */
export async function prepare(world: MatrixWorld, phase: ChangePhase, tenant: Tenant): Promise<void> {
  const { after } = changes[phase];
  if (after === undefined) return;
  await changes[after].ask(world.client, tenant.tenantId);
  const outcome = await world.outcome(tenant);
  if (outcome !== changes[after].outcome) throw new Error(`undisturbed, ${after} ended as ${outcome}`);
}

/** Starts the change; `arm` is called once its operation is known and before it runs. */
export function startChange(
  world: MatrixWorld,
  phase: ChangePhase,
  tenant: Tenant,
  arm: Parameters<MatrixWorld['changed']>[2],
): Promise<Tenant> {
  return world.changed(tenant, () => changes[phase].ask(world.client, tenant.tenantId), arm);
}

export function outcomeAfter(phase: ChangePhase): string {
  return changes[phase].outcome;
}
