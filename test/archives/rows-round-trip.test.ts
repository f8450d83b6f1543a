import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureTable } from '../../sandbox/landing-zone/tables.ts';
import { createArchives, type Archives } from '../../src/archives/archives.ts';
import { createRowChecksum, type Row } from '../../src/aws/row-checksum.ts';
import type { Manifest } from '../../src/archives/manifest.ts';
import { listArchives, manifestKey, type ArchiveRow } from '../../src/db/archives.ts';
import { cloudformationStack } from '../../src/kinds/cloudformation-stack/kind.ts';
import { dynamodbRows } from '../../src/kinds/dynamodb-rows/kind.ts';
import type { Kind } from '../../src/kinds/framework/kind.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { benchOf } from '../../testing/bench.ts';
import type { Sample } from '../../testing/sample.ts';
import { startGround, type Ground } from '../../testing/stand.ts';
import type { StepDriver } from '../../testing/tenant.ts';
import { sharedParts } from '../conformance/shared-parts.ts';
import { tableTemplate } from '../sandbox/gateway/stack-account.ts';

const bucket = `archive-${randomUUID()}`;
let ground: Ground;
let archives: Omit<Archives, 'close'>;
let s3: S3Client;
let dynamodb: DynamoDBClient;

beforeAll(async () => {
  ground = await startGround({ parts: await sharedParts(), products: [moamalat], ledgerTypes: [] });
  const { aws, cell, database, gateway } = ground;
  const credentials = { accessKeyId: cell.accountId, secretAccessKey: 'test' };
  const config = { endpoint: gateway.url, region: cell.region, credentials };
  s3 = new S3Client({ ...config, forcePathStyle: true });
  dynamodb = new DynamoDBClient(config);
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  archives = createArchives({ database, platform: { version: 1, cells: [cell] }, aws: () => aws });
});
afterAll(async () => {
  s3.destroy();
  dynamodb.destroy();
  await ground.close();
});

const rowsOf = (PK: string, keys: readonly [string, string] = ['PK', 'SK']): Row[] => [
  { [keys[0]]: { S: PK }, [keys[1]]: { S: 'ORDER#1' }, note: { S: 'two\nlines "q" 😀' }, total: { N: '1.50' } },
  { [keys[0]]: { S: PK }, [keys[1]]: { S: 'ORDER#2' }, raw: { B: Buffer.from([0, 255]) }, tags: { SS: ['b', 'a'] } },
  { [keys[0]]: { S: PK }, [keys[1]]: { S: 'ORDER#3' }, deep: { L: [{ M: { a: { NULL: true } } }, { BOOL: false }] } },
];

function sumOf(rows: readonly Row[]) {
  const sum = createRowChecksum();
  for (const row of rows) sum.add(row);
  return { rows: sum.count, checksum: sum.digest() };
}

async function scanned(table: string): Promise<Row[]> {
  const all: Row[] = [];
  for await (const page of ground.aws.partitions.scan(table)) all.push(...page);
  return all;
}

async function newTable(): Promise<string> {
  const table = `restored-${randomUUID()}`;
  await ensureTable(dynamodb, table, []);
  return table;
}

interface Removal {
  readonly wasActive: boolean;
  /** By a deprovisioning, and not by the undo of its creation. Default: where it was active. */
  readonly isDeleted?: boolean;
  readonly fill: (driver: StepDriver) => Promise<void>;
}

/** Deletes the tenant as its deprovisioning does, by a worker whose cell has an archive. */
async function removed<K extends Kind>(
  kind: K,
  sample: Sample,
  { isDeleted, wasActive, fill }: Removal,
): Promise<{ driver: StepDriver; kept: ArchiveRow[] }> {
  const { cell, database } = ground;
  const bench = benchOf(kind, sample, ground);
  const worker = bench.stand.workerWith(undefined, { ...cell, archive: { bucket, retentionDays: 30 } });
  const driver = await bench.tenant({ worker });
  await driver.makeNeeds();
  await driver.make();
  await fill(driver);
  const { id, operationId } = driver.tenant;
  if (isDeleted ?? wasActive) {
    const activatedAt = wasActive ? new Date() : null;
    await database.query(`update tenants set status = 'active', activated_at = $2 where id = $1`, [id, activatedAt]);
    await database.query(`update operations set state = 'succeeded', closed_at = now() where id = $1`, [operationId]);
  }
  await driver.beginUndo();
  await driver.takeAway();
  return { driver, kept: await listArchives(database, id, 10) };
}

