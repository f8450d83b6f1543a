import { expect, it } from 'vitest';
import type { TableLook } from '../../../src/aws/dynamodb.ts';
import { checkProjection } from '../../../src/doctor/projection-checks.ts';
import { exampleCell } from '../../support/platform.ts';

const cell = exampleCell({ projection: { table: 'tenants' } });
const right: TableLook = {
  status: 'ACTIVE',
  keys: 'HASH PK S, RANGE SK S',
  indexes: {
    GSI1: { keys: 'HASH GSI1PK S, RANGE GSI1SK S', projection: 'ALL' },
    GSI2: { keys: 'HASH GSI2PK S, RANGE GSI2SK S', projection: 'ALL' },
  },
  streamViewType: 'NEW_AND_OLD_IMAGES',
};

interface Seen {
  readonly table?: Partial<TableLook> | null;
  readonly recovery?: boolean;
  readonly denied?: string[];
  readonly lagMs?: number;
}

async function found({ table = {}, recovery = true, denied = [], lagMs = 0 }: Seen) {
  const findings = await checkProjection({
    cell,
    tables: {
      look: () => Promise.resolve(table === null ? undefined : { ...right, ...table }),
      hasPointInTimeRecovery: () => Promise.resolve(recovery),
      deniedActions: () => Promise.resolve(denied),
    },
    lag: { cell: cell.id, pending: lagMs > 0 ? 3 : 0, lagMs },
  });
  return findings.map(({ verdict, detail }) => `${verdict}: ${detail}`);
}

it('a table as the documents describe it is in order', async () => {
  expect(await found({})).toEqual(['ok: has its keys, indexes and stream; nothing is pending']);
});

it.each<[string, Seen, RegExp]>([
  ['no table', { table: null }, /^problem: does not exist in region us-east-1: create it/],
  ['other keys', { table: { keys: 'HASH tenant_id S' } }, /^problem: has key HASH tenant_id S, wanted is HASH PK S/],
  ['an index that lacks', { table: { indexes: { GSI1: right.indexes.GSI1! } } }, /^problem: lacks index GSI2/],
  ['no stream', { table: { streamViewType: undefined } }, /^problem: has no stream: enable it with NEW_AND_OLD_IMAGES/],
  ['another stream', { table: { streamViewType: 'KEYS_ONLY' } }, /^problem: its stream shows KEYS_ONLY/],
  ['a right that lacks', { denied: ['dynamodb:Scan'] }, /^problem: the credentials may not dynamodb:Scan on it/],
  ['no recovery', { recovery: false }, /^warning: has no point-in-time recovery/],
  ['a projection that is behind', { lagMs: 400_000 }, /^warning: 3 tenants are pending, for 400 s: docs\/runbook/],
])('%s is the one thing that is told of', async (_, seen, said) => {
  const findings = await found(seen);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatch(said);
});

it('a cell that names no table is not looked at', async () => {
  const tables = {
    look: () => Promise.reject(new Error('asked')),
    hasPointInTimeRecovery: never,
    deniedActions: never,
  };
  expect(await checkProjection({ cell: exampleCell(), tables, lag: undefined })).toEqual([]);
});

function never(): Promise<never> {
  return Promise.reject(new Error('asked'));
}
