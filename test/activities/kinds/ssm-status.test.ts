import { randomUUID } from 'node:crypto';
import {
  AddTagsToResourceCommand,
  DeleteParameterCommand,
  GetParametersByPathCommand,
  PutParameterCommand,
  RemoveTagsFromResourceCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { beforeAll, describe, expect, it } from 'vitest';
import { INSTALLATION_TAG, TENANT_TAG } from '../../../src/aws/tags.ts';
import { insertOperation } from '../../../src/db/operations.ts';
import { ssmParameters } from '../../../src/kinds/ssm-parameters/kind.ts';
import { ssmStatus } from '../../../src/kinds/ssm-status/kind.ts';
import { markerOfTags } from '../../../src/naming.ts';
import { testCaller } from '../../support/caller.ts';
import type { ContextOf } from '../../support/kinds.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
let ssm: SSMClient;
beforeAll(() => {
  ssm = new SSMClient(world.target);
});

type Resolved = ContextOf<'ssm-status'>['spec'];

/** An account that is creating; what is noted of the removal stays from one context to the next. */
async function account(change: Partial<Resolved> = {}) {
  const tenant = await newTenant(world);
  const path = `/accounts/${tenant.id}/`;
  const words = { statusParameter: 'provisioning-status', errorParameter: 'provisioning-error' };
  const spec: Resolved = { path, ...words, ready: 'active', failed: 'failed', removing: 'deleting', ...change };
  const noted = new Map<string, string>();
  const context = (settings: ContextSettings<'ssm-status'> = {}) =>
    contextOf<'ssm-status'>(world, tenant, spec, { ...settings, noted });
  const mark = contextOf<'ssm-parameters'>(world, tenant, {
    path,
    parameters: { 'provisioning-status': { isInitial: true }, 'provisioning-error': { isInitial: true } },
    values: { 'provisioning-status': 'creating', 'provisioning-error': 'none' },
  });
  return { tenant, path, context, mark, noted };
}

const removing = { removingAt: new Date() };

async function made(change: Partial<Resolved> = {}) {
  const one = await account(change);
  await ssmParameters.ensure(one.mark);
  return one;
}

async function valuesBelow(Path: string): Promise<Record<string, string>> {
  const { Parameters = [] } = await ssm.send(new GetParametersByPathCommand({ Path, Recursive: true }));
  return Object.fromEntries(Parameters.map(({ Name = '', Value = '' }) => [Name.slice(Path.length), Value]));
}

const put = (Name: string, Value: string) =>
  ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));

/** An operation of the tenant that goes back. */
async function goingBack(tenantId: string, failure: object | null, isCancelled = false): Promise<string> {
  const id = randomUUID();
  await world.db.transaction((tx) =>
    insertOperation(tx, {
      ...{ id, tenantId, cell: world.cell.id, type: 'provision', onFailure: 'rollback', holdMs: 0 },
      ...{ workflowId: `tenant.moamalat.${tenantId}`, blueprint: {}, caller: testCaller },
    }),
  );
  await world.db.query(
    `update operations set state = 'rolling-back', failure = $2, cancel_requested_at = case when $3 then now() end where id = $1`,
    [id, JSON.stringify(failure), isCancelled],
  );
  return id;
}