const partitionRows: Sample = {
  name: 'rows',
  product: moamalat,
  steps: ({ cell, tenantId }) => {
    const table = cell.sharedTables?.[0];
    const partitionKey = { name: 'PK', value: `ACCOUNT#${tenantId}` };
    return [
      {
        id: 'put_metadata',
        kind: 'dynamodb-item',
        needs: [],
        spec: { table, partitionKey, sortKey: { name: 'SK', value: 'METADATA' }, attributes: { name: 'x' } },
      },
      { id: 'rows', kind: 'dynamodb-rows', needs: ['put_metadata'], spec: { table, partitionKey } },
    ];
  },
};
const shared = () => ground.cell.sharedTables?.[0] ?? '';
const fillPartition = ({ tenant }: StepDriver) =>
  ground.aws.partitions.putRows(shared(), rowsOf(`ACCOUNT#${tenant.id}`));

const stack: Sample = {
  name: 'a stack',
  product: moamalat,
  steps: ({ tenantId }) => [
    {
      id: 'create_stack',
      kind: 'cloudformation-stack',
      needs: [],
      spec: {
        prefix: 'app-prod-account',
        template: { body: tableTemplate },
        parameters: {
          ...{ Table: `app-prod-account-${tenantId}`, Parameter: `/accounts/${tenantId}/value`, IsProtected: 'true' },
        },
        ...{ capabilities: [], tags: {}, terminationProtection: true, liftsTableProtection: true, timeoutMinutes: 15 },
      },
    },
  ],
};

const manifestOf = async ({ id }: ArchiveRow): Promise<Manifest> => {
  const { manifest } = await archives.show(id);
  if (!manifest) throw new Error('it has no manifest');
  return manifest;
};

