import { describe, expect, it } from 'vitest';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import type { Step } from '../../../src/contracts/blueprint.ts';
import { differences } from '../../../src/plan/differences.ts';
import { orderOut, transientProblems, withoutTransient } from '../../../src/plan/transient-steps.ts';
import { acceptanceProblems } from '../../../src/products/acceptance-problems.ts';
import { accounts } from '../../../src/products/accounts/product.ts';
import { resolveUnplaced } from '../../../src/products/places.ts';
import { accountsInExample, exampleCell } from '../../support/platform.ts';

const id = '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11';
const own = `app-prod-account-${id}`;
const cell = exampleCell({
  ...accountsInExample,
  products: ['accounts'],
  ssmParameters: { ...accountsInExample.ssmParameters, '/platform/dynamodb/router-lease-seconds': '40' },
});
const settings = { name: 'ACME' };

const resolve = (tier: string, request: { cameFrom?: string | null; isMoving?: boolean } = {}) =>
  resolveUnplaced(accounts, cell, { tenantId: id, slug: id, tier, settings, ...request });
const before = resolve('public').steps;
const moving = resolve('private', { cameFrom: 'public', isMoving: true });
const after = resolve('private', { cameFrom: 'public' }).steps;

function expectInOrder(order: readonly string[], ...ids: readonly string[]): void {
  expect(order.filter((each) => ids.includes(each))).toEqual(ids);
}

/** Orders of making: what a step needs comes before it. */
function orderIn(steps: readonly Step[]): string[] {
  const order: string[] = [];
  const visit = (stepId: string) => {
    if (order.includes(stepId)) return;
    for (const needed of steps.find((step) => step.id === stepId)?.needs ?? []) visit(needed);
    if (steps.some((step) => step.id === stepId)) order.push(stepId);
  };
  for (const step of steps) visit(step.id);
  return order;
}

const specOf = (steps: readonly Step[], stepId: string) => steps.find((step) => step.id === stepId)?.spec;

describe('the move of an account to a table of its own', () => {
  it('is one that the door takes, beside what the public account is', () => {
    const tenant = { cell, tenantId: id, slug: id, host: undefined, loadBalancer: undefined, isMoving: true };
    expect(acceptanceProblems(defaultCatalog.kinds, accounts, moving, tenant)).toEqual([]);
    expect(transientProblems(moving.steps, before)).toEqual([]);
  });

  it('announces itself before a row is copied, and changes what others read before it closes the fence, last of all', () => {
    const order = orderIn(moving.steps);
    expectInOrder(order, 'create_stack', 'put_dedicated_metadata', 'fence', 'announce_move', 'await_routers');
    expectInOrder(order, 'await_routers', 'note_stream', 'copy_rows', 'mark', 'close_fence', 'finalize');
    expectInOrder(order, 'copy_rows', 'put_shared_metadata', 'put_discovery', 'put_discovery:stream', 'close_fence');
    expectInOrder(order, 'activate', 'close_fence');
    expect(moving.steps.find((step) => step.id === 'close_fence')).toMatchObject({ last: true, transient: true });
  });

  it('switches first past the commit, and lets go of the fence last, after the rows', () => {
    const target = new Set(moving.steps.map((step) => step.id));
    const order = orderOut(
      moving.steps,
      before.filter((step) => !target.has(step.id)),
    );
    expect(order[0]).toBe('close_fence');
    expectInOrder(order, 'close_fence', 'await_routers', 'announce_move', 'release_routers', 'rows', 'fence');
  });

  it('waits for routers as long as their lease, and for what they read as long as that is good', () => {
    const lease = { parameter: '/platform/dynamodb/router-lease-seconds', seconds: 40 };
    expect(specOf(moving.steps, 'await_routers')).toEqual({
      parameter: { name: `/accounts/${id}/move`, value: own },
      seconds: 40,
      removal: { pastCommit: 5, undone: 5 },
      lease,
    });
    expect(specOf(moving.steps, 'release_routers')).toEqual({
      ...{ seconds: 0, removal: { pastCommit: 40, undone: 0 }, lease },
    });
  });

  it('leaves what a private account that was public is in every later operation', () => {
    const applied = withoutTransient(moving.steps);
    expect(differences(applied, after, (kind) => defaultCatalog.kinds.kinds.get(kind) ?? {})).toEqual([]);
    expect(after.map((step) => step.id)).not.toContain('rows');
    expect(specOf(after, 'put_discovery')?.['values']).toMatchObject({
      'table-name': { ref: 'create_stack.TableName' },
    });
    expect(specOf(after, 'create_stack')?.['parameters']).toMatchObject({ PublishParameters: 'false' });
    expect(specOf(resolve('private').steps, 'create_stack')?.['parameters']).toMatchObject({
      PublishParameters: 'true',
    });
    expect(resolve('private').steps.map((step) => step.id)).not.toContain('put_discovery');
  });

  it('changes nothing for good but what kinds can bring what is there to', () => {
    const problems = differences(
      before,
      withoutTransient(moving.steps),
      (kind) => defaultCatalog.kinds.kinds.get(kind) ?? {},
    )
      .filter(({ is }) => is === 'changed')
      .flatMap((difference) => difference.problems);
    expect(problems).toEqual([]);
  });
});
