import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Status } from '../../src/cli/api-client.ts';
import { closedOperationStates } from '../../src/contracts/operation-state.ts';
import { isNamedById, type ProcessWorld, type Tenant } from './process-world.ts';
import { changeThrough } from './changes.ts';
import type { Story } from './stories.ts';
import { ask, liftStrikes, meddleAfter, retry } from './meddling.ts';
import { strikeRule } from './strikes.ts';
import { expectAnswering } from './tenant-address.ts';
import { expectRowsServed } from './account-rows.ts';
import { expectGone } from './tenant-items.ts';
import { explained } from './tenant-report.ts';

/** What one story came to. */
export interface Life {
  readonly slug: string;
  /** All tenants that it made, the last one last. */
  readonly tenants: Tenant[];
  /** How its operations closed, in order: `provision succeeded`, `deprovision succeeded`, ... */
  readonly ends: string[];
  /** Whether its last tenant lives. */
  isActive: boolean;
}

/** An undo may wait for late effects (40 s) several times in a row, and a lost run is noticed after a minute or so. */
const settleLimitMs = 420_000;
const settled = ['holding', 'stuck', ...closedOperationStates] as const;

/** Lives a story through until its tenant is active for good, or gone. @throws Error with all that is known of the tenant */
export async function live(world: ProcessWorld, story: Story, slug: string): Promise<Life> {
  const life: Life = { slug, tenants: [], ends: [], isActive: false };
  await sleep(story.startAfterMs);
  await explained(world, life.tenants, async () => {
    await liveOnce(world, story, life);
    if (!story.again || life.isActive) return;
    const isKept = life.ends.includes('provision succeeded') && !isNamedById(story.subject);
    if (isKept) await expectQuarantined(world, story, slug);
    else await liveOnce(world, { ...story, ...undisturbed }, life);
  });
  return life;
}

/** Deletes what lives, in whatever state that is. */
export async function end(world: ProcessWorld, life: Life): Promise<void> {
  const tenant = life.tenants.at(-1);
  if (!life.isActive || !tenant) return;
  await explained(world, life.tenants, async () => {
    life.tenants.push(await world.delete(tenant));
    await follow(world, calm, life);
  });
}

const undisturbed = { strike: undefined, cancelAfterMs: undefined, terminateAfterMs: undefined } as const;
const calm: Story = {
  ...undisturbed,
  subject: 'moamalat',
  startAfterMs: 0,
  onFailure: 'rollback',
  whenHeld: 'cancel',
  whenStuck: 'retry',
  changes: [],
  whenActive: 'delete',
  again: false,
};

async function liveOnce(world: ProcessWorld, story: Story, life: Life): Promise<void> {
  const tenant = await world.create(life.slug, story.onFailure, story.subject);
  life.tenants.push(tenant);
  if (story.strike) world.gateway.addRule(strikeRule(story.strike, tenant.operationId));
  const meddling = [
    meddleAfter(story.cancelAfterMs, () => world.api.cancel(tenant.tenantId)),
    meddleAfter(story.terminateAfterMs, () => world.temporalCli('workflow', 'terminate', '-w', tenant.workflowId)),
  ];
  await follow(world, story, life);
  await Promise.all(meddling);
}

/** Follows the tenant's operations, and does at each of their rests what the story says. */
async function follow(world: ProcessWorld, story: Story, life: Life): Promise<void> {
  for (;;) {
    const tenant = life.tenants.at(-1);
    if (!tenant) throw new Error(`${life.slug} has no tenant to follow`);
    const status = await world.until(tenant, settled, settleLimitMs);
    const { type, state } = status.operation;
    if (state === 'holding')
      await (story.whenHeld === 'retry' ? retry(world, tenant) : ask(() => world.api.cancel(tenant.tenantId)));
    else if (state === 'stuck') await leaveStuck(world, story, life, tenant);
    else {
      life.ends.push(`${type} ${state}`);
      if (await isOver(world, { story, life, tenant, status })) return;
    }
  }
}

interface Closed {
  readonly story: Story;
  readonly life: Life;
  readonly tenant: Tenant;
  readonly status: Status;
}

/** After the end of an operation: whether the story is over. */
async function isOver(world: ProcessWorld, { story, life, tenant, status }: Closed): Promise<boolean> {
  const { type, state } = status.operation;
  life.isActive = type === 'provision' && state === 'succeeded';
  if (life.isActive) {
    await (story.subject === 'moamalat' ? expectAnswering(world, tenant) : expectRowsServed(world, tenant));
    const ended = (end: string) => life.ends.push(end);
    life.tenants.push(await changeThrough({ world, tenant, ended, settleLimitMs }, story.changes));
    if (story.whenActive === 'stay') return true;
  } else if (state !== 'abandoned' && !status.cleanupPending) {
    await expectGone(world, tenant);
    return true;
  }
  // What was abandoned for a strike goes without one, or it would be abandoned again, and so on.
  await remove(world, state === 'abandoned' ? undisturbedStory(story) : story, life, tenant);
  return false;
}

async function remove(world: ProcessWorld, story: Story, life: Life, tenant: Tenant): Promise<void> {
  const going = await world.delete(tenant);
  if (story.strike?.verb === 'remove') world.gateway.addRule(strikeRule(story.strike, going.operationId));
  life.tenants.push(going);
}

async function leaveStuck(world: ProcessWorld, story: Story, life: Life, tenant: Tenant): Promise<void> {
  liftStrikes(world, tenant);
  if (story.whenStuck === 'delete') await ask(() => remove(world, undisturbedStory(story), life, tenant));
  else if (story.whenStuck === 'abandon') await ask(() => world.api.abandon(tenant.tenantId, 'the story says so'));
  else await retry(world, tenant);
}

function undisturbedStory(story: Story): Story {
  return { ...story, ...undisturbed };
}

async function expectQuarantined({ create }: ProcessWorld, { subject }: Story, slug: string): Promise<void> {
  const answer = await create(slug, 'hold', subject).catch((error: unknown) => error);
  if (answer instanceof ApiError && answer.code === 'SLUG_TAKEN') return;
  throw new Error(`the slug ${slug} of a tenant that was active is free again`, { cause: answer });
}
