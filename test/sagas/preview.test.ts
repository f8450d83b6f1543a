import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PreviewView } from '../../src/client/views.ts';
import { isOpen } from '../../src/contracts/operation-state.ts';
import { operationTable, operationTypes, type OperationType } from '../../src/contracts/operation-table.ts';
import { caller } from '../../testing/caller.ts';
import type { Fault } from '../../testing/sagas/faults.ts';
import { freshSlug, startSagaWorld, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';
import { expectForetold, sightOf, type Sight } from './deed.ts';

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
  /** What was done before the request: an operation that it is for. */
  readonly first?: (tenantId: string) => Promise<unknown>;
  /** Default: `succeeded`. */
  readonly ends?: 'succeeded' | 'cancelled';
  /** Its fields follow from what its steps read. */
  readonly follows?: true;
}

const slug = freshSlug();
const wish = { product: 'moamalat', slug, displayName: 'Previewed', contactEmail: 'saga@example.com' };
const backend = (choice: object) => ({ settings: { services: { backend: choice } } });
const update = (input: object): Deed => ({
  type: 'update',
  preview: (id) => world.client.previewChange(caller, id, input),
  act: (id) => world.client.changeTenant(caller, id, input),
});
const mode = (type: 'suspend' | 'resume'): Deed => ({
  type,
  preview: (id) => world.client.previewMode(caller, id, type, {}),
  act: (id) => world.client.changeMode(caller, id, type, {}),
});
/** What an operator asks of an update that failed and holds. What is taken back has had its effect, what runs again has not. */
const control = (verb: 'retry' | 'cancel', count: number): Deed => ({
  type: 'update',
  first: async (id) => {
    const when = verb === 'cancel' ? 'after' : 'before';
    world.injection.faults = [{ stepId: 'deploy_backend', verb: 'ensure', when }];
    await world.client.changeTenant(caller, id, { ...backend({ count, cpu: 256, memory: 512 }), onFailure: 'hold' });
    await world.until({ tenantId: id, slug, workflowId: '' }, 'holding');
    world.injection.faults = [];
  },
  preview: (id) => world.client.previewControl(caller, id, verb),
  act: (id) => world.client[verb](caller, id),
  ends: verb === 'cancel' ? 'cancelled' : 'succeeded',
});
/** One tenant's life, in order. A new type of operation joins with a line. */
const life: readonly Deed[] = [
  update(backend({ count: 2, cpu: 512, memory: 1_024 })),
  {
    type: 'update',
    preview: (id) => world.client.previewScaling(caller, id, { service: 'backend', count: 1 }),
    act: (id) => world.client.scaleTenant(caller, id, { service: 'backend', count: 1 }),
  },
  control('cancel', 2),
  control('retry', 2),
  { ...update({ refresh: true }), follows: true },
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
    follows: true,
  },
  {
    type: 'deprovision',
    preview: (id) => world.client.previewDeletion(caller, id),
    act: (id) => world.client.deleteTenant(caller, id, { confirm: slug, graceMs: 0 }),
  },
];

it('a preview says what its run then does, field by field, for every operation of a life', async () => {
  // No tenant of the product changes its tier: migration.test.ts has one that does.
  const types = operationTypes.filter((type) => operationTable[type].changesTier !== true);
  expect(new Set([...life.map(({ type }) => type), 'provision'])).toEqual(new Set(types));
  const creation = await world.client.previewCreation(caller, wish);
  expect(creation.expected).toBeNull();
  const nothing: Sight = { items: [], fields: new Map(), ledger: new Map() };
  const begun = now();
  const { tenantId } = await world.client.createTenant(caller, wish);
  let seen = await expectAsPreviewed(tenantId, creation, { from: begun, before: nothing });
  for (const { type, preview, act, first, ends, follows } of life) {
    if (first) {
      await first(tenantId);
      seen = await sightOf(world, { tenantId, slug });
    }
    const previewed = await preview(tenantId);
    expect(previewed.operation).toBe(type);
    const from = { ...now(), eventId: await lastEvent(tenantId) };
    await act(tenantId);
    seen = await expectAsPreviewed(tenantId, previewed, { from, before: seen, ends, follows });
  }
  const next = await world.client.previewCreation(caller, { ...wish, slug: freshSlug() });
  expect(next.expected?.medianMs).toBeGreaterThan(0);
  expect(next.steps.filter(({ expected }) => expected === null)).toEqual([]);
});

