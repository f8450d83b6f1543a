import { expect, it } from 'vitest';
import type { EcsService } from '../../../../src/aws/ecs-service.ts';
import type { ListenerRule } from '../../../../src/aws/elbv2-rules.ts';
import { serviceDifferences } from '../../../../src/kinds/ecs-service/differences.ts';
import type { ServiceContext } from '../../../../src/kinds/ecs-service/spec.ts';
import { ruleDifferences } from '../../../../src/kinds/listener-rule/differences.ts';
import { schemaDifferences, sessionDifferences } from '../../../../src/kinds/postgres-schema/differences.ts';

const tags = { 'tenantry:installation': 'i', 'tenantry:tenant-id': 't', 'tenantry:operation-id': 'o' };
const rule: ListenerRule = {
  ...{
    arn: 'rule:1',
    priority: 1001,
    hosts: ['Acme.example.com'],
    hostRegexes: [],
    paths: ['/api/*'],
    pathRegexes: [],
  },
  ...{ otherConditions: [], targetGroupArns: ['tg:1'], onlyForwards: true },
};
const ofRule = {
  previous: { arn: 'rule:1', priority: 1001 },
  spec: { loadBalancerArn: 'lb', host: 'acme.example.com', paths: ['/api/*'], targetGroupArn: 'tg:1' },
  tags,
};
const look = (changes: Partial<ListenerRule>, held = tags as Readonly<Record<string, string>>) =>
  ruleDifferences(ofRule, { name: 'acme', same: [{ ...rule, ...changes }], tagsOf: () => held });

it('a rule as it was made differs in nothing, whichever operation marked it', () => {
  expect(look({})).toEqual([]);
  expect(look({}, { ...tags, 'tenantry:operation-id': 'another' })).toEqual([]);
});

it.each([
  ['a further target', { targetGroupArns: ['tg:1', 'tg:2'] }, { is: 'extra', field: 'targetGroupArn', found: 'tg:2' }],
  ['another target', { targetGroupArns: ['tg:2'] }, { is: 'changed', field: 'targetGroupArn', found: ['tg:2'] }],
  ['a login before it', { onlyForwards: false }, { is: 'changed', field: 'onlyForwards', found: false }],
  ['a further condition', { otherConditions: ['source-ip'] }, { is: 'extra', field: 'conditions', found: 'source-ip' }],
  ['other paths', { paths: ['/v2/*'] }, { is: 'changed', field: 'paths', found: ['/v2/*'] }],
  ['another priority', { priority: 7 }, { is: 'changed', field: 'priority', found: 7 }],
])('%s of a rule is told', (_, changes, told) => {
  expect(look(changes)).toMatchObject([told]);
});

it('a rule that lost its mark is told, and that nothing of Tenantry puts it back', () => {
  const { 'tenantry:tenant-id': _, ...rest } = tags;
  expect(look({}, rest)).toMatchObject([{ field: 'tags.tenantry:tenant-id', wanted: 't', remedy: 'hand' }]);
});

it('a rule that is gone is missing, also where another one has its place', () => {
  const none = { name: 'acme', tagsOf: () => ({}) };
  expect(ruleDifferences(ofRule, { ...none, same: [] })).toEqual([{ is: 'missing', field: 'elbv2:rule acme' }]);
  const foreign = { ...rule, arn: 'rule:2' };
  expect(ruleDifferences(ofRule, { ...none, same: [foreign] })).toMatchObject([{ is: 'missing', remedy: 'hand' }]);
});

const ofService = {
  cell: { subnetIds: ['s-1', 's-2'], securityGroupIds: ['g-1'] },
  spec: {
    ...{ taskDefinitionArn: 'td:2', targetGroupArn: 'tg:1', containerName: 'app', containerPort: 80 },
    ...{ desiredCount: 2, healthCheckGraceSeconds: 60 },
  },
} as unknown as Pick<ServiceContext, 'cell' | 'spec'>;
const service = {
  ...{ status: 'ACTIVE', taskDefinitionArn: 'td:2', desiredCount: 2, healthCheckGraceSeconds: 60 },
  network: { subnetIds: ['s-2', 's-1'], securityGroupIds: ['g-1'], assignPublicIp: false },
  targets: [{ targetGroupArn: 'tg:1', containerName: 'app', containerPort: 80 }],
  rollout: { circuitBreaker: true, minimumHealthyPercent: 100, maximumPercent: 200 },
} as unknown as EcsService;

it.each([
  ['nothing', {}, []],
  ['more tasks', { desiredCount: 9 }, []],
  ['fewer tasks', { desiredCount: 1 }, []],
  ['no task', { desiredCount: 0 }, ['desiredCount']],
  ['another revision', { taskDefinitionArn: 'td:3' }, ['taskDefinitionArn']],
  ['a public address', { network: { ...service.network!, assignPublicIp: true } }, ['assignPublicIp']],
  ['no circuit breaker', { rollout: { ...service.rollout!, circuitBreaker: false } }, ['rollout.circuitBreaker']],
  ['no target group', { targets: [] }, ['loadBalancer']],
  [
    'two target groups',
    { targets: [...service.targets, { ...service.targets[0]!, containerPort: 81 }] },
    ['loadBalancer'],
  ],
  ['its deletion', { status: 'DRAINING' as const }, ['status']],
])('of a service %s differs as it should', (_, changes, fields) => {
  expect(serviceDifferences(ofService, { ...service, ...changes }).map(({ field }) => field)).toEqual(fields);
});

it('a schema that is gone is put back by a person: an empty one would hide it', () => {
  const seen = { name: 'tenant_1', connectionLimit: 20 };
  const role = { canLogin: true, connectionLimit: 20, privileges: ['superuser'] };
  const inspection = { role: 'ours', schema: 'absent', renamed: [] } as const;
  expect(schemaDifferences({ ...seen, inspection, role })).toMatchObject([
    { is: 'missing', field: 'postgres:schema tenant_1', remedy: 'hand' },
    { is: 'extra', field: 'role.privilege', found: 'superuser', remedy: 'hand' },
  ]);
});

it("a refused login is the password's, pending migrations come with a refresh, and a full role says nothing", () => {
  expect(sessionDifferences({ is: 'refused', why: 'no' })).toMatchObject([{ field: 'role.password' }]);
  const pending = sessionDifferences({ is: 'open', pendingMigrations: ['0002_more.sql'] });
  expect(pending).toMatchObject([{ field: 'pendingMigrations', remedy: 'refresh' }]);
  expect(sessionDifferences({ is: 'full' })).toEqual([]);
});
