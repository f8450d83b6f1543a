import { describe, expect, it } from 'vitest';
import { movedAway } from '../../../src/activities/cell-guard.ts';
import { outsideCell as outside } from '../../../src/kinds/framework/outside-cell.ts';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import type { Bounds, Purpose } from '../../../src/kinds/framework/within.ts';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { resolveSpec } from '../../../src/plan/spec-resolution.ts';
import { cell } from '../../db/fixtures.ts';

const tenant = { id: '22222222-2222-4222-8222-222222222222', slug: 'acme', product: 'moamalat' };
const installationId = '11111111-1111-4111-8111-111111111111';
const bounds: Bounds = { cell, installationId, tenant };
const loadBalancer = cell.loadBalancers[0]!;
const blueprint = moamalat.resolve({
  cell,
  loadBalancer,
  tenantId: tenant.id,
  slug: 'acme',
  tier: null,
  host: 'acme.tenants.test',
});
const arn = (service: string, resource: string, account = cell.accountId, region = cell.region) =>
  `arn:aws:${service}:${region}:${account}:${resource}`;
const secret = arn('secretsmanager', `secret:tenantry/${installationId}/${tenant.id}/create_schema-AbCdEf`);

const outsideCell = (kind: string, spec: unknown, within: Bounds, purpose?: Purpose) =>
  outside(defaultCatalog.kinds.kinds.get(kind)!, spec, within, purpose);

