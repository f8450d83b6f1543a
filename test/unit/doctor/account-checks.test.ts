import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TableLook } from '../../../src/aws/dynamodb.ts';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import type { Cell } from '../../../src/contracts/platform.ts';
import { StepError } from '../../../src/contracts/step-error.ts';
import { checkAccounts } from '../../../src/doctor/account-checks.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { checkParameters } from '../../../src/doctor/parameter-checks.ts';
import { accountsInExample, exampleCell } from '../../support/platform.ts';

const packaged = readFileSync('templates/private-account-dynamodb.yaml', 'utf8');
const withoutTable = packaged.replace('Type: AWS::DynamoDB::Table', 'Type: AWS::SQS::Queue');
const index = (name: string) => ({ keys: `HASH ${name}PK S, RANGE ${name}SK S`, projection: 'ALL' });
const right: TableLook = {
  status: 'ACTIVE',
  keys: 'HASH PK S, RANGE SK S',
  indexes: { GSI1: index('GSI1'), GSI2: index('GSI2'), GSI3: index('GSI3') },
  streamViewType: 'NEW_AND_OLD_IMAGES',
};
const serving = exampleCell({ ...accountsInExample, products: ['accounts'] });

interface Seen {
  readonly cell?: Cell;
  readonly table?: Partial<TableLook> | null;
  readonly expiresBy?: string | Error;
  readonly template?: string | Error;
}

async function found({ cell = serving, table = {}, expiresBy, template = packaged }: Seen): Promise<string[]> {
  const aws = {
    tables: {
      look: () => Promise.resolve(table === null ? undefined : { ...right, ...table }),
      findTimeToLive: () => (expiresBy instanceof Error ? Promise.reject(expiresBy) : Promise.resolve(expiresBy)),
    },
    objects: { readText: () => (typeof template === 'string' ? Promise.resolve(template) : Promise.reject(template)) },
  };
  return said(await checkAccounts({ cell, catalog: defaultCatalog, aws }));
}

const said = (findings: readonly Finding[]) => findings.map(({ verdict, detail }) => `${verdict}: ${detail}`);

function refusal(name: string): StepError {
  const cause = Object.assign(new Error(name), { name });
  return new StepError(name === 'AccessDenied' ? 'ACCESS_DENIED' : 'INVALID_REQUEST', `s3:GetObject failed: ${name}`, {
    cause,
  });
}

describe('what accounts rest on', () => {
  it('is in order as the documents describe it, whatever the ends of lines', async () => {
    const inOrder = ['ok: has its keys, indexes and stream, and no TTL', 'ok: is the one of this version of Tenantry'];
    expect(await found({})).toEqual(inOrder);
    expect(await found({ template: packaged.replaceAll('\n', '\r\n') })).toEqual(inOrder);
  });

  it.each<[string, Seen, RegExp]>([
    ['no shared table', { table: null }, /^problem: does not exist in region us-east-1: create it/],
    [
      'a third index that lacks',
      { table: { indexes: { GSI1: index('GSI1'), GSI2: index('GSI2') } } },
      /lacks index GSI3/,
    ],
    ['no stream', { table: { streamViewType: undefined } }, /^problem: has no stream/],
    ['no template', { template: refusal('NoSuchKey') }, /^problem: does not exist: upload templates/],
    ['a template that may not be read', { template: refusal('AccessDenied') }, /^problem: s3:GetObject failed/],
    [
      'a stream that shows too little',
      { table: { streamViewType: 'KEYS_ONLY' } },
      /^problem: its stream shows KEYS_ONLY: enable it with NEW_AND_OLD_IMAGES/,
    ],
    ['a key of another kind', { table: { keys: 'HASH PK S' } }, /^problem: has key HASH PK S, wanted is/],
    ['rows that expire', { expiresBy: 'expiresAt' }, /^warning: has TTL by attribute expiresAt: .* move stuck/],
    [
      'a TTL that may not be looked at',
      { expiresBy: new Error('dynamodb:DescribeTimeToLive denied') },
      /^warning: whether rows expire by TTL is not known: dynamodb:DescribeTimeToLive/,
    ],
    [
      'another template',
      { template: `${packaged}\n# ours` },
      /^warning: differs from templates\/private-account-dynamodb/,
    ],
    ['a template without a table', { template: withoutTable }, /^problem: makes no private account: .*no AWS::Dyn/],
    [
      'a template that lacks a parameter',
      { template: packaged.replaceAll('PublishParameters', 'Publishes') },
      /^problem: .*does not take parameter PublishParameters, which each stack gives/,
    ],
    [
      'a template that asks for more',
      { template: packaged.replace('Parameters:', 'Parameters:\n  Owner:\n    Type: String') },
      /^problem: .*asks for parameter Owner, which no stack gives/,
    ],
    ['a template that was cut off', { template: packaged.slice(0, 300) }, /^problem: makes no private account/],
    ['an empty template', { template: '' }, /^problem: makes no private account: it is no template/],
    ['what is no template', { template: 'a: [b' }, /^problem: makes no private account: it is neither YAML nor JSON/],
  ])('%s is the one thing that is told of', async (_, seen, wanted) => {
    const bad = (await found(seen)).filter((one) => !one.startsWith('ok'));
    expect(bad).toHaveLength(1);
    expect(bad[0]).toMatch(wanted);
  });

  it('is told of once where the parameters do not fit', async () => {
    const cell = { ...serving, sharedTables: [] };
    expect(await found({ cell })).toEqual([expect.stringMatching(/^problem: .*`sharedTables` does not list/)]);
  });

  it('is not looked at in a cell that serves none, or gives no parameters', async () => {
    expect(await found({ cell: exampleCell(accountsInExample) })).toEqual([]);
    expect(await found({ cell: exampleCell({ products: ['accounts'] }) })).toEqual([]);
  });
});

describe("a cell's SSM parameters", () => {
  const cell = exampleCell({ ssmParameters: { '/platform/a': '1', '/platform/b': '2' } });
  const parameters = (held: Record<string, string>) => ({
    readParameter: (name: string) => Promise.resolve(held[name]),
  });

  it('are in order where SSM has them with these values', async () => {
    expect(said(await checkParameters(cell, parameters({ '/platform/a': '1', '/platform/b': '2' })))).toEqual([
      'ok: 2 have the values of the platform description',
    ]);
  });

  it('are told of where SSM has none, or another value', async () => {
    expect(said(await checkParameters(cell, parameters({ '/platform/b': '3' })))).toEqual([
      expect.stringContaining('problem: /platform/a does not exist in region us-east-1'),
      expect.stringContaining('problem: /platform/b is "3" in region us-east-1, and the platform description says "2"'),
    ]);
  });

  it('are not asked for where the cell gives none', async () => {
    expect(await checkParameters(exampleCell(), { readParameter: () => Promise.reject(new Error('asked')) })).toEqual(
      [],
    );
  });
});
