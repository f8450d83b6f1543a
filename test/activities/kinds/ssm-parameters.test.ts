import {
  AddTagsToResourceCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  ListTagsForResourceCommand,
  PutParameterCommand,
  RemoveTagsFromResourceCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, it } from 'vitest';
import { ssmParameters } from '../../../src/kinds/ssm-parameters/kind.ts';
import { markerOfTags, secretName } from '../../../src/naming.ts';
import { INSTALLATION_TAG } from '../../../src/aws/tags.ts';
import type { ContextOf } from '../../support/kinds.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
let ssm: SSMClient;
beforeAll(() => {
  ssm = new SSMClient(world.target);
});

type Resolved = ContextOf<'ssm-parameters'>['spec'];

async function set(change: Partial<Resolved> = {}, settings: ContextSettings<'ssm-parameters'> = {}) {
  const tenant = await newTenant(world);
  const path = `/accounts/${tenant.id}/`;
  const spec: Resolved = {
    path,
    parameters: { 'cloud-type': {}, 'provisioning-status': { isInitial: true } },
    values: { 'cloud-type': 'public', 'provisioning-status': 'creating' },
    ...change,
  };
  const context = (more: typeof settings = {}, other: Partial<Resolved> = {}) =>
    contextOf<'ssm-parameters'>(world, tenant, { ...spec, ...other }, { ...settings, ...more });
  return { tenant, path, context };
}

const put = (Name: string, Value: string, more: object = {}) =>
  ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', ...more }));

async function valuesBelow(Path: string): Promise<Record<string, string>> {
  const { Parameters = [] } = await ssm.send(
    new GetParametersByPathCommand({ Path, Recursive: true, WithDecryption: true }),
  );
  return Object.fromEntries(Parameters.map(({ Name = '', Value = '' }) => [Name.slice(Path.length), Value]));
}

async function tagsOf(ResourceId: string): Promise<Record<string, string>> {
  const { TagList = [] } = await ssm.send(new ListTagsForResourceCommand({ ResourceType: 'Parameter', ResourceId }));
  return Object.fromEntries(TagList.map(({ Key = '', Value = '' }) => [Key, Value]));
}

