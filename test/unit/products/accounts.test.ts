import { describe, expect, it } from 'vitest';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import type { Cell } from '../../../src/contracts/platform.ts';
import { acceptanceProblems } from '../../../src/products/acceptance-problems.ts';
import { accounts } from '../../../src/products/accounts/product.ts';
import type { AccountSettings, License } from '../../../src/products/accounts/settings.ts';
import { resolveUnplaced } from '../../../src/products/places.ts';
import { differences } from '../../../src/plan/differences.ts';
import { accountsInExample, exampleCell } from '../../support/platform.ts';

const id = '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11';
const table = `app-prod-account-${id}`;
const license = (serviceId: string, more: Partial<License> = {}): License => ({
  ...{ enterpriseId: 'ent-1', productId: 'crm', serviceId, startDate: '2026-01-01', endDate: '2026-12-31' },
  ...{ contactFullName: 'Ada L.', contactEmail: 'ada@acme.example', ...more },
});
const acme: AccountSettings = {
  name: 'ACME Corporation',
  masterAccountName: 'acme-master',
  addresses: [{ type: 'billing', line1: '1 Main Street', city: 'Springfield', country: 'US' }],
  technicalUser: { name: 'Ada', email: 'Ada@ACME.example' },
  licenses: [license('sales'), license('support')],
};

const privateKey = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555';
const cellWith = (parameters: Record<string, string> = {}, more: Partial<Cell> = {}) =>
  exampleCell({
    ...accountsInExample,
    products: ['accounts'],
    ...more,
    ssmParameters: { ...accountsInExample.ssmParameters, ...parameters },
  });

function stepsOf(tier: string, settings: AccountSettings = {}, cell = cellWith()) {
  return resolveUnplaced(accounts, cell, { tenantId: id, slug: id, tier, settings }).steps;
}

function specOf(tier: string, stepId: string, settings: AccountSettings = acme, cell = cellWith()) {
  return stepsOf(tier, settings, cell).find((step) => step.id === stepId)?.spec;
}

/** Steps that another list of licenses makes, changes or drops. */
function changed(tier: string, licenses: readonly License[]): string[] {
  const to = stepsOf(tier, { ...acme, licenses: [...licenses] });
  return differences(stepsOf(tier, acme), to, (kind) => defaultCatalog.kinds.kinds.get(kind) ?? {})
    .map(({ stepId, is, problems }) => `${is} ${stepId.split(':')[0]} ${problems.join()}`.trim())
    .sort();
}

