import { describe, expect, it } from 'vitest';
import { markOf } from '../../../../src/aws/ssm-looks.ts';
import type { Parameter } from '../../../../src/aws/ssm-marked.ts';
import {
  hasOtherKey,
  hasOtherValue,
  parameterDifferences,
  tagChanges,
  type ParameterSeen,
} from '../../../../src/kinds/ssm-parameters/differences.ts';
import { ssmParameters } from '../../../../src/kinds/ssm-parameters/kind.ts';
import { parametersSpec, type SetParameter } from '../../../../src/kinds/ssm-parameters/spec.ts';
import { parameterType } from '../../../../src/kinds/ssm-parameters/type.ts';
import { markerOfTags, ownershipTags } from '../../../../src/naming.ts';
import { differences } from '../../../../src/plan/differences.ts';

const tenantId = '22222222-2222-4222-8222-222222222222';
const installationId = '11111111-1111-4111-8111-111111111111';
const operationId = '33333333-3333-4333-8333-333333333333';
const mark = ownershipTags({ installationId, tenantId, product: 'accounts', operationId, stepId: 'write' });

const good = {
  path: `/accounts/${tenantId}/`,
  parameters: { 'cloud-type': {}, 'provisioning-status': { isInitial: true } },
  values: { 'cloud-type': 'public', 'provisioning-status': 'creating' },
};
const problemsOf = (change: object) =>
  parametersSpec.safeParse({ ...good, ...change }).error?.issues.map(({ message }) => message) ?? [];
/** One String of the name. */
const only = (key: string, value: unknown = 'x', of: object = {}) => ({
  parameters: { [key]: of },
  values: { [key]: value },
});

describe('the spec of a set of parameters', () => {
  it('may hold references, keys and paths below its own', () => {
    expect(problemsOf({ tags: { 'Cost Center': 'Riyadh/1 @x', رقم: '' } })).toEqual([]);
    expect(problemsOf(only('dynamodb/table-name', { ref: 'stack.tableName' }))).toEqual([]);
    const secret = { ref: 'create_schema.secretArn' };
    expect(problemsOf(only('key', secret, { type: 'SecureString', keyId: 'alias/x' }))).toEqual([]);
  });

  it.each([
    ['a path without slashes around it', { path: 'accounts' }],
    ['the path of AWS', { path: `/aws/${tenantId}/` }],
    ['a path that AWS reserves', { path: `/SSMish/${tenantId}/` }],
    ['the path of the worker’s own parameters', { path: `/tenantry/${tenantId}/` }],
    ['no parameter', { parameters: {}, values: {} }],
    ['a parameter without a value', { parameters: { a: {}, b: {} }, values: { a: 'x' } }],
    ['a value of no parameter', { parameters: { a: {} }, values: { a: 'x', b: 'x' } }],
    ['a name with a slash before it', only('/a')],
    ['a name with a space', only('a b')],
    ['an empty value', only('a', '')],
    ['the name of another parameter in a value', only('a', 'x{{b}}')],
    ['a value of more than 4 KB', only('a', 'é'.repeat(2_049))],
    ['too many levels', only(Array.from({ length: 14 }, (_, i) => `l${i}`).join('/'))],
    ['a name that is too long', only('n'.repeat(1_000))],
    ['a secret in the clear', only('a', 'hunter2', { type: 'SecureString' })],
    ['a key for a String', only('a', 'x', { keyId: 'alias/x' })],
    ['a tag of AWS', { tags: { 'aws:x': 'y' } }],
    ['a tag of the mark', { tags: { 'tenantry:tenant-id': 'y' } }],
    ['a tag with what AWS takes in none', { tags: { team: 'a*b' } }],
    ['too many tags', { tags: Object.fromEntries(Array.from({ length: 46 }, (_, i) => [`t${i}`, 'x'])) }],
    ['a value that is no text', only('a', 1)],
  ])('refuses %s', (_what, change) => {
    expect(problemsOf(change)).not.toEqual([]);
  });

  it('takes twenty parameters, and no more', () => {
    const of = (count: number) => {
      const keys = Array.from({ length: count }, (_, i) => `p${i}`);
      return {
        parameters: Object.fromEntries(keys.map((key) => [key, {}])),
        values: Object.fromEntries(keys.map((key) => [key, 'x'])),
      };
    };
    expect(problemsOf(of(20))).toEqual([]);
    expect(problemsOf(of(21))).not.toEqual([]);
  });

  it('changes in its values and tags, and not in its names, types and path', () => {
    const changed = (spec: object) => {
      const step = { id: 'write', kind: 'ssm-parameters', needs: [], spec: good };
      return differences([step], [{ ...step, spec: { ...good, ...spec } }], () => ssmParameters)[0]?.problems;
    };
    expect(changed({ values: { ...good.values, 'cloud-type': 'private' }, tags: { team: 'a' } })).toEqual([]);
    expect(changed({ path: '/elsewhere/' })).toHaveLength(1);
    expect(
      changed({ parameters: { ...good.parameters, more: {} }, values: { ...good.values, more: 'x' } }),
    ).toHaveLength(1);
    expect(changed({ parameters: { 'cloud-type': {} }, values: { 'cloud-type': 'public' } })).toHaveLength(1);
  });
});