describe('ssm-status', () => {
  it('writes its word where another step made the parameter, and leaves the rest of the path alone', async () => {
    const { path, context } = await made();
    expect(await ssmStatus.ensure(context())).toEqual({
      status: 'ready',
      outputs: { name: `${path}provisioning-status` },
    });
    expect(await valuesBelow(path)).toEqual({ 'provisioning-status': 'active', 'provisioning-error': 'none' });
    expect(await ssmStatus.observe(context())).toMatchObject({ status: 'ready' });
  });

  it('writes nothing without a word, and is ready whatever the status is', async () => {
    const { path, context } = await made({ ready: undefined });
    await ssmStatus.ensure(context());
    expect(await ssmStatus.observe(context())).toMatchObject({ status: 'ready' });
    expect(await valuesBelow(path)).toMatchObject({ 'provisioning-status': 'creating' });
    expect(await ssmStatus.differs?.(context())).toEqual([]);
  });

  it('never makes the parameter, and says that it is not there', async () => {
    const { path, context } = await account();
    const { code, message } = await stepErrorOf(ssmStatus.ensure(context()));
    expect({ code, message }).toEqual({
      code: 'CONFLICT_RETRYABLE',
      message: `parameter ${path}provisioning-status is not there (yet)`,
    });
    expect(await ssmStatus.observe(context())).toMatchObject({ status: 'absent' });
    expect(await ssmStatus.remove(context(removing))).toMatchObject({ status: 'removed', missing: true });
    expect(await valuesBelow(path)).toEqual({});
  });

  it("refuses a parameter of somebody else's, and leaves it alone when it is removed", async () => {
    const { path, context } = await account();
    const Name = `${path}provisioning-status`;
    await put(Name, 'theirs');
    const Tags = [
      { Key: INSTALLATION_TAG, Value: world.installationId },
      { Key: TENANT_TAG, Value: randomUUID() },
    ];
    await ssm.send(new AddTagsToResourceCommand({ ResourceType: 'Parameter', ResourceId: Name, Tags }));
    expect(await stepErrorOf(ssmStatus.ensure(context()))).toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
    expect(await ssmStatus.remove(context(removing))).toMatchObject({ status: 'removed' });
    expect(await valuesBelow(path)).toEqual({ 'provisioning-status': 'theirs' });
  });

  it('is not removed while its parameter has lost its mark: nobody would be told before the data goes', async () => {
    const { path, context } = await made();
    await ssmStatus.ensure(context());
    const TagKeys = Object.keys(context().tags);
    const ResourceId = `${path}provisioning-status`;
    await ssm.send(new RemoveTagsFromResourceCommand({ ResourceType: 'Parameter', ResourceId, TagKeys }));
    expect(await stepErrorOf(ssmStatus.ensure(context()))).toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
    expect(await stepErrorOf(ssmStatus.remove(context(removing)))).toMatchObject({ code: 'STILL_PRESENT' });
    expect(await valuesBelow(path)).toMatchObject({ 'provisioning-status': 'active' });
  });

  it('tells of a status that was changed by hand, and puts it back', async () => {
    const { path, context } = await made();
    await ssmStatus.ensure(context());
    await put(`${path}provisioning-status`, 'failed');
    expect(await ssmStatus.differs?.(context())).toEqual([
      { is: 'changed', field: 'provisioning-status', wanted: 'active', found: 'failed' },
    ]);
    expect(await ssmStatus.observe(context())).toMatchObject({ status: 'pending' });
    await ssmStatus.ensure(context());
    expect(await ssmStatus.differs?.(context())).toEqual([]);
  });

  it('keeps the mark of a parameter whose description alone bears it', async () => {
    const { path, context } = await account();
    const Description = markerOfTags(context().tags);
    const Name = `${path}provisioning-status`;
    await ssm.send(new PutParameterCommand({ Name, Value: 'creating', Type: 'String', Description }));
    await ssmStatus.ensure(context());
    expect(await ssmStatus.observe(context())).toMatchObject({ status: 'ready' });
  });

  describe('when it is removed', () => {
    it('says that the tenant failed, and why, when the operation goes back because of a failure', async () => {
      const { tenant, path, context } = await made();
      const operationId = await goingBack(tenant.id, { code: 'SERVICE_FAILED', message: 'no {{table}}', detail: 'x' });
      expect(await ssmStatus.remove(context({ ...removing, operationId }))).toMatchObject({ status: 'removed' });
      expect(await valuesBelow(path)).toEqual({
        'provisioning-status': 'failed',
        'provisioning-error': 'SERVICE_FAILED: no { {table}} (x)',
      });
      expect(await ssmStatus.observe(context(removing))).toMatchObject({ status: 'absent' });
    });

    it('says that the tenant is removed when its operation was cancelled, or is a deletion', async () => {
      const [cancelled, deleted] = [await made(), await made()];
      const operationId = await goingBack(cancelled.tenant.id, { code: 'SERVICE_FAILED', message: 'x' }, true);
      await ssmStatus.remove(cancelled.context({ ...removing, operationId }));
      await ssmStatus.remove(deleted.context(removing));
      const said = { 'provisioning-status': 'deleting', 'provisioning-error': 'none' };
      expect(await valuesBelow(cancelled.path)).toEqual(said);
      expect(await valuesBelow(deleted.path)).toEqual(said);
    });

    it('is not over when a word of before comes late', async () => {
      const { path, context } = await made();
      await ssmStatus.remove(context(removing));
      await put(`${path}provisioning-status`, 'active');
      expect(await ssmStatus.observe(context(removing))).toMatchObject({ status: 'ready' });
      await ssmStatus.remove(context(removing));
      expect(await ssmStatus.observe(context(removing))).toMatchObject({ status: 'absent' });
    });

    it('waits, of a tenant that was ever active, until nobody can go by an earlier word', async () => {
      const { context, noted } = await made({ drainSeconds: 60 });
      const settings = { ...removing, everActive: true };
      expect(await ssmStatus.remove(context(settings))).toMatchObject({ status: 'pending' });
      const seen = await ssmStatus.observe(context(settings));
      expect(seen).toMatchObject({ status: 'pending' });
      expect(seen.detail).toContain('until');
      noted.set('since', new Date(Date.now() - 61_000).toISOString());
      expect(await ssmStatus.observe(context(settings))).toMatchObject({ status: 'absent' });
      expect(await ssmStatus.remove(context(settings))).toMatchObject({ status: 'removed' });
    });

    it.each([
      ['a longer time', '90', 90],
      ['a shorter one', '30', 60],
    ])('waits for the longer one where its parameter says %s', async (_which, value, seconds) => {
      const drainParameter = `/platform/dynamodb/${randomUUID()}`;
      await put(drainParameter, value);
      const { context, noted } = await made({ drainSeconds: 60, drainParameter });
      const settings = { ...removing, everActive: true };
      expect(await ssmStatus.remove(context(settings))).toMatchObject({ status: 'pending' });
      await put(drainParameter, '1');
      noted.set('since', new Date(Date.now() - seconds * 1_000 + 5_000).toISOString());
      expect(await ssmStatus.observe(context(settings))).toMatchObject({ status: 'pending' });
      noted.set('since', new Date(Date.now() - seconds * 1_000 - 1_000).toISOString());
      expect(await ssmStatus.observe(context(settings))).toMatchObject({ status: 'absent' });
    });

    it('says so, with its word written, where its parameter says no time', async () => {
      const drainParameter = `/platform/dynamodb/${randomUUID()}`;
      await put(drainParameter, 'soon');
      const { context, noted } = await made({ drainSeconds: 60, drainParameter });
      const error = await stepErrorOf(ssmStatus.remove(context({ ...removing, everActive: true })));
      expect(error).toMatchObject({ code: 'INVALID_REQUEST', detail: expect.stringContaining('"soon"') as string });
      expect(noted.has('since')).toBe(false);
      await put(drainParameter, '60');
      expect(await ssmStatus.remove(context({ ...removing, everActive: true }))).toMatchObject({ status: 'pending' });
    });

    it('does not wait for a tenant that was never active', async () => {
      const { context } = await made({ drainSeconds: 60 });
      expect(await ssmStatus.remove(context(removing))).toMatchObject({ status: 'removed' });
    });

    it('waits as long where somebody deleted the parameter: its last readers are not known', async () => {
      const { path, context } = await made({ drainSeconds: 60 });
      await ssm.send(new DeleteParameterCommand({ Name: `${path}provisioning-status` }));
      expect(await ssmStatus.remove(context({ ...removing, everActive: true }))).toMatchObject({ status: 'pending' });
    });

    it('counts the time from when its word was found there, after an attempt whose answer was lost', async () => {
      const { context, noted } = await made({ drainSeconds: 60 });
      const settings = { ...removing, everActive: true };
      await ssmStatus.remove(context(settings));
      noted.delete('since');
      expect(await ssmStatus.remove(context(settings))).toMatchObject({ status: 'pending' });
      expect(Date.parse(noted.get('since') ?? '')).toBeGreaterThan(Date.now() - 30_000);
    });

    it('counts anew when its word had to be written again', async () => {
      const { path, context, noted } = await made({ drainSeconds: 60 });
      const settings = { ...removing, everActive: true };
      await ssmStatus.remove(context(settings));
      noted.set('since', new Date(0).toISOString());
      await put(`${path}provisioning-status`, 'active');
      expect(await ssmStatus.remove(context(settings))).toMatchObject({ status: 'pending' });
    });
  });
});
