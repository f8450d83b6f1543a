import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PreviewView } from '../../src/client/views.ts';
import { isOpen } from '../../src/contracts/operation-state.ts';
import type { OperationType } from '../../src/contracts/operation-table.ts';
import { caller } from '../../testing/caller.ts';
import { freshSlug, startSagaWorld, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
});
afterAll(() => world.close());

/** A request, and what a preview of it says. */
interface Deed {
  readonly type: OperationType;
  readonly preview: (tenantId: string) => Promise<PreviewView>;
  readonly act: (tenantId: string) => Promise<unknown>;
}

const slug = freshSlug();
const wish = { product: 'moamalat', slug, displayName: 'Previewed', contactEmail: 'saga@example.com' };
const count = (n: number) => ({ settings: { services: { backend: { count: n } } } });
const mode = (type: 'suspend' | 'resume'): Deed => ({
  type,
  preview: (id) => world.client.previewMode(caller, id, type, {}),
  act: (id) => world.client.changeMode(caller, id, type, {}),
});
/** One tenant's life, in order. A new type of operation joins with a line. */
const life: readonly Deed[] = [
  {
    type: 'update',
    preview: (id) => world.client.previewChange(caller, id, count(2)),
    act: (id) => world.client.changeTenant(caller, id, count(2)),
  },
  {
    type: 'update',
    preview: (id) => world.client.previewScaling(caller, id, { service: 'backend', count: 1 }),
    act: (id) => world.client.scaleTenant(caller, id, { service: 'backend', count: 1 }),
  },
  mode('suspend'),
  mode('resume'),
  {
    type: 'rotate',
    preview: (id) => world.client.previewRotation(caller, id, {}),
    act: (id) => world.client.rotateTenant(caller, id, {}),
  },
  {
    type: 'repair',
    preview: (id) => world.client.previewRepair(caller, id),
    act: (id) => world.client.repairTenant(caller, id, {}),
  },
  {
    type: 'deprovision',
    preview: (id) => world.client.previewDeletion(caller, id),
    act: (id) => world.client.deleteTenant(caller, id, { confirm: slug, graceMs: 0 }),
  },
];

it('a preview says what its run then does, for every operation of a life', async () => {
  const creation = await world.client.previewCreation(caller, wish);
  expect(creation.expected).toBeNull();
  const begun = seq();
  const { tenantId } = await world.client.createTenant(caller, wish);
  await expectAsPreviewed(tenantId, creation, begun);
  for (const { type, preview, act } of life) {
    const previewed = await preview(tenantId);
    expect(previewed.operation).toBe(type);
    const from = seq();
    await act(tenantId);
    await expectAsPreviewed(tenantId, previewed, from);
  }
  const next = await world.client.previewCreation(caller, { ...wish, slug: freshSlug() });
  expect(next.expected?.medianMs).toBeGreaterThan(0);
  expect(next.steps.filter(({ expected }) => expected === null)).toEqual([]);
});

const seq = () => world.gateway.calls().at(-1)?.seq ?? 0;

async function expectAsPreviewed(tenantId: string, previewed: PreviewView, from: number): Promise<void> {
  await expect
    .poll(async () => isOpen((await world.client.status(caller, tenantId)).operation.state), { timeout: 120_000 })
    .toBe(false);
  const { operation } = await world.client.status(caller, tenantId);
  expect([previewed.operation, operation.state]).toEqual([operation.type, 'succeeded']);
  const events = await world.client.events(caller, tenantId, { after: 0, limit: 1_000 });
  const own = events.filter(({ operationId }) => operationId === operation.operationId);
  const removed = own.filter(({ type }) => type === 'step.removed').map(({ stepId }) => stepId);
  const dropped = previewed.steps.filter(({ becomes }) => becomes === 'drop').map(({ stepId }) => stepId);
  expect(new Set(removed)).toEqual(new Set(dropped));
  const made = own.filter(({ type }) => type === 'step.started').map(({ stepId }) => stepId);
  const walked = previewed.steps.filter(({ becomes }) => becomes !== 'drop' && becomes !== 'keep');
  for (const stepId of made) expect(walked.map((step) => step.stepId)).toContain(stepId);
  const changes = world.gateway.calls(from).filter(({ kind, caller: by }) => kind === 'change' && by.stepId);
  for (const { service, action, caller: by } of changes) {
    const allowed = previewed.steps.find(({ stepId }) => stepId === by.stepId)?.calls ?? [];
    expect([operation.type, by.stepId, allowed]).toEqual([
      operation.type,
      by.stepId,
      expect.arrayContaining([`${service}:${action}`]),
    ]);
  }
}