describe('a dump of the rows of a partition', () => {
  it('is kept before they are deleted, by the step itself, and comes back as it was', async () => {
    const { driver, kept } = await removed(dynamodbRows, partitionRows, { wasActive: true, fill: fillPartition });
    const rows = rowsOf(`ACCOUNT#${driver.tenant.id}`);
    const [archive] = kept;
    expect(kept).toMatchObject([{ state: 'kept', kind: 'dynamodb-rows', files: 1, tables: 1, rows: 3 }]);
    const manifest = await manifestOf(archive!);
    expect(manifest).toMatchObject({
      version: 2,
      contents: {
        ...{ format: 'dynamodb-rows', notDumped: [] },
        tables: [{ table: shared(), keys: ['PK', 'SK'], partition: `ACCOUNT#${driver.tenant.id}`, ...sumOf(rows) }],
      },
    });
    const queries = ground.gateway
      .calls()
      .filter(({ action, caller }) => action === 'Query' && caller.stepId === 'rows');
    expect(queries.length).toBeGreaterThanOrEqual(3);
    expect(ground.gateway.calls().filter(({ action, caller }) => action === 'Query' && !caller.stepId)).toEqual([]);

    const table = await newTable();
    expect(await archives.loadRows(archive!.id, { table })).toEqual({ table, rows: 3 });
    expect(sumOf(await scanned(table))).toEqual(sumOf(rows));
    // What was cut short is begun again.
    expect(await archives.loadRows(`s3://${bucket}/${manifestKey(archive!)}`, { table })).toEqual({ table, rows: 3 });
    expect(sumOf(await scanned(table))).toEqual(sumOf(rows));
    await expect(archives.urls(archive!.id, 60)).rejects.toThrow('not to be handed out');
    await expect(archives.load(archive!.id, { database: 'postgres://nowhere/x', schema: 'x' })).rejects.toThrow(
      'rows of DynamoDB: name --table',
    );
  });

  it('is loaded from a folder, and writes nothing where the table holds another row under a key of its own', async () => {
    const { driver, kept } = await removed(dynamodbRows, partitionRows, { wasActive: true, fill: fillPartition });
    const folder = await mkdtemp(join(tmpdir(), 'rows-'));
    const { prefix } = kept[0]!;
    for (const name of ['manifest.json', 'rows.jsonl.gz'])
      await writeFile(join(folder, name), await buffer(await ground.aws.objects.read({ bucket, key: prefix + name })));
    const table = await newTable();
    const [first, second] = rowsOf(`ACCOUNT#${driver.tenant.id}`);
    await ground.aws.partitions.putRows(table, [
      { ...second, raw: { S: 'newer' } },
      { ...first, PK: { S: 'ACCOUNT#2' } },
    ]);
    const before = sumOf(await scanned(table));
    const load = archives.loadRows(join(folder, 'manifest.json'), { table });
    await expect(load).rejects.toThrow('holds another row {"PK":');
    expect(sumOf(await scanned(table))).toEqual(before);
    const empty = await newTable();
    expect(await archives.loadRows(join(folder, 'manifest.json'), { table: empty })).toMatchObject({ rows: 3 });
    await rm(folder, { recursive: true });
  });

  it('is not loaded when a file is another than its manifest says, or into a table that is not there or has other keys', async () => {
    const { kept } = await removed(dynamodbRows, partitionRows, { wasActive: true, fill: fillPartition });
    const { id, prefix } = kept[0]!;
    await expect(archives.loadRows(id, { table: 'no-such-table' })).rejects.toThrow('there is no table');
    await expect(archives.loadRows(id, { table: await newTable(), only: 'x' })).rejects.toThrow('name one of them');
    const table = await newTable();
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}rows.jsonl.gz`, Body: Buffer.from('x') }));
    await expect(archives.loadRows(id, { table })).rejects.toThrow();
    expect(await scanned(table)).toEqual([]);
  });

  it('is none of a tenant that was never active: what somebody wrote in its partition stays when its creation is undone', async () => {
    const { driver, kept } = await removed(dynamodbRows, partitionRows, { wasActive: false, fill: fillPartition });
    expect(kept).toEqual([]);
    const left = (await scanned(shared())).filter(({ PK }) => PK?.S?.includes(driver.tenant.id));
    expect(left.map(({ SK }) => SK?.S).sort()).toEqual(['METADATA', 'ORDER#1', 'ORDER#2', 'ORDER#3']);
  });

  it('is made of them when such a tenant is deleted, which takes them', async () => {
    const way = { wasActive: false, isDeleted: true, fill: fillPartition };
    const { driver, kept } = await removed(dynamodbRows, partitionRows, way);
    expect(kept).toMatchObject([{ state: 'kept', rows: 3 }]);
    const left = (await scanned(shared())).filter(({ PK }) => PK?.S?.includes(driver.tenant.id));
    expect(left.map(({ SK }) => SK?.S)).toEqual(['METADATA']);
  });

  it('is recorded as nothing where there was no row', async () => {
    const fill = () => Promise.resolve();
    const { kept } = await removed(dynamodbRows, partitionRows, { wasActive: true, fill });
    expect(kept).toMatchObject([{ state: 'nothing', reason: 'there was no data of it' }]);
  });
});

describe('a dump of a stack', () => {
  it('holds all rows of its tables, before their protection is lifted', async () => {
    const keys = ['pk', 'sk'] as const;
    const { driver, kept } = await removed(cloudformationStack, stack, {
      wasActive: true,
      fill: ({ tenant }) => ground.aws.partitions.putRows(`app-prod-account-${tenant.id}`, rowsOf('any', keys)),
    });
    const of = `app-prod-account-${driver.tenant.id}`;
    const manifest = await manifestOf(kept[0]!);
    expect(manifest.contents).toMatchObject({
      tables: [{ table: of, keys: ['pk', 'sk'], partition: null, ...sumOf(rowsOf('any', keys)) }],
      notDumped: [],
    });
    expect(kept).toMatchObject([{ state: 'kept', kind: 'cloudformation-stack', rows: 3 }]);
    await expect(archives.loadRows(kept[0]!.id, { table: await newTable() })).rejects.toThrow('has the key PK, SK');
  });
});