it('a preview of an abandonment says what then stays, and what the tenant is', async () => {
  const run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
  const fault = { stepId: 'deploy_backend', verb: 'ensure', when: 'before' } as const satisfies Fault;
  world.injection.faults = [
    { ...fault, when: 'after' },
    { ...fault, goesBack: true },
  ];
  await world.client.changeTenant(caller, run.tenantId, backend({ count: 2 }));
  await world.until(run, 'stuck');
  world.injection.faults = [];
  const previewed = await world.client.previewAbandonment(caller, run.tenantId, { reason: 'left as it is' });
  expect(previewed.control?.leftovers.map(({ stepId }) => stepId)).toContain('deploy_backend');
  const before = await sightOf(world, run);
  await world.client.abandon(caller, run.tenantId, { reason: 'left as it is' });
  const { status, leftovers } = await world.client.status(caller, run.tenantId);
  expect(previewed.control).toMatchObject({ verb: 'abandon', state: 'stuck', tenantStatus: status, leftovers });
  expect(previewed.settings).toEqual((await world.client.get(caller, run.tenantId)).settings);
  expect((await sightOf(world, run)).fields).toEqual(before.fields);
});

const now = () => ({ seq: world.gateway.calls().at(-1)?.seq ?? 0, eventId: 0 });
const eventsOf = (tenantId: string, after = 0) => world.client.events(caller, tenantId, { after, limit: 1_000 });
const lastEvent = async (tenantId: string) => (await eventsOf(tenantId)).at(-1)?.id ?? 0;

interface Known {
  readonly from: ReturnType<typeof now>;
  readonly before: Sight;
  readonly ends?: Deed['ends'];
  readonly follows?: boolean | undefined;
}

async function expectAsPreviewed(
  tenantId: string,
  previewed: PreviewView,
  { from, before, ends = 'succeeded', follows = false }: Known,
): Promise<Sight> {
  await expect
    .poll(async () => isOpen((await world.client.status(caller, tenantId)).operation.state), { timeout: 120_000 })
    .toBe(false);
  const { operation, status } = await world.client.status(caller, tenantId);
  expect([previewed.operation, operation.state]).toEqual([operation.type, ends]);
  expect(previewed.control?.tenantStatus ?? status).toBe(status);
  const own = (await eventsOf(tenantId, from.eventId)).filter(
    ({ operationId }) => operationId === operation.operationId,
  );
  const removed = own.filter(({ type }) => type === 'step.removed').map(({ stepId }) => stepId);
  const dropped = previewed.steps.filter(({ becomes }) => becomes === 'drop').map(({ stepId }) => stepId);
  expect(new Set(removed)).toEqual(new Set(dropped));
  const made = own.filter(({ type }) => type === 'step.started').map(({ stepId }) => stepId);
  const walked = previewed.steps.filter(({ becomes }) => becomes !== 'drop' && becomes !== 'keep');
  for (const stepId of made) expect(walked.map((step) => step.stepId)).toContain(stepId);
  const changes = world.gateway.calls(from.seq).filter(({ kind, caller: by }) => kind === 'change' && by.stepId);
  for (const { service, action, caller: by } of changes) {
    const allowed = previewed.steps.find(({ stepId }) => stepId === by.stepId)?.calls ?? [];
    expect([operation.type, by.stepId, allowed]).toEqual([
      operation.type,
      by.stepId,
      expect.arrayContaining([`${service}:${action}`]),
    ]);
  }
  const after = await sightOf(world, { tenantId, slug });
  expectForetold(previewed, before, after, { follows });
  return after;
}
