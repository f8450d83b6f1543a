import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArchives, type Archives } from '../../src/archives/archives.ts';
import { removeDueArchives } from '../../src/archives/expiry.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { insertArchive, listArchivesOf } from '../../src/db/archives.ts';
import type { InventoryItem } from '../../sandbox/inventory/inventory.ts';
import { caller } from '../../testing/caller.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

const bucket = 'tenantry-archive';
let world: SagaWorld;
let aws: CellAws;
let archives: Omit<Archives, 'close'>;
let tenants: pg.Pool;
let atFirst: InventoryItem[];
let runs: Run[];
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url, archive: bucket });
  aws = createCellAws(world.platform.cells[0]!, { ...world.target, pacing: { factor: Infinity } });
  archives = createArchives({ database: world.database, platform: world.platform, aws: () => aws });
  tenants = new pg.Pool({ connectionString: world.sources.databaseUrl, max: 2 });
  tenants.on('error', () => undefined);
  atFirst = await world.inventory();
  runs = await Promise.all(Array.from({ length: 4 }, () => world.provision('moamalat')));
  for (const run of runs) expect(await world.outcome(run)).toBe('active');
});
afterAll(async () => {
  await tenants.end();
  aws.destroy();
  await world.close();
});

const remove = (run: Run, exports = false) =>
  world.client.deleteTenant(caller, run.tenantId, { confirm: run.slug, exports });
const certificateOf = async (run: Run) => (await world.client.certificate(caller, run.tenantId)).certificate;
const schemaOf = (run: Run) => `tenant_${run.tenantId.replaceAll('-', '')}`;
const isThere = async (run: Run) =>
  (await tenants.query('select from pg_namespace where nspname = $1', [schemaOf(run)])).rowCount === 1;
/** Every attempt, also what came to nothing. */
const attempts = async (run: Run) =>
  (
    await world.database.query<{ state: string }>(
      'select state from archives where tenant_id = $1 order by started_at',
      [run.tenantId],
    )
  ).rows.map(({ state }) => state);
const filesOf = async (run: Run) =>
  (await aws.objects.listVersions(bucket, 'final/')).filter(({ key }) => key.includes(run.tenantId));