describe('the blueprint of an account', () => {
  it.each(['public', 'private'])('may run, %s, without settings and with all of them', (tier) => {
    for (const settings of [{}, acme]) {
      const cell = cellWith({ '/platform/dynamodb/private-table-kms-key-arn': privateKey });
      const blueprint = resolveUnplaced(accounts, cell, { tenantId: id, slug: id, tier, settings });
      const tenant = { cell, tenantId: id, slug: id, host: undefined, loadBalancer: undefined };
      expect(acceptanceProblems(defaultCatalog.kinds, accounts, blueprint, tenant)).toEqual([]);
    }
  });

  it.each(['public', 'private'])('takes any text as data, %s: it names nothing of the cell', (tier) => {
    const hostile = "arn:aws:iam::999999999999:role/x Z1 ${AWS::Region} <b>' {{resolve:ssm:/x}}";
    const [repeated] = acme.addresses ?? [];
    const settings = {
      ...acme,
      name: hostile,
      masterAccountName: 'Z1',
      addresses: [{ ...repeated!, line1: 'arn:aws:ecs:eu-west-1:1:cluster/x', city: `${id}.moamalat-pro.com` }],
      licenses: [license('sales', { contactFullName: 'moamalat-alb.example.amazonaws.com' })],
    };
    const blueprint = resolveUnplaced(accounts, cellWith(), { tenantId: id, slug: id, tier, settings });
    const tenant = { cell: cellWith(), tenantId: id, slug: id, host: undefined, loadBalancer: undefined };
    expect(acceptanceProblems(defaultCatalog.kinds, accounts, blueprint, tenant)).toEqual([]);
    expect(specOf('private', 'create_stack', settings)?.['parameters']).toMatchObject({
      AccountName: 'arn aws iam 999999999999 role x Z1 AWS Region b resolve ssm x',
    });
  });

  it('has a row in the shared table, found by its type, its e-mail and its licenses', () => {
    expect(specOf('public', 'put_shared_metadata')).toEqual({
      table: 'shared-items',
      partitionKey: { name: 'PK', value: `ACCOUNT#${id}` },
      sortKey: { name: 'SK', value: 'METADATA' },
      attributes: {
        ...{ entityType: 'ACCOUNT', accountId: id, name: 'ACME Corporation', masterAccountName: 'acme-master' },
        ...{ cloudType: 'public', addresses: acme.addresses, technicalUser: acme.technicalUser },
        ...{ GSI1PK: 'ACCOUNTS', GSI1SK: `ACCOUNT#${id}` },
        ...{ GSI3PK: 'EMAIL#ada@acme.example', GSI3SK: `ACCOUNT#${id}` },
      },
    });
    const licenses = stepsOf('public', acme).filter((step) => step.id.startsWith('put_shared_license:'));
    expect(licenses.map((step) => step.spec['sortKey'])).toEqual([
      { name: 'SK', value: 'LICENSE#ent-1#crm#sales' },
      { name: 'SK', value: 'LICENSE#ent-1#crm#support' },
    ]);
    expect(licenses[0]?.spec['attributes']).toMatchObject({
      ...{ GSI2PK: 'LICENSE#ent-1#crm', GSI2SK: `ACCOUNT#${id}#sales` },
      ...{ startDate: '2026-01-01', contactEmail: 'ada@acme.example' },
    });
  });

  it('of a private one shows administrators neither addresses nor people in the shared table, and all in its own', () => {
    const shared = JSON.stringify(
      stepsOf('private', acme)
        .filter((step) => step.id.startsWith('put_shared_'))
        .map(({ spec }) => spec['attributes']),
    );
    expect(shared).toContain('ACME Corporation');
    for (const secret of ['Main Street', 'Ada"', 'Ada L.', 'contactEmail', 'technicalUser'])
      expect(shared).not.toContain(secret);
    expect(specOf('private', 'put_dedicated_metadata')).toMatchObject({
      table,
      attributes: { addresses: acme.addresses, technicalUser: acme.technicalUser, cloudType: 'private' },
    });
  });

  it('writes each row of a private one to its own table first', () => {
    const steps = stepsOf('private', acme);
    const shared = steps.filter((step) => step.id.startsWith('put_shared_'));
    expect(shared).toHaveLength(3);
    for (const { id: stepId, needs } of shared) expect(needs).toContain(stepId.replace('shared', 'dedicated'));
  });

  it('makes a protected stack that lets go only of what it says', () => {
    expect(specOf('private', 'create_stack')).toMatchObject({
      prefix: 'app-prod-account',
      template: { bucket: 'templates', key: 'private-account-dynamodb.yaml' },
      parameters: {
        AccountId: id,
        AccountName: 'ACME Corporation',
        BillingMode: 'PAY_PER_REQUEST',
        PublishParameters: 'true',
      },
      ...{ terminationProtection: true, liftsTableProtection: true, timeoutMinutes: 15 },
    });
  });

  it('goes by what the cell gives', () => {
    const cell = cellWith({
      '/platform/accounts/app-name': 'crm',
      '/platform/accounts/environment': 'stage',
      '/platform/cloudformation/private-account-template-version': '7',
      '/platform/dynamodb/default-billing-mode': 'PROVISIONED',
      '/platform/dynamodb/shared-table-stream-arn':
        'arn:aws:dynamodb:us-east-1:000000000000:table/shared-items/stream/2026-01-01T00:00:00.000',
      '/platform/dynamodb/private-table-kms-key-arn': privateKey,
    });
    expect(specOf('private', 'create_stack', acme, cell)).toMatchObject({
      prefix: 'crm-stage-account',
      template: { version: '7' },
      parameters: { AppName: 'crm', Environment: 'stage', BillingMode: 'PROVISIONED', KmsKeyArn: privateKey },
    });
    expect(specOf('private', 'put_dedicated_metadata', acme, cell)).toMatchObject({ table: `crm-stage-account-${id}` });
    expect(specOf('public', 'put_discovery', acme, cell)).toMatchObject({ values: { 'table-name': 'shared-items' } });
    expect(specOf('public', 'put_discovery:stream', acme, cell)).toBeDefined();
    expect(specOf('public', 'put_discovery:stream')).toBeUndefined();
  });

  it.each<[string, Record<string, string>, Partial<Cell>]>([
    ['shared-table-name is shared-items, which `sharedTables` does not list', {}, { sharedTables: [] }],
    ['shared-table-arn is not the ARN of shared-items', { '/platform/dynamodb/shared-table-arn': 'arn:aws:x' }, {}],
    ['shared-table-arn is not the ARN of shared-items in this cell', {}, { region: 'eu-west-1' }],
    ['default-billing-mode Invalid option', { '/platform/dynamodb/default-billing-mode': 'CHEAP' }, {}],
    ['router-lease-seconds must be a whole number', { '/platform/dynamodb/router-lease-seconds': '5m' }, {}],
    ['router-lease-seconds must be at most 3600', { '/platform/dynamodb/router-lease-seconds': '3601' }, {}],
    ['kms-key-arn must be the ARN', { '/platform/dynamodb/private-table-kms-key-arn': 'alias/mine' }, {}],
    [
      'kms-key-arn is not the ARN of a key in this cell',
      { '/platform/dynamodb/private-table-kms-key-arn': privateKey.replace('us-east-1', 'eu-west-1') },
      {},
    ],
    ['app-name must be 1 to 32 letters', { '/platform/accounts/app-name': 'My App' }, {}],
    ['stream-arn is not the ARN of a stream', { '/platform/dynamodb/shared-table-stream-arn': 'arn:aws:x' }, {}],
  ])('is refused in a cell whose %s', (said, parameters, more) => {
    expect(() => stepsOf('public', {}, cellWith(parameters, more))).toThrow(said);
  });

  it('is refused in a cell that gives no parameters, by their names', () => {
    const cell = exampleCell({ products: ['accounts'] });
    expect(() => stepsOf('public', {}, cell)).toThrow(
      'cell "default" gives no value for /platform/dynamodb/shared-table-name, /platform/dynamodb/shared-table-arn, ',
    );
  });
});

describe('another list of licenses', () => {
  const [sales, support] = [license('sales'), license('support')];
  it.each<[string, License[], string[]]>([
    ['in another order', [support, sales], []],
    ['with one more', [sales, support, license('billing')], ['added put_shared_license']],
    ['without the first', [support], ['removed put_shared_license']],
    ['with another end', [sales, { ...support, endDate: '2027-12-31' }], ['changed put_shared_license']],
    ['with none', [], ['removed put_shared_license', 'removed put_shared_license']],
  ])('%s changes the rows of those alone', (_, licenses, expected) => {
    expect(changed('public', licenses)).toEqual(expected);
    const both = expected.flatMap((one) => [one, one.replace('shared', 'dedicated')]).sort();
    expect(changed('private', licenses)).toEqual(both);
  });

  it('with another contact changes the private one in its own table alone', () => {
    expect(changed('private', [sales, { ...support, contactFullName: 'Bob' }])).toEqual([
      'changed put_dedicated_license',
    ]);
  });
});
