import { describe, expect, it } from 'vitest';
import { manifestSchema } from '../../../src/archives/manifest.ts';
import { filesOf } from '../../../src/contracts/dump.ts';

const sha256 = 'a'.repeat(64);
const file = (name: string) => ({ name, bytes: 1, sha256 });
/** As releases before the dumps of rows wrote it. */
const ofSchema = {
  manifest: 'tenantry-dump',
  version: 1,
  installationId: '11111111-1111-4111-8111-111111111111',
  tenant: { tenantId: '22222222-2222-4222-8222-222222222222', product: 'moamalat', slug: 'acme' },
  operationId: '33333333-3333-4333-8333-333333333333',
  stepId: 'create_schema',
  kind: 'postgres-schema',
  cell: 'riyadh-1',
  exported: false,
  contents: {
    ...{ format: 'postgres-schema', schema: 'tenant_1', serverVersion: '17.2', takenAt: '2026-11-30T00:00:00.000Z' },
    ...{ extensions: [], beforeData: file('before-data.sql.gz'), afterData: file('after-data.sql.gz') },
    tables: [{ ...file('data/0001.copy.gz'), table: 'orders', columns: ['id'], rows: 3 }],
    notDumped: [],
  },
};
const ofRows = {
  ...ofSchema,
  version: 2,
  contents: {
    format: 'dynamodb-rows',
    takenAt: '2026-11-30T00:00:00.000Z',
    tables: [
      {
        ...file('rows.jsonl.gz'),
        table: 'shared',
        keys: ['PK', 'SK'],
        partition: 'ACCOUNT#1',
        rows: 3,
        checksum: sha256,
      },
    ],
    notDumped: [],
  },
};

describe('the manifest of a dump', () => {
  it('is read as releases before the dumps of rows wrote it, and as it is written of rows', () => {
    expect(manifestSchema.parse(ofSchema)).toEqual(ofSchema);
    expect(manifestSchema.parse(ofRows)).toEqual(ofRows);
  });

  it('names its files in the order in which they are loaded', () => {
    const names = [ofSchema, ofRows].map((one) => filesOf(manifestSchema.parse(one).contents).map(({ name }) => name));
    expect(names).toEqual([['before-data.sql.gz', 'data/0001.copy.gz', 'after-data.sql.gz'], ['rows.jsonl.gz']]);
  });

  it.each([
    ['a version that there is none of', { ...ofRows, version: 3 }],
    ['rows under the version of schemas', { ...ofRows, version: 1 }],
    ['a schema under the version of rows', { ...ofSchema, version: 2 }],
    [
      'a checksum that is none',
      { ...ofRows, contents: { ...ofRows.contents, tables: [{ ...ofRows.contents.tables[0], checksum: 'x' }] } },
    ],
  ])('is refused with %s', (_what, manifest) => {
    expect(manifestSchema.safeParse(manifest).success).toBe(false);
  });
});
