import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { ApiError, type Accepted, type Status, type Tenant as TenantView } from '../../src/cli/api-client.ts';
import { closedOperationStates } from '../../src/contracts/operation-state.ts';
import { inventoryOf } from './process-inventory.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';
import { meddleAfter, retry } from './meddling.ts';
import { seldom, strikeRule } from './strikes.ts';
import { expectAnswering, expectNotice } from './tenant-address.ts';

/** One thing that is asked of a tenant that is there, and what disturbs it. */
export interface Change {
  readonly ask: (typeof asks)[number];
  /** The step that AWS refuses to change, once. */
  readonly struckStep: string | undefined;
  readonly cancelAfterMs: number | undefined;
  readonly terminateAfterMs: number | undefined;
}

/** What is asked of the backend alone; the others are of the whole tenant. */
const asks = [
  ...(['bigger', 'smaller', 'another image', 'a broken image', 'two tasks', 'one task'] as const),
  ...(['mode', 'rotation', 'repair'] as const),
] as const;

/** How a tenant is, as far as changes go. */
interface Condition {
  readonly cpu: '256' | '512';
  readonly tag: string;
  readonly count: number;
  readonly isSuspended: boolean;
  /** Which password its services have, counted from 1. */
  readonly credentials: number;
}

const atFirst: Condition = { cpu: '256', tag: '1.0', count: 1, isSuspended: false, credentials: 1 };

export function drawnChanges(steps: readonly string[]): fc.Arbitrary<Change[]> {
  const change = fc.record({
    ask: fc.constantFrom(...asks),
    struckStep: seldom(fc.constantFrom(...steps), 3),
    cancelAfterMs: seldom(fc.integer({ min: 50, max: 3_000 }), 6),
    terminateAfterMs: seldom(fc.integer({ min: 200, max: 2_000 }), 12),
  });
  return fc.array(change, { maxLength: 3 });
}

export interface Changing {
  readonly world: ProcessWorld;
  readonly tenant: Tenant;
  /** Told how each operation closed. */
  readonly ended: (end: string) => void;
  readonly settleLimitMs: number;
}

/**
 * Makes the changes, one after the other. After each the tenant is wholly as asked or wholly as it was before, and answers.
 * @returns the tenant with its last operation
 * @throws Error when it is anything else
 */
export async function changeThrough(
  { world, tenant, ended, settleLimitMs }: Changing,
  changes: readonly Change[],
): Promise<Tenant> {
  let condition = atFirst;
  let last = tenant;
  for (const change of changes) {
    const asked = after(change, condition);
    if (!asked) continue;
    const accepted = await request(world, tenant, change, condition);
    if (!('operationId' in accepted)) continue;
    last = { ...tenant, operationId: accepted.operationId, workflowId: accepted.workflowId };
    const { operation } = await settled(world, last, change, settleLimitMs);
    ended(`${operation.type} ${operation.state}`);
    if (operation.state === 'succeeded') condition = asked;
    if (change.ask === 'a broken image' && operation.state === 'succeeded')
      throw new Error(`${tenant.slug}: an image that cannot run was said to be applied`);
    await expectCondition(world, last, condition);
  }
  return last;
}

/** How the tenant is once a change is made; undefined when it does not apply. */
function after({ ask }: Change, was: Condition): Condition | undefined {
  if (ask === 'mode') return { ...was, isSuspended: !was.isSuspended };
  if (was.isSuspended) return undefined;
  switch (ask) {
    case 'bigger':
      return { ...was, cpu: '512' };
    case 'smaller':
      return { ...was, cpu: '256' };
    case 'another image':
      return { ...was, tag: '1.1' };
    case 'a broken image':
      return { ...was, tag: 'crash' };
    case 'two tasks':
      return { ...was, count: 2 };
    case 'one task':
      return { ...was, count: 1 };
    case 'rotation':
      return { ...was, credentials: was.credentials + 1 };
    case 'repair':
      return was;
  }
}

