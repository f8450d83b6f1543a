import { DeleteItemCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { startGateway, type Gateway } from '../../sandbox/gateway/gateway.ts';
import { ensureTable } from '../../sandbox/landing-zone/tables.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { fromAttributes, toAttributes, type Item } from '../../src/aws/dynamodb-values.ts';
import type { ItemKey } from '../../src/aws/dynamodb.ts';
import type { Platform } from '../../src/contracts/platform.ts';
import type { Database } from '../../src/db/database.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import type { ProjectionTarget } from '../../src/projection/project-tenant.ts';
import { createProjector } from '../../src/worker/projector.ts';
import { cell } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { freshAccountId, part } from '../support/parts.ts';

/** A database, the emulator behind a gateway, and a table of its own for each test. */
export interface ProjectionWorld {
  readonly db: Database;
  readonly gateway: Gateway;
  readonly dynamodb: DynamoDBClient;
  readonly aws: CellAws;
  readonly platform: Platform;
  readonly target: ProjectionTarget;
  /** A worker's round; a clock that stands still keeps a cell that failed alone for good. */
  worker(now?: () => number): { readonly round: () => Promise<void>; readonly lines: Record<string, unknown>[] };
  makeTable(): Promise<void>;
  /** What the table holds, by the sort key and in its order. */
  items(tenantId: string): Promise<Item[]>;
  all(): Promise<Item[]>;
  plant(item: Item): Promise<void>;
  take(key: ItemKey): Promise<void>;
}

export function useProjectionWorld(): { readonly current: ProjectionWorld } {
  let db: Database;
  let gateway: Gateway;
  let aws: CellAws;
  let dynamodb: DynamoDBClient;
  let installationId: string;
  let current: ProjectionWorld | undefined;
  useControlDatabase((opened) => (db = opened));
  beforeAll(async () => {
    gateway = await startGateway({ upstreamUrl: (await part('ministack')).url });
    const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
    aws = createCellAws(cell, { endpointUrl: gateway.url, credentials });
    dynamodb = new DynamoDBClient({ endpoint: gateway.url, region: cell.region, credentials });
    installationId = await findInstallationId(db);
  });
  beforeEach(async () => {
    const table = `tenants-${randomUUID()}`;
    // What earlier tests left is none of this one's.
    await db.query(`update tenants set cell = 'earlier'`);
    await db.query(`update tenant_projections set cell = 'earlier'`);
    gateway.setFaults({ rules: null });
    current = open({ db, gateway, dynamodb, aws }, { tables: aws.tables, table, installationId });
    await current.makeTable();
  });
  afterAll(async () => {
    aws.destroy();
    dynamodb.destroy();
    await gateway.close();
  });
  return {
    get current() {
      if (!current) throw new Error('no test runs');
      return current;
    },
  };
}

function open(
  parts: Pick<ProjectionWorld, 'db' | 'gateway' | 'dynamodb' | 'aws'>,
  target: ProjectionTarget,
): ProjectionWorld {
  const { db, dynamodb, aws } = parts;
  const { table: TableName, installationId } = target;
  const platform: Platform = { version: 1, cells: [{ ...cell, projection: { table: TableName } }] };
  const all = async () => {
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true }));
    return Items.map(fromAttributes).toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  };
  return {
    ...parts,
    target,
    platform,
    worker: (now) => {
      const lines: Record<string, unknown>[] = [];
      const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
      const log = pino({ level: 'info' }, { write });
      const round = createProjector({
        database: db,
        platform,
        installationId,
        aws: () => aws,
        log,
        ...(now && { now }),
      });
      return { round, lines };
    },
    makeTable: () => ensureTable(dynamodb, TableName, ['GSI1', 'GSI2']),
    items: async (tenantId) => (await all()).filter(({ PK }) => PK === `TENANT#${tenantId}`),
    all,
    plant: async (item) => {
      await dynamodb.send(new PutItemCommand({ TableName, Item: toAttributes(item) }));
    },
    take: async ({ PK, SK }) => {
      await dynamodb.send(new DeleteItemCommand({ TableName, Key: toAttributes({ PK, SK }) }));
    },
  };
}

function sortKey({ SK }: Item): string {
  return typeof SK === 'string' ? SK : '';
}
