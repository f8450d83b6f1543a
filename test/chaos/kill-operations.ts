import type { CallMatch } from '../../sandbox/gateway/faults/setting.ts';
import { fenceAttributes } from '../../src/accounts-router/fence.ts';
import { type Accepted, type Tenant as TenantView } from '../../src/cli/api-client.ts';
import { damage, deleteSecret } from '../support/by-hand.ts';
import { imageOf } from './changes.ts';
import { factsOf, type Change, type Direction } from './kill-points.ts';
import { queryControl } from './kill-scene.ts';
import { expectMoved, expectNotMoved, serve } from './moved-accounts.ts';
import { expectRowsServed } from './account-rows.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';
import { expectAnswering, expectNotice } from './tenant-address.ts';

/** An operation that loses its workers, of a tenant that is active and was never changed. */
export interface KilledOperation {
  /** Brings the tenant to where it begins. */
  readonly prepare?: (world: ProcessWorld, tenant: Tenant) => Promise<unknown>;
  readonly ask: (world: ProcessWorld, tenant: Tenant) => Promise<Tenant>;
  readonly ends: { readonly state: string; readonly status: string };
  /** What the tenant is by then, for people. */
  readonly outcome: 'wholly as asked' | 'wholly as before';
  readonly expectAnswer: (world: ProcessWorld, tenant: Tenant) => Promise<void>;
}

/** A tenant that was made. */
export function provisioned(
  direction: Direction,
): Pick<KilledOperation, 'ends' | 'expectAnswer'> & { outcome: string } {
  return {
    ends: { state: 'succeeded', status: 'active' },
    outcome: 'active, made once',
    expectAnswer: factsOf(direction).subject === 'moamalat' ? expectAnswering : expectRowsServed,
  };
}

const asAsked = {
  ends: { state: 'succeeded', status: 'active' },
  outcome: 'wholly as asked',
  expectAnswer: expectAnswering,
} as const;

export const killedChanges: Readonly<Record<Change, KilledOperation>> = {
  update: {
    ...asAsked,
    ask: (world, tenant) => {
      const backend = { cpu: 512, memory: 1_024, image: imageOf(world, '1.1') };
      const settings = { services: { backend } };
      return accepted(tenant, world.api.change(tenant.tenantId, { settings, onFailure: 'rollback' }));
    },
  },
  suspend: {
    ...asAsked,
    ask: suspended,
    ends: { state: 'succeeded', status: 'suspended' },
    expectAnswer: expectNotice,
  },
  resume: {
    ...asAsked,
    prepare: async (world, tenant) => world.until(await suspended(world, tenant), ['succeeded']),
    ask: ({ api }, tenant) => accepted(tenant, api.changeMode(tenant.tenantId, 'resume', { onFailure: 'rollback' })),
  },
  rotate: { ...asAsked, ask: rotated },
  'failed rotation': {
    ask: (world, tenant) =>
      denied(world, rotated(world, tenant), { stepId: 'revoke_password:2', verb: 'ensure', kind: 'change' }),
    ends: { state: 'rolled-back', status: 'active' },
    outcome: 'wholly as before',
    expectAnswer: expectAnswering,
  },
  repair: {
    ...asAsked,
    prepare: breakByHand,
    ask: ({ api }, tenant) => accepted(tenant, api.repair(tenant.tenantId, { reason: 'broken by hand' })),
  },
  move: { ...asAsked, prepare: serve, ask: moved, expectAnswer: expectMoved },
  'failed move': {
    prepare: serve,
    // As late as it may fail: both tables are the same, and nobody may write that down.
    ask: (world, tenant) =>
      denied(world, moved(world, tenant), {
        ...{ stepId: 'close_fence', verb: 'ensure', contains: `"#s0":"${fenceAttributes.count}"` },
      }),
    ends: { state: 'rolled-back', status: 'active' },
    outcome: 'wholly as before',
    expectAnswer: expectNotMoved,
  },
};

function suspended({ api }: ProcessWorld, tenant: Tenant): Promise<Tenant> {
  const request = { reason: 'unpaid', onFailure: 'rollback' };
  return accepted(tenant, api.changeMode(tenant.tenantId, 'suspend', request));
}

function rotated({ api }: ProcessWorld, tenant: Tenant): Promise<Tenant> {
  return accepted(tenant, api.changeMode(tenant.tenantId, 'rotate', { onFailure: 'rollback' }));
}

/** AWS says no to these calls of the operation for good. */
async function denied({ gateway }: ProcessWorld, asked: Promise<Tenant>, match: CallMatch): Promise<Tenant> {
  const tenant = await asked;
  const { operationId } = tenant;
  const fault = { type: 'error', when: 'before', code: 'AccessDeniedException' } as const;
  gateway.addRule({ match: { ...match, operationId }, fault, times: null });
  return tenant;
}

function moved({ api }: ProcessWorld, tenant: Tenant): Promise<Tenant> {
  return accepted(tenant, api.migrate(tenant.tenantId, { tier: 'private', onFailure: 'rollback' }));
}

async function accepted(tenant: Tenant, answer: Promise<Accepted | TenantView>): Promise<Tenant> {
  const operation = await answer;
  if (!('operationId' in operation)) throw new Error(`nothing of tenant ${tenant.slug} was to be changed`);
  const { operationId, workflowId } = operation;
  return { ...tenant, operationId, workflowId };
}

async function breakByHand(world: ProcessWorld, { tenantId }: Tenant): Promise<void> {
  const { platform, gateway, postgres } = world;
  const steps = await queryControl<{ stepId: string; outputs: Record<string, unknown> }>(
    world,
    'select step_id as "stepId", outputs from steps where tenant_id = $1',
    [tenantId],
  );
  const tenant = {
    ...{ platform, gatewayUrl: gateway.url, steps },
    databaseUrl: new URL('/tenants', postgres.adminUrl).href,
  };
  await damage(tenant);
  await deleteSecret(tenant, 'create_schema');
}
