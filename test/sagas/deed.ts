import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs';
import { expect } from 'vitest';
import { difference } from '../../sandbox/inventory/difference.ts';
import type { InventoryItem } from '../../sandbox/inventory/item.ts';
import { isOfTenant } from '../../sandbox/inventory/selection.ts';
import type { PreviewedStepView, PreviewView } from '../../src/client/views.ts';
import { listSteps } from '../../src/db/steps.ts';
import type { SagaWorld } from '../../testing/sagas/world.ts';

/** Fields of steps' specs, as AWS itself has them. */
type Fields = Readonly<Record<string, unknown>>;

/** All that a tenant consists of at one moment. */
export interface Sight {
  readonly items: readonly InventoryItem[];
  readonly fields: ReadonlyMap<string, Fields>;
  readonly ledger: ReadonlyMap<
    string,
    { readonly state: string; readonly outputs: Readonly<Record<string, unknown>> | null }
  >;
}

export async function sightOf(world: SagaWorld, tenant: { tenantId: string; slug: string }): Promise<Sight> {
  const items = (await world.inventory()).filter(isOfTenant(tenant));
  const rows = await listSteps(world.database, tenant.tenantId);
  return {
    items: items.filter(({ kind }) => !consequences.includes(kind)),
    fields: await fieldsInAws(world, items),
    ledger: new Map(rows.map(({ stepId, state, outputs }) => [stepId, { state, outputs }])),
  };
}

/** What ECS makes of a service, by itself. */
const consequences = ['ecs:task', 'elbv2:target', 'local:task-listener'];

async function fieldsInAws({ platform, target }: SagaWorld, items: readonly InventoryItem[]) {
  const { cluster = '' } = platform.cells[0] ?? {};
  const ecs = new ECSClient({ endpoint: target.endpointUrl, region: target.region, credentials: target.credentials });
  const stepOf = (arn = '') => items.find(({ id }) => id === arn)?.owner?.step ?? '';
  const found = new Map<string, Fields>();
  try {
    for (const { id } of items.filter(({ kind, residue }) => kind === 'ecs:service' && residue === undefined)) {
      const [service] = (await ecs.send(new DescribeServicesCommand({ cluster, services: [id] }))).services ?? [];
      const asked = new DescribeTaskDefinitionCommand({ taskDefinition: service?.taskDefinition });
      const { taskDefinition } = await ecs.send(asked);
      const [container] = taskDefinition?.containerDefinitions ?? [];
      found.set(stepOf(id), { desiredCount: service?.desiredCount });
      found.set(stepOf(service?.taskDefinition), {
        ...{ cpu: taskDefinition?.cpu, memory: taskDefinition?.memory, image: container?.image },
        ...named('environment', container?.environment, 'value'),
        ...named('secrets', container?.secrets, 'valueFrom'),
      });
    }
    return found;
  } finally {
    ecs.destroy();
  }
}

function named<K extends string>(
  field: string,
  list: readonly (Readonly<Partial<Record<K, string>>> & { readonly name?: string })[] = [],
  value: K,
): Fields {
  return Object.fromEntries(list.map((one) => [`${field}.${one.name ?? ''}`, one[value]]));
}

/** Kinds whose steps have nothing of their own in AWS or PostgreSQL. */
const withoutThings = ['slug-reservation', 'tenant-activation', 'postgres-password'];

/**
 * Expects that a preview said all that became otherwise, and nothing else: which things came, went and changed, and each field of a step
 * with what it was and is, in AWS and by the ledger.
 * @param follows changes of fields are not foretold: they follow from what the steps read when they are walked
 */
export function expectForetold(
  { steps }: Pick<PreviewView, 'steps'>,
  before: Sight,
  after: Sight,
  { follows }: { readonly follows: boolean },
): void {
  const previewed = new Map(steps.map((step) => [step.stepId, step]));
  expect(unforeseen(previewed, before, after)).toEqual([]);
  for (const { stepId, kind, becomes, transient } of steps) {
    const row = after.ledger.get(stepId);
    const isGone = becomes === 'drop' || transient;
    const state = isGone ? 'removed' : 'ready';
    expect([stepId, becomes, row?.state]).toEqual([stepId, becomes, state]);
    if (withoutThings.includes(kind)) continue;
    const is = [isThere(before, stepId), isThere(after, stepId)];
    expect([stepId, becomes, ...is]).toEqual([stepId, becomes, becomes !== 'make', !isGone]);
  }
  for (const stepId of before.fields.keys()) {
    const step = previewed.get(stepId);
    if (!after.fields.has(stepId) || (follows && step?.becomes === 'change')) continue;
    expect([stepId, changedFields(stepId, before, after)]).toEqual([stepId, foretoldFields(step, before, after)]);
  }
}

const isThere = ({ items }: Sight, stepId: string) =>
  items.some(({ owner, residue }) => owner?.step === stepId && residue === undefined);

/** Differences of things whose step was to stay as it is. */
function unforeseen(previewed: ReadonlyMap<string, PreviewedStepView>, before: Sight, after: Sight): string[] {
  const { added, removed, changed } = difference(before.items, after.items);
  const revokes = [...previewed.values()].some((step) => step.kind === 'postgres-password' && step.becomes !== 'keep');
  const touched = [
    ...[...added, ...removed].map((item) => ({ item, what: 'it came or went' })),
    ...changed.map(({ before: item, facts }) => {
      // Whose password is replaced has another version of its secret.
      const own = facts.filter(({ name }) => name !== 'versions' || !revokes);
      return { item, what: own.map((fact) => fact.name).join(', ') };
    }),
  ].filter(({ what }) => what !== '');
  return touched
    .filter(({ item }) => (previewed.get(item.owner?.step ?? '')?.becomes ?? 'keep') === 'keep')
    .map(({ item, what }) => `${item.kind} ${item.name ?? item.id} of ${item.owner?.step ?? 'no step'}: ${what}`);
}

type Changes = Readonly<Record<string, readonly [from: string | undefined, to: string | undefined]>>;

function changedFields(stepId: string, before: Sight, after: Sight): Changes {
  const [from = {}, to = {}] = [before.fields.get(stepId), after.fields.get(stepId)];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return Object.fromEntries(
    names.flatMap((name) => (from[name] === to[name] ? [] : [[name, [textOf(from[name]), textOf(to[name])] as const]])),
  );
}

/** References are what the ledger has for them; what is left to the template is what AWS has. */
function foretoldFields(step: PreviewedStepView | undefined, before: Sight, after: Sight): Changes {
  const fields = [...(step?.fields ?? [])].sort((a, b) => (a.field < b.field ? -1 : 1));
  const value = (sight: Sight, field: string, said: unknown) =>
    textOf(said === undefined ? sight.fields.get(step?.stepId ?? '')?.[field] : resolved(sight, said));
  return Object.fromEntries(
    fields.map(({ field, from, to }) => [field, [value(before, field, from), value(after, field, to)] as const]),
  );
}

function resolved({ ledger }: Sight, said: unknown): unknown {
  const { field, step } =
    /^\((?<field>\w+) of (?<step>\S+)\)$/.exec(typeof said === 'string' ? said : '')?.groups ?? {};
  return step === undefined || field === undefined ? said : ledger.get(step)?.outputs?.[field];
}

function textOf(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}