describe('the guard of the cell', () => {
  it('knows its zone in both of its spellings: older specs hold the other one', () => {
    const { spec } = blueprint.steps.find(({ kind }) => kind === 'dns-record')!;
    const zoneId = `/hostedzone/${cell.hostedZone.id}`;
    expect(outsideCell('dns-record', { ...spec, zoneId }, bounds)).toEqual([]);
    expect(outsideCell('dns-record', { ...spec, zoneId: '/hostedzone/ZOTHER' }, bounds)).toHaveLength(1);
  });

  it('lets a tenant run images of the cell by their digest only, and takes away what runs another', () => {
    const { spec } = blueprint.steps.find(({ kind }) => kind === 'task-definition')!;
    const problemsOf = (image: string, purpose?: Purpose) =>
      outsideCell('task-definition', { ...spec, secrets: {}, image }, bounds, purpose).filter((p) =>
        p.startsWith('image'),
      );
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(problemsOf(`registry.test/app@${digest}`)).toEqual([]);
    for (const image of [`registry.test/other@${digest}`, 'registry.test/app:1.0', `registry.test/app/x@${digest}`]) {
      expect(problemsOf(image)).toHaveLength(1);
      expect(problemsOf(image, 'take-away')).toEqual([]);
    }
  });

  it('brings back what was applied, though its template and its image repository are listed no more', () => {
    const { spec } = blueprint.steps.find(({ kind }) => kind === 'task-definition')!;
    const past = {
      ...spec,
      secrets: {},
      logGroup: undefined,
      templateService: 'renamed',
      image: `registry.test/other@sha256:${'0'.repeat(64)}`,
    };
    expect(outsideCell('task-definition', past, bounds, 'make')).toHaveLength(2);
    expect(outsideCell('task-definition', past, bounds, 'bring-back')).toEqual([]);
    const elsewhere = { ...past, family: 'moamalat-globex-backend' };
    expect(outsideCell('task-definition', elsewhere, bounds, 'bring-back')).toHaveLength(1);
  });

  it('lets every step of the product pass, with its references left out or filled in', () => {
    const outputs = {
      arn: arn('elasticloadbalancing', 'targetgroup/t-1/2'),
      secretArn: secret,
      name: '/ecs/moamalat-acme-backend',
    };
    const filled = new Map(blueprint.steps.map((s) => [s.id, { ready: true, outputs }]));
    for (const step of blueprint.steps) {
      const kind: string = step.kind;
      expect(
        outsideCell(kind, resolveSpec(step.spec, new Map()), bounds).filter((p) => !p.includes('secret (none)')),
      ).toEqual([]);
      expect(outsideCell(kind, resolveSpec(step.spec, filled), bounds)).toEqual([]);
    }
  });

  const specOf = (id: string) =>
    resolveSpec(blueprint.steps.find((s) => s.id === id)?.spec, new Map()) as Record<string, unknown>;
  const otherBalancer = arn('elasticloadbalancing', 'loadbalancer/app/other/9');
  const parameters = {
    path: `/accounts/${tenant.id}/`,
    parameters: { key: { type: 'SecureString' } },
    values: { key: secret },
  };
  const keyOf = (value: string) => ({ name: 'PK', value });
  const metadata = { table: 'shared', partitionKey: keyOf(`ACCOUNT#${tenant.id}`), attributes: {} };
  const sharing: Bounds = { ...bounds, cell: { ...cell, sharedTables: ['shared'] } };
  const ownTable = `app-account-${tenant.id}`;
  it('lets the rows of a tenant move from a shared table to its own', () => {
    for (const kind of ['account-fence', 'account-copy', 'account-switch'])
      expect(outsideCell(kind, { table: 'shared', toTable: ownTable }, sharing)).toEqual([]);
    expect(outsideCell('account-stream', { table: 'shared' }, sharing)).toEqual([]);
    const parameter = { name: `/accounts/${tenant.id}/move`, value: ownTable };
    expect(outsideCell('account-lease', { parameter }, sharing)).toEqual([]);
    expect(outsideCell('account-lease', {}, sharing)).toEqual([]);
  });

  it('lets a tenant have parameters below its id, and items in shared tables and in its own', () => {
    expect(outsideCell('ssm-parameters', parameters, bounds)).toEqual([]);
    expect(outsideCell('dynamodb-item', metadata, sharing)).toEqual([]);
    expect(outsideCell('dynamodb-item', { ...metadata, table: `app-account-${tenant.id}` }, bounds)).toEqual([]);
  });

  it('takes away parameters whose secret is gone, and items of a table that is shared no more', () => {
    expect(outsideCell('ssm-parameters', { ...parameters, values: {} }, bounds, 'take-away')).toEqual([]);
    expect(outsideCell('dynamodb-item', metadata, bounds, 'take-away')).toEqual([]);
    const foreign = { ...metadata, partitionKey: keyOf(`ACCOUNT#${installationId}`) };
    expect(outsideCell('dynamodb-item', foreign, bounds, 'take-away')).not.toEqual([]);
  });

  const cases: [string, string, unknown][] = [
    [
      'another load balancer',
      'listener-rule',
      { ...specOf('create_alb_rule:backend'), loadBalancerArn: otherBalancer },
    ],
    ["another tenant's host", 'listener-rule', { ...specOf('create_alb_rule:backend'), host: 'other.tenants.test' }],
    [
      'another account',
      'listener-rule',
      {
        ...specOf('create_alb_rule:backend'),
        targetGroupArn: arn('elasticloadbalancing', 'targetgroup/t/1', '999999999999'),
      },
    ],
    [
      'another region',
      'listener-rule',
      {
        ...specOf('create_alb_rule:backend'),
        targetGroupArn: arn('elasticloadbalancing', 'targetgroup/t/1', cell.accountId, 'us-east-1'),
      },
    ],
    [
      'another listener',
      'task-definition',
      {
        ...specOf('create_task_definition:backend'),
        environment: { A: arn('elasticloadbalancing', 'listener/app/other/9/9') },
      },
    ],
    [
      'a role that tenants may not use',
      'task-definition',
      {
        ...specOf('create_task_definition:backend'),
        environment: { A: `x arn:aws:iam::${cell.accountId}:role/admin` },
      },
    ],
    [
      "another tenant's secret",
      'task-definition',
      { ...specOf('create_task_definition:backend'), secrets: { A: secret.replaceAll('2222', '3333') } },
    ],
    [
      'another template',
      'task-definition',
      { ...specOf('create_task_definition:backend'), templateService: 'mis-company-x' },
    ],
    [
      "another tenant's family",
      'task-definition',
      { ...specOf('create_task_definition:backend'), family: 'moamalat-acme-two-backend' },
    ],
    ['another zone', 'dns-record', { ...specOf('create_dns'), zoneId: 'Z9' }],
    ['another host', 'dns-record', { ...specOf('create_dns'), host: 'tenants.test' }],
    ['another database', 'postgres-schema', { ...specOf('create_schema'), database: 'control' }],
    ['another log group', 'log-group', { name: '/ecs/other', retentionDays: 1 }],
    [
      'a probe of another host',
      'ecs-service',
      { ...specOf('deploy_backend'), probe: { loadBalancerArn: loadBalancer.arn, host: '10.0.0.1', path: '/' } },
    ],
    ["another tenant's service", 'ecs-service', { ...specOf('deploy_backend'), serviceName: 'moamalat-other-backend' }],
    [
      'another cluster',
      'ecs-service',
      { ...specOf('deploy_backend'), taskDefinitionArn: arn('ecs', 'service/other/x') },
    ],
    ["another tenant's address", 'tenant-activation', { tenantUrl: 'https://other.tenants.test' }],
    ["another tenant's slug", 'slug-reservation', { ...specOf('validate'), slug: 'other' }],
    ['the path of all tenants', 'ssm-parameters', { ...parameters, path: '/accounts/' }],
    ["another tenant's path", 'ssm-parameters', { ...parameters, path: `/accounts/${installationId}/` }],
    [
      "a path below another tenant's",
      'ssm-parameters',
      { ...parameters, path: `/accounts/${installationId}/${tenant.id}/` },
    ],
    [
      "a parameter with another tenant's secret",
      'ssm-parameters',
      { ...parameters, values: { key: secret.replaceAll('2222', '3333') } },
    ],
    [
      'a key of another account',
      'ssm-parameters',
      {
        ...parameters,
        parameters: { key: { type: 'SecureString', keyId: arn('kms', 'key/1', '999999999999') } },
      },
    ],
    ['a table that nobody shares', 'dynamodb-item', { ...metadata, table: 'tenants' }],
    ["another tenant's table", 'dynamodb-item', { ...metadata, table: `app-account-${installationId}` }],
    ["another tenant's key", 'dynamodb-item', { ...metadata, partitionKey: keyOf(`ACCOUNT#${installationId}`) }],
    ['a key of no tenant', 'dynamodb-item', { ...metadata, partitionKey: keyOf('ACCOUNT') }],
    ['a number for a key', 'dynamodb-item', { ...metadata, partitionKey: { name: 'PK', value: 7 } }],
    ...['account-fence', 'account-copy', 'account-switch'].flatMap((kind): [string, string, unknown][] => [
      [`rows of a table that nobody shares (${kind})`, kind, { table: 'tenants', toTable: ownTable }],
      [`a move to a shared table (${kind})`, kind, { table: 'shared', toTable: 'shared' }],
      [
        `a move to another tenant's table (${kind})`,
        kind,
        { table: 'shared', toTable: `app-account-${installationId}` },
      ],
    ]),
    ['the stream of a table that nobody shares', 'account-stream', { table: 'tenants' }],
    [
      "a wait for another tenant's parameter",
      'account-lease',
      { parameter: { name: `/accounts/${installationId}/move` } },
    ],
  ];
  it.each(cases)('refuses %s', (_what, kind, spec) => {
    expect(outsideCell(kind, spec, sharing)).not.toEqual([]);
  });

  it.each([
    ['host', 'dns-record', specOf('create_dns')],
    ['address', 'tenant-activation', specOf('finalize')],
  ])(
    'refuses the %s of a tenant that none is recorded for, though the cell has a domain for its product',
    (_, kind, spec) => {
      const none = { hostName: null, zoneIds: [], loadBalancerArns: [], listenerArns: [] };
      expect(outsideCell(kind, spec, { ...bounds, recorded: none })).not.toEqual([]);
      expect(outsideCell(kind, {}, { ...bounds, recorded: none }).filter(() => kind === 'tenant-activation')).toEqual(
        [],
      );
    },
  );

  it('takes away what a template that is listed no more was cloned for', () => {
    const moved = { ...bounds, cell: { ...cell, templateServices: {} } };
    for (const id of ['validate', 'create_task_definition:backend']) {
      const kind: string = id === 'validate' ? 'slug-reservation' : 'task-definition';
      expect(outsideCell(kind, specOf(id), moved)).not.toEqual([]);
      expect(outsideCell(kind, specOf(id), moved, 'take-away')).toEqual([]);
    }
    const foreign = { ...specOf('create_task_definition:backend'), family: 'moamalat-other-backend' };
    expect(outsideCell('task-definition', foreign, moved, 'take-away')).not.toEqual([]);
  });

  const recorded = {
    hostName: 'acme.former.test',
    zoneIds: ['ZFORMER'],
    loadBalancerArns: [otherBalancer],
    listenerArns: [arn('elasticloadbalancing', 'listener/app/other/9/8')],
  };
  const formerRecord = {
    ...specOf('create_dns'),
    host: 'acme.former.test',
    zoneId: 'ZFORMER',
    loadBalancerArn: otherBalancer,
  };
  const former: [string, string, unknown][] = [
    ['host, zone and load balancer', 'dns-record', formerRecord],
    [
      'a rule',
      'listener-rule',
      { ...specOf('create_alb_rule:backend'), host: formerRecord.host, loadBalancerArn: otherBalancer },
    ],
    [
      'a service',
      'ecs-service',
      { ...specOf('deploy_backend'), probe: { loadBalancerArn: otherBalancer, host: formerRecord.host, path: '/' } },
    ],
    ['an address', 'tenant-activation', { tenantUrl: 'https://acme.former.test' }],
    ['a database', 'postgres-schema', { ...specOf('create_schema'), database: 'former' }],
  ];
  it.each(former)('takes away by what was recorded, and makes by what the cell lists: %s', (_what, kind, spec) => {
    const known = { ...bounds, recorded };
    expect(outsideCell(kind, spec, known, 'take-away')).toEqual([]);
    expect(outsideCell(kind, spec, known, 'make')).not.toEqual([]);
  });

  it.each([
    ['host', { host: 'other.former.test' }],
    ['zone', { zoneId: 'ZOTHER' }],
    ['load balancer', { loadBalancerArn: arn('elasticloadbalancing', 'loadbalancer/app/third/7') }],
  ])('takes nothing away by a %s that was recorded for nobody or another', (_what, change) => {
    const spec = { ...formerRecord, ...change };
    expect(outsideCell('dns-record', spec, { ...bounds, recorded }, 'take-away')).not.toEqual([]);
  });

  it('tells of what was made in another account or region, but for what is removed', () => {
    const step = (state: string, account: string) => ({
      state,
      outputs: { arn: arn('ecs', 'service/shared/x', account) },
    });
    expect(movedAway([step('removing', cell.accountId), step('removed', '999999999999')], cell)).toEqual([]);
    expect(movedAway([step('removing', '999999999999')], cell)).toHaveLength(1);
  });
});