describe('ssm-parameters', () => {
  it('leaves alone what others have below its path, while it is made, compared and removed', async () => {
    const { path, context } = await set();
    await put(`${path}dynamodb/table-name`, 'of the stack');
    await ssmParameters.ensure(context());
    expect(await ssmParameters.differs?.(context())).toEqual([]);
    expect(await ssmParameters.remove(context({ removingAt: new Date() }))).toMatchObject({ status: 'removed' });
    expect(await valuesBelow(path)).toEqual({ 'dynamodb/table-name': 'of the stack' });
    expect(await ssmParameters.observe(context({ removingAt: new Date() }))).toMatchObject({ status: 'absent' });
  });

  it('refuses a set of which one parameter is somebody else’s, before anything is made or written over', async () => {
    const { path, context } = await set();
    await put(`${path}provisioning-status`, 'theirs');
    expect(await stepErrorOf(ssmParameters.ensure(context()))).toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
    await ssmParameters.remove(context({ removingAt: new Date() }));
    expect(await valuesBelow(path)).toEqual({ 'provisioning-status': 'theirs' });
  });

  it('waits for the mark of what an attempt without an answer may have made', async () => {
    const { path, context } = await set();
    await put(`${path}cloud-type`, 'public');
    const refused = await stepErrorOf(ssmParameters.ensure(context({ mayExist: true })));
    expect(refused).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    await put(`${path}cloud-type`, 'another', { Overwrite: true });
    const foreign = await stepErrorOf(ssmParameters.ensure(context({ mayExist: true })));
    expect(foreign).toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
  });

  it('writes an initial value once, and leaves it to others', async () => {
    const { path, context } = await set();
    await ssmParameters.ensure(context());
    await put(`${path}provisioning-status`, 'active', { Overwrite: true });
    await put(`${path}cloud-type`, 'by hand', { Overwrite: true });
    expect(await ssmParameters.differs?.(context())).toEqual([
      { is: 'changed', field: 'cloud-type.value', wanted: 'public', found: 'by hand' },
    ]);
    await ssmParameters.ensure(context());
    expect(await valuesBelow(path)).toEqual({ 'cloud-type': 'public', 'provisioning-status': 'active' });
  });

  it('takes off the tags that the other side of an update has, and none of others', async () => {
    const { path, context } = await set({ tags: { team: 'a', cost: '1' } });
    await ssmParameters.ensure(context());
    const name = `${path}cloud-type`;
    const Tags = [{ Key: 'theirs', Value: 'x' }];
    await ssm.send(new AddTagsToResourceCommand({ ResourceType: 'Parameter', ResourceId: name, Tags }));
    await ssmParameters.ensure(context({ otherSpec: context().spec }, { tags: { team: 'b' } }));
    const { team, cost, theirs, ...mark } = await tagsOf(name);
    expect({ team, cost, theirs }).toEqual({ team: 'b', cost: undefined, theirs: 'x' });
    expect(mark).toEqual(context().tags);
  });

  it('knows a parameter that a late overwrite made anew by its description, and gives it its tags', async () => {
    const { path, context } = await set();
    const Description = markerOfTags(context().tags);
    await put(`${path}cloud-type`, 'late', { Overwrite: true, Description });
    await ssmParameters.ensure(context());
    expect(await tagsOf(`${path}cloud-type`)).toEqual(context().tags);
    expect(await valuesBelow(path)).toMatchObject({ 'cloud-type': 'public' });
    await ssmParameters.remove(context({ removingAt: new Date() }));
    await put(`${path}cloud-type`, 'late', { Overwrite: true, Description });
    expect(await ssmParameters.observe(context({ removingAt: new Date() }))).toMatchObject({ status: 'ready' });
    await ssmParameters.remove(context({ removingAt: new Date() }));
    expect(await valuesBelow(path)).toEqual({});
  });

  it('does not take the description of one whose tags were taken off for its mark', async () => {
    const { path, context } = await set();
    await ssmParameters.ensure(context());
    await ssmParameters.ensure(context({}, { values: { 'cloud-type': 'private', 'provisioning-status': 'x' } }));
    const ResourceId = `${path}cloud-type`;
    const TagKeys = Object.keys(context().tags);
    await ssm.send(new RemoveTagsFromResourceCommand({ ResourceType: 'Parameter', ResourceId, TagKeys }));
    expect(await stepErrorOf(ssmParameters.ensure(context()))).toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
    const lost = (await ssmParameters.differs?.(context()))?.map(({ field, remedy }) => [field, remedy]);
    expect(lost).toContainEqual([`cloud-type.tags.${INSTALLATION_TAG}`, 'hand']);
  });

  it('tells of a parameter of another type, which AWS cannot change, and removes it all the same', async () => {
    const { path, context } = await set();
    await ssmParameters.ensure(context());
    const other: Partial<Resolved> = {
      parameters: { 'cloud-type': { type: 'SecureString' }, 'provisioning-status': {} },
      values: { 'cloud-type': await makeSecret((await set()).tenant.id), 'provisioning-status': 'creating' },
    };
    expect(await ssmParameters.differs?.(context({}, other))).toEqual([
      { is: 'changed', field: 'cloud-type.type', wanted: 'SecureString', found: 'String', remedy: 'hand' },
    ]);
    const refused = await stepErrorOf(ssmParameters.ensure(context({}, other)));
    expect(refused.message).toContain('AWS makes no SecureString of it');
    await ssmParameters.remove(context({ removingAt: new Date() }, other));
    expect(await valuesBelow(path)).toEqual({});
  });

  it('gives a SecureString the value and key of its spec, and tells of another one without saying it', async () => {
    const { tenant, path, context } = await set();
    const secure: Partial<Resolved> = {
      parameters: { key: { type: 'SecureString', keyId: 'alias/own' } },
      values: { key: await makeSecret(tenant.id) },
    };
    await ssmParameters.ensure(context({}, secure));
    expect(await valuesBelow(path)).toEqual({ key: secretValue });
    const Value = 'stolen-and-known';
    await put(`${path}key`, Value, { Type: 'SecureString', KeyId: 'alias/theirs', Overwrite: true });
    const told = await ssmParameters.differs?.(context({}, secure));
    expect(told?.map(({ field }) => field)).toEqual(['key.value', 'key.keyId']);
    expect(JSON.stringify(told)).not.toMatch(new RegExp(`${Value}|${secretValue}`));
    await ssmParameters.ensure(context({}, secure));
    expect(await ssmParameters.differs?.(context({}, secure))).toEqual([]);
  });

  it('refuses a secret that no parameter can hold without saying it', async () => {
    const { tenant, context } = await set();
    const long = 'x'.repeat(4_097);
    const secure: Partial<Resolved> = {
      parameters: { key: { type: 'SecureString' } },
      values: { key: await makeSecret(tenant.id, long) },
    };
    const refused = await stepErrorOf(ssmParameters.ensure(context({}, secure)));
    expect(refused.code).toBe('INVALID_REQUEST');
    expect(refused.message).toContain('larger than 4096 bytes');
    expect(refused.message).not.toContain(long);
  });

  it('makes what is missing of a set, and takes away what is there of it', async () => {
    const { path, context } = await set();
    await ssmParameters.ensure(context());
    await world.aws.markedParameters.removeParameters([`${path}cloud-type`]);
    expect(await ssmParameters.observe(context())).toMatchObject({
      status: 'pending',
      missing: [{ type: 'ssm:parameter', name: `${path}cloud-type` }],
    });
    expect((await ssmParameters.ensure(context())).anew).toEqual([
      { type: 'ssm:parameter', name: `${path}cloud-type` },
    ]);
    await world.aws.markedParameters.removeParameters([`${path}cloud-type`]);
    const removed = await ssmParameters.remove(context({ removingAt: new Date() }));
    expect(removed).toMatchObject({ status: 'removed', missing: true });
    expect(await valuesBelow(path)).toEqual({});
  });

  it('looks at, makes and removes more parameters than one call takes', async () => {
    const keys = Array.from({ length: 12 }, (_, i) => `p${i}`);
    const { path, context } = await set({
      parameters: Object.fromEntries(keys.map((key) => [key, {}])),
      values: Object.fromEntries(keys.map((key) => [key, key])),
    });
    await ssmParameters.ensure(context());
    expect(await ssmParameters.observe(context())).toMatchObject({ status: 'ready' });
    expect(await ssm.send(new GetParameterCommand({ Name: `${path}p11` }))).toMatchObject({
      Parameter: { Value: 'p11' },
    });
    await ssmParameters.remove(context({ removingAt: new Date() }));
    expect(await ssmParameters.observe(context({ removingAt: new Date() }))).toMatchObject({ status: 'absent' });
  });
});

const secretValue = 'what-nobody-may-read';

async function makeSecret(tenantId: string, SecretString = secretValue): Promise<string> {
  const Name = secretName(world.installationId, tenantId, 'secret');
  const { ARN = '' } = await new SecretsManagerClient(world.target).send(
    new CreateSecretCommand({ Name, SecretString }),
  );
  return ARN;
}