async function request(
  world: ProcessWorld,
  { tenantId, slug, ...tenant }: Tenant,
  change: Change,
  was: Condition,
): Promise<Accepted | TenantView> {
  const { api } = world;
  const of = (backend: Readonly<Record<string, unknown>>) =>
    api.change(tenantId, { settings: { services: { backend } }, onFailure: 'rollback' });
  switch (change.ask) {
    case 'bigger':
      return again(() => of({ cpu: 512, memory: 1_024 }));
    case 'smaller':
      return again(() => of({ cpu: 256, memory: 512 }));
    case 'another image':
      return again(() => of({ image: imageOf(world, '1.1') }));
    case 'a broken image':
      return again(() => of({ image: imageOf(world, 'crash') }));
    case 'two tasks':
      return again(() => api.scale(tenantId, { service: 'backend', count: 2, onFailure: 'rollback' }));
    case 'one task':
      return again(() => api.scale(tenantId, { service: 'backend', count: 1, onFailure: 'rollback' }));
    case 'rotation':
      return again(() => api.changeMode(tenantId, 'rotate', { onFailure: 'rollback' }));
    case 'repair':
      return again(() => api.repair(tenantId, { reason: `a story of ${slug}` }));
    case 'mode':
      return again(() =>
        api.changeMode(tenantId, was.isSuspended ? 'resume' : 'suspend', {
          reason: `a story of ${slug}`,
          onFailure: 'rollback',
        }),
      ).catch((error: unknown) => {
        throw new Error(`${slug} ${tenant.operationId}: ${String(error)}`, { cause: error });
      });
  }
}

/** What no worker or Temporal can carry out at this moment is asked for again. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const mayPass =
        error instanceof ApiError && ['ORCHESTRATOR_UNAVAILABLE', 'OPERATION_IN_PROGRESS'].includes(error.code);
      if (!mayPass || tries === 20) throw error;
      await sleep(1_000);
    }
  }
}

async function settled(world: ProcessWorld, tenant: Tenant, change: Change, limitMs: number): Promise<Status> {
  const { struckStep: stepId } = change;
  if (stepId !== undefined) world.gateway.addRule(strikeRule({ stepId, verb: 'ensure' }, tenant.operationId));
  const meddling = [
    meddleAfter(change.cancelAfterMs, () => world.api.cancel(tenant.tenantId)),
    meddleAfter(change.terminateAfterMs, () => world.temporalCli('workflow', 'terminate', '-w', tenant.workflowId)),
  ];
  for (;;) {
    const status = await world.until(tenant, ['holding', 'stuck', ...closedOperationStates], limitMs);
    if (status.operation.state !== 'stuck' && status.operation.state !== 'holding') {
      await Promise.all(meddling);
      return status;
    }
    await retry(world, tenant);
  }
}

/** By the oracle: what the backend runs, of which size, how often; and what the address answers. */
async function expectCondition(world: ProcessWorld, tenant: Tenant, condition: Condition): Promise<void> {
  const items = await inventoryOf(world);
  const service = items.find(
    ({ kind, name }) => kind === 'ecs:service' && name?.endsWith(`/moamalat-${tenant.slug}-backend`),
  );
  const definition = items.find(
    ({ kind, name }) => kind === 'ecs:task-definition' && name === service?.detail?.taskDefinition,
  );
  const tag = /-backend:([\w.]+)/.exec(definition?.settings?.containers ?? '')?.[1];
  const { cpu = '' } = definition?.settings ?? {};
  const login = / DB_USER=tenant_[0-9a-f]{32}(?:_(\d+))?\b/.exec(definition?.settings?.containers ?? '');
  const credentials = login ? Number(login[1] ?? 1) : undefined;
  const found = { cpu, tag, count: Number(service?.detail?.desiredCount), credentials };
  const { isSuspended, ...asked } = condition;
  const wanted = { ...asked, count: isSuspended ? 0 : asked.count };
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${tenant.slug} is neither as asked nor as before: ${JSON.stringify({ found, wanted })}`);
  await (condition.isSuspended ? expectNotice(world, tenant) : expectAnswering(world, tenant));
}

/** An image of the backend, by digest. */
export function imageOf({ platform }: ProcessWorld, tag: string): string {
  const repository = platform.cells[0]?.allowedImageRepositories.find((name) => name.endsWith('backend')) ?? '';
  return `${repository}:${tag}@sha256:${'a'.repeat(64)}`;
}
