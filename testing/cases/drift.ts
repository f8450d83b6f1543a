import { strict as assert } from 'node:assert';
import type { Difference } from '../../src/contracts/drift.ts';
import { findOperationContext } from '../../src/db/steps.ts';
import { lookAtStep } from '../../src/drift/look-at-step.ts';
import type { Bench } from '../bench.ts';
import type { StepDriver } from '../tenant.ts';

/** What the kind tells of the step under test beside its spec: one look, as the check of drift takes it. */
export async function differencesNow({ stand }: Bench, { tenant }: StepDriver): Promise<readonly Difference[]> {
  const { aws, cell, database, installationId, kinds, log, tenantDatabases } = stand;
  const operationContext = await findOperationContext(database, tenant.operationId);
  assert.ok(operationContext);
  const step = tenant.blueprint.steps.find(({ id }) => id === tenant.step.id);
  assert.ok(step);
  const platform = { version: 1 as const, cells: [cell] };
  const deps = { database, tenantDatabases, platform, installationId, aws: () => aws, kinds, log };
  const applied = { operationId: tenant.operationId, blueprint: tenant.blueprint, operationContext, cell };
  const look = await lookAtStep(deps, applied, step, new AbortController().signal);
  if ('unseen' in look) assert.fail(`differs: ${look.unseen.code}: ${look.unseen.message}`);
  return look.differences;
}

/** @throws AssertionError when `differs` tells something */
export async function expectNoDifference(bench: Bench, driver: StepDriver, when: string): Promise<void> {
  assert.deepEqual(await differencesNow(bench, driver), [], `differs: ${when}`);
}

/** @throws AssertionError when `differs` tells nothing */
export async function expectDifference(bench: Bench, driver: StepDriver, when: string): Promise<readonly Difference[]> {
  const found = await differencesNow(bench, driver);
  assert.notEqual(found.length, 0, `differs tells nothing: ${when}`);
  return found;
}