describe('a deletion in a cell with an archive', () => {
  it('says beforehand what is kept, keeps it through failures of S3, certifies it, and removes it when its time is over', async () => {
    const [run] = runs as [Run];
    const preview = await world.client.previewDeletion(caller, run.tenantId);
    const kept = { kept: true, bucket, retentionDays: 30, export: false };
    expect(preview.finalDump).toMatchObject(kept);
    const secret = { stepId: 'create_schema', type: 'secretsmanager:secret', days: 7 };
    expect(preview.residues).toContainEqual(expect.objectContaining(secret));
    world.gateway.setFaults({
      rules: [
        {
          match: { service: 's3', action: 'PutObject' },
          fault: { type: 'error', code: 'InternalError', status: 500, when: 'before' },
        },
        {
          match: { service: 's3', action: 'PutObject' },
          skip: 2,
          fault: { type: 'error', code: 'InternalError', status: 500, when: 'after' },
        },
        { match: { service: 's3', action: 'PutObject' }, skip: 4, fault: { type: 'cut', when: 'after' } },
      ],
    });
    expect(await remove(run)).toMatchObject({ accepted: { finalDump: kept } });
    expect(await world.outcome(run)).toBe('deleted');
    expect(world.gateway.faults().rules.map(({ hits }) => hits)).toEqual([1, 1, 1]);
    world.gateway.setFaults({ rules: null });
    await expectNothingLeft(world, run, atFirst);
    const certificate = await certificateOf(run);
    expect(certificate.finalDump).toEqual({ kept: true, why: null });
    const [dump] = certificate.finalDumps ?? [];
    expect(dump).toMatchObject({ stepId: 'create_schema', kept: true, bucket, exported: false });
    expect(certificate.residues).toContainEqual(
      expect.objectContaining({ type: 's3:archive', stepId: 'create_schema' }),
    );

    const [archive] = await listArchivesOf(world.database, run.tenantId);
    const schema = `again_${randomUUID().slice(0, 8)}`;
    const loaded = await archives.load(archive!.id, { database: world.sources.databaseUrl, schema });
    expect(loaded).toEqual({ schema, tables: archive!.tables, rows: archive!.rows });
    await tenants.query(`drop schema ${schema} cascade`);
    await expect(archives.urls(archive!.id, 60)).rejects.toThrow('not to be handed out');
    expect((await archives.list(run.tenantId, 10)).map(({ id }) => id)).toEqual([archive!.id]);
    await expect(archives.list(run.slug, 10)).rejects.toThrow('is not the id of a tenant');

    await world.database.query(`update archives set expires_at = now() where id = $1`, [archive!.id]);
    expect(await removeDueArchives({ database: world.database, aws: () => aws, log: pino({ level: 'silent' }) })).toBe(
      1,
    );
    expect(await filesOf(run)).toEqual([]);
    const events = await world.client.events(caller, run.tenantId, { after: 0, limit: 500 });
    expect(events.at(-1)?.type).toBe('tenant.archive-removed');
    expect(await certificateOf(run)).toEqual(certificate);
  });

  it('begins anew when its session ends in the middle of the dump, and leaves nothing of the first attempt', async () => {
    const [, run] = runs as [Run, Run];
    const match = { service: 's3', action: 'PutObject' };
    world.gateway.setFaults({ rules: [{ match, fault: { type: 'slow', delayMs: 3_000 } }] });
    const asked = { confirm: run.slug, exports: true, graceMs: 2_000 };
    const deletion = await world.client.deleteTenant(caller, run.tenantId, asked);
    // As a worker leaves it that was killed: a row, an object, and parts of another.
    await leaveBehind(run, (deletion as { accepted: { operationId: string } }).accepted.operationId);
    await untilTrue(
      async () =>
        (
          await tenants.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tenantry-dump'`,
          )
        ).rowCount === 1,
    );
    expect(await world.outcome(run)).toBe('deleted');
    world.gateway.setFaults({ rules: null });
    expect(await attempts(run)).toEqual(['discarded', 'discarded', 'kept']);
    await expectNothingLeft(world, run, atFirst);
    const [archive] = await listArchivesOf(world.database, run.tenantId);
    expect(archive).toMatchObject({ exported: true });
    const [manifest] = await archives.urls(archive!.id, 60);
    expect(await (await fetch(manifest!.url)).json()).toMatchObject({ manifest: 'tenantry-dump', exported: true });
    // A write of a dead attempt that lands after all: the worker's loop removes it, and leaves what counts.
    await leaveBehind(run, archive!.operationId);
    const kept = (await filesOf(run)).filter(({ key }) => key.startsWith(archive!.prefix));
    await removeDueArchives(
      { database: world.database, aws: () => aws, log: pino({ level: 'silent' }) },
      { quietMs: 0 },
    );
    expect(await filesOf(run)).toEqual(kept);
    expect(await attempts(run)).toEqual(['removed', 'removed', 'kept', 'removed']);
  });

  it('is stuck with the data in place while there is no bucket, and goes on when there is', async () => {
    const [, , run] = runs as [Run, Run, Run];
    const s3 = new S3Client({
      endpoint: world.target.endpointUrl,
      ...{ region: world.target.region, credentials: world.target.credentials!, forcePathStyle: true },
    });
    const others = await aws.objects.listVersions(bucket, '');
    await aws.objects.removeVersions(bucket, others);
    await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
    await remove(run);
    const stuck = await world.until(run, 'stuck');
    expect(JSON.stringify(stuck)).toContain('NoSuchBucket');
    expect(await isThere(run)).toBe(true);
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    s3.destroy();
    await world.client.retry(caller, run.tenantId);
    expect(await world.outcome(run)).toBe('deleted');
    expect((await attempts(run)).filter((state) => state !== 'discarded')).toEqual(['kept']);
    await expectNothingLeft(world, run, atFirst);
  });

  it('drops nothing whose dump was promised when the cell has no archive any more', async () => {
    const run = runs[3]!;
    const cell = world.platform.cells[0]! as { archive?: unknown };
    const { archive } = cell;
    const accepted = world.client.deleteTenant(caller, run.tenantId, { confirm: run.slug, graceMs: 1_500 });
    expect(await accepted).toMatchObject({ accepted: { finalDump: { kept: true } } });
    delete cell.archive;
    try {
      expect(JSON.stringify(await world.until(run, 'stuck'))).toContain('DUMP_FAILED');
      expect(await isThere(run)).toBe(true);
      await world.client.abandon(caller, run.tenantId, { reason: 'its data is not wanted' });
      expect(await remove(run, false)).toMatchObject({
        accepted: { finalDump: { kept: false, detail: expect.stringContaining('NO final dump') as unknown } },
      });
      expect(await world.outcome(run)).toBe('deleted');
    } finally {
      cell.archive = archive;
    }
    expect(await certificateOf(run)).toMatchObject({
      finalDump: { kept: false, why: 'its cell had no archive when the deletion was accepted' },
      finalDumps: [],
    });
    await expectNothingLeft(world, run, atFirst);
  });
});

async function leaveBehind({ tenantId }: Run, operationId: string): Promise<void> {
  const id = randomUUID();
  const prefix = `final/${tenantId}/${id}/`;
  const step = { stepId: 'create_schema', kind: 'postgres-schema', cell: 'default' };
  await insertArchive(world.database, { id, operationId, tenantId, ...step, bucket, prefix, exported: false });
  const settings = { contentType: 'text/plain', tags: {} };
  const checksum = createHash('sha256').update('left').digest('base64');
  await aws.objects.put({ bucket, key: `${prefix}data/0001.copy.gz` }, Buffer.from('left'), checksum, settings);
  await aws.objects.startUpload({ bucket, key: `${prefix}data/0002.copy.gz` }, settings);
}

async function untilTrue(look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await look());) {
    if (Date.now() > end) throw new Error('it did not become true within a minute');
    await sleep(20);
  }
}