describe('the type of parameters', () => {
  const { named } = parameterType;
  it('knows a tenant’s by the id in its path, and the mark of the ledger as none', () => {
    if (typeof named === 'string') throw new Error('parameters are named by a pattern');
    const isOf = (name: string) => named.isOf(name, { installationId, tenantId });
    expect(isOf(`/accounts/${tenantId}/cloud-type`)).toBe(true);
    expect(isOf(`/accounts/${operationId}/cloud-type`)).toBe(false);
    expect(isOf(`/accounts/${operationId}/${tenantId}`)).toBe(false);
    expect(named.pattern.test(`/tenantry/${tenantId}/default/ledger-mark`)).toBe(false);
    expect(named.pattern.test('/platform/dynamodb/shared-table-name')).toBe(false);
  });
});

describe('a parameter beside its spec', () => {
  const of: SetParameter = {
    key: 'cloud-type',
    name: `${good.path}cloud-type`,
    type: 'String',
    keyId: undefined,
    isInitial: false,
  };
  const found: Parameter = {
    arn: 'arn:1',
    name: of.name,
    type: 'String',
    value: 'public',
    version: 1,
    createdAt: undefined,
    tags: { ...mark, team: 'a' },
    isMarkedByTags: true,
  };
  const seen: ParameterSeen = { of, wanted: 'public', found, secure: undefined };
  const told = (change: Partial<ParameterSeen>, own: Readonly<Record<string, string>> = { team: 'a' }) =>
    parameterDifferences({ ...seen, ...change }, { mark, own }).map(({ field, remedy }) => [field, remedy]);

  it('differs in nothing as it was made, whichever operation marked it and whatever tags others put on', () => {
    expect(told({})).toEqual([]);
    const tags = { ...found.tags, 'tenantry:operation-id': 'another', theirs: 'x' };
    expect(told({ found: { ...found, tags } })).toEqual([]);
  });

  it.each([
    ['it is missing', { found: undefined }, [[`ssm:parameter ${of.name}`, undefined]]],
    ['its value is another', { found: { ...found, value: 'x' } }, [['cloud-type.value', undefined]]],
    ['its tag is another', { found: { ...found, tags: mark } }, [['cloud-type.tags.team', undefined]]],
    ['its type is another', { found: { ...found, type: 'StringList' } }, [['cloud-type.type', 'hand']]],
    [
      'a part of its mark is lost',
      { found: { ...found, tags: { ...found.tags, 'tenantry:step': 'x' } } },
      [['cloud-type.tags.tenantry:step', 'hand']],
    ],
  ])('tells that %s', (_what, change, expected) => {
    expect(told(change)).toEqual(expected);
  });

  it('is left alone in its value where that is an initial one', () => {
    expect(told({ of: { ...of, isInitial: true }, found: { ...found, value: 'x' } })).toEqual([]);
    expect(hasOtherValue({ ...seen, of: { ...of, isInitial: true }, wanted: 'y' })).toBe(false);
  });

  it('tells nothing of the value and the tags of what is somebody else’s', () => {
    const theirs = told({ found: { ...found, tags: { ...mark, 'tenantry:tenant-id': operationId }, value: 'x' } });
    expect(theirs).toEqual([['cloud-type.tags.tenantry:tenant-id', 'hand']]);
  });

  it.each([
    ['its alias', 'alias/x', 'alias/x', false],
    ['its id, told by its ARN', 'k-1', 'arn:aws:kms:eu-west-1:1:key/k-1', false],
    ['its ARN, told by its id', 'arn:aws:kms:eu-west-1:1:key/k-1', 'k-1', false],
    ['the account’s own', undefined, 'alias/aws/ssm', false],
    ['another alias', 'alias/x', 'alias/y', true],
    ['another id', 'k-1', 'arn:aws:kms:eu-west-1:1:key/k-11', true],
    ['none that is told', 'alias/x', undefined, true],
  ])('has the key by %s', (_what, keyId, told, isOther) => {
    const secure = { value: 'x', keyId: told };
    expect(hasOtherKey({ ...seen, of: { ...of, type: 'SecureString', keyId }, secure })).toBe(isOther);
  });

  it('gets the tags that it lacks, and loses those alone that were the step’s', () => {
    const { drop, put } = tagChanges({ a: '1', b: '2', theirs: 'x', gone: 'y' }, { a: '1', b: '3', c: '4' }, [
      'gone',
      'b',
      'gone',
    ]);
    expect(put).toEqual({ b: '3', c: '4' });
    expect(drop).toEqual(['gone']);
  });
});

describe('the mark of a parameter', () => {
  const Description = markerOfTags(mark);
  it('is what its tags say, and of a first version without a mark what its description says', () => {
    expect(markOf({}, { Description, Version: 1 })).toEqual(mark);
    expect(markOf({ a: 'b' }, { Description, Version: 1 })).toEqual({ a: 'b', ...mark });
  });

  it('is not its description where it has another owner’s tags, or was written over since', () => {
    const theirs = { ...mark, 'tenantry:tenant-id': operationId };
    expect(markOf(theirs, { Description, Version: 1 })).toEqual(theirs);
    expect(markOf({}, { Description, Version: 2 })).toEqual({});
    expect(markOf({}, { Description: 'a text', Version: 1 })).toEqual({});
  });
});
