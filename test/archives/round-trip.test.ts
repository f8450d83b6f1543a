import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectSink } from '../../src/archives/object-sink.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { loadDump } from '../../src/db/tenant-dump/load.ts';
import type { SchemaDump } from '../../src/contracts/dump.ts';
import type { SchemaKey } from '../../src/db/tenant-schema-key.ts';
import { openTenantServer, unguarded, type TenantServer } from '../db/tenant-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { exampleCell } from '../support/platform.ts';

const bucket = 'archive';
let aws: CellAws;
let server: TenantServer;
let test: TestDatabase;

beforeAll(async () => {
  const { url } = await part('ministack');
  test = await createTestDatabase();
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  aws = createCellAws(exampleCell(), { endpointUrl: url, credentials });
  const s3 = new S3Client({ endpoint: url, region: 'us-east-1', credentials, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  s3.destroy();
  server = openTenantServer(test);
});
afterAll(async () => {
  await server.close();
  await test.drop();
  aws.destroy();
});

/** Dumps the schema of a new tenant and loads it, into a schema of another name. */
async function roundTrip(sql: string): Promise<{ key: SchemaKey; dump: SchemaDump; loaded: string }> {
  const key = await server.make(sql);
  const prefix = `${randomUUID()}/`;
  const sink = createObjectSink(aws.objects, { bucket, prefix, tags: {}, signal: AbortSignal.timeout(60_000) });
  const dump = await server.databases.dumpSchema(key, sink, unguarded);
  if (!dump) throw new Error('there was nothing to dump');
  await server.remove(key);
  const loaded = `loaded_${prefix.slice(0, 8)}`;
  const read = (name: string) => aws.objects.read({ bucket, key: prefix + name });
  await loadDump(test.adminUrl, dump, read, loaded);
  return { key, dump, loaded };
}

const drop = (schema: string) => server.admin.query(`drop schema "${schema}" cascade`);
const all = async (query: string) => (await server.admin.query({ text: query, rowMode: 'array' })).rows as unknown[][];

describe('a dump of a schema', () => {
  it('brings back every row, whatever is in it', async () => {
    const { dump, loaded } = await roundTrip(`
      create type mood as enum ('so so', 'it''s fine', 'Größe');
      create domain positive as int check (value > 0);
      create type point3 as (x int, "Y" text);
      create table "Mixed Case ü" (
        id int generated always as identity (start 100), "select" text, empty text default '', data bytea, list text[], doc jsonb, m mood,
        p positive, at timestamptz, f double precision, c point3, twice int generated always as (id * 2) stored, primary key (id));
      insert into "Mixed Case ü" ("select", data, list, doc, m, p, at, f, c) values
        (null, '\\x00ff5c0a', array['a', null, '', 'b"c\\d'], '{"k": [1, null, "\\u00fc\\n"]}', 'it''s fine', 7, '2026-02-28 12:00:00.123456+02', 'NaN', (1, 'x,"y')),
        (E'two\\nlines\\t"q" ''s'' \\\\N \\\\.', '', '{}', 'null', null, null, 'infinity', 1e-300, null), ('', null, null, null, 'Größe', 1, null, '-Infinity', null);
      create table counted (id serial primary key, note text);
      insert into counted (note) select 'n' || g from generate_series(1, 42) g;
      create table empty_one ();
    `);
    expect(
      await all(`select "select", empty, encode(data, 'hex'), list, doc::text, m::text, p, at::text, f::text, c::text, id, twice
      from "${loaded}"."Mixed Case ü" order by id`),
    ).toEqual([
      [
        null,
        '',
        '00ff5c0a',
        ['a', null, '', 'b"c\\d'],
        '{"k": [1, null, "ü\\n"]}',
        "it's fine",
        7,
        '2026-02-28 10:00:00.123456+00',
        'NaN',
        '(1,"x,""y")',
        100,
        200,
      ],
      ['two\nlines\t"q" \'s\' \\N \\.', '', '', [], 'null', null, null, 'infinity', '1e-300', null, 101, 202],
      ['', '', null, null, null, 'Größe', 1, null, '-Infinity', null, 102, 204],
    ]);
    const next = await all(
      `insert into "${loaded}"."Mixed Case ü" ("select") values ('next') returning id, twice, empty`,
    );
    expect(next).toEqual([[103, 206, '']]);
    expect(await all(`insert into "${loaded}".counted (note) values ('next') returning id`)).toEqual([[43]]);
    expect(dump.tables.map(({ table, rows }) => [table, rows])).toEqual([
      ['Mixed Case ü', 3],
      ['counted', 42],
      ['empty_one', 0],
    ]);
    expect(dump.notDumped).toEqual([]);
    await drop(loaded);
  });

  it('brings back what stands around the rows, in an order in which each finds what it needs', async () => {
    const { dump, loaded } = await roundTrip(`
      create function slug(t text) returns text language sql immutable as $f$ select lower(replace(t, ' ', '-')) $f$;
      create table chicken (id int primary key, egg int, name text, key text generated always as (slug(name)) stored);
      create table egg (id int primary key, chicken int references chicken);
      alter table chicken add constraint lays foreign key (egg) references egg (id) deferrable initially deferred;
      create unique index by_slug on chicken (slug(name)) where name is not null;
      alter table chicken add constraint named check (name <> '') not valid;
      insert into chicken values (1, 10, 'A Hen'), (2, null, null); insert into egg values (10, 1); set constraints all immediate;
      create table parted (at date not null, n int, primary key (at, n)) partition by range (at);
      create table parted_26 partition of parted for values from ('2026-01-01') to ('2027-01-01') partition by list (n);
      create table parted_26_1 partition of parted_26 for values in (1);
      create table parted_rest partition of parted default;
      create index on parted (n);
      insert into parted values ('2026-05-05', 1), ('2030-01-01', 2);
      create table base (x int); create table heir (y int) inherits (base); insert into heir values (1, 2);
      create view grouped as select c.*, count(e.*) as eggs from chicken c left join egg e on e.chicken = c.id group by c.id;
      create function hens() returns setof grouped language sql stable begin atomic select * from grouped; end;
      create materialized view counts as select count(*) as n from hens();
      create index on counts (n);
      create function touch() returns trigger language plpgsql as $f$ begin new.name := coalesce(new.name, 'none'); return new; end $f$;
      create trigger touched before insert on chicken for each row execute function touch();
      alter table chicken disable trigger touched;
      create rule kept as on delete to egg do instead nothing;
      create statistics st on id, egg from chicken;
      alter table egg enable row level security;
      create policy mine on egg for select using (chicken > 0);
      create sequence steps increment by 5 start with 3 cycle maxvalue 100; select nextval('steps');
      comment on table chicken is 'lays eggs';
      create aggregate total(int) (sfunc = int4pl, stype = int);
    `);
    const dumped = dump.tables.map(({ table, rows }) => [table, rows]);
    expect(dumped).toEqual([
      ['base', 0],
      ['chicken', 2],
      ['egg', 1],
      ['heir', 1],
      ['parted_26_1', 1],
      ['parted_rest', 1],
    ]);
    expect(dump.notDumped).toEqual([
      { type: 'aggregate', identity: expect.stringContaining('total(integer)') as unknown },
    ]);
    expect(await all(`select id, egg, name, key, eggs from "${loaded}".hens() order by id`)).toEqual([
      [1, 10, 'A Hen', 'a-hen', '1'],
      [2, null, null, null, '0'],
    ]);
    expect(await all(`select n from "${loaded}".counts`)).toEqual([['2']]);
    expect(await all(`select tableoid::regclass::text, n from "${loaded}".parted order by n`)).toEqual([
      [`${loaded}.parted_26_1`, 1],
      [`${loaded}.parted_rest`, 2],
    ]);
    expect(await all(`select x from "${loaded}".base`)).toEqual([[1]]);
    expect(await all(`select nextval('"${loaded}".steps')`)).toEqual([['8']]);
    expect(await all(`select obj_description('"${loaded}".chicken'::regclass)`)).toEqual([['lays eggs']]);
    expect(
      await all(`select c.relname, c.relrowsecurity, (select count(*)::int from pg_trigger t where t.tgrelid = c.oid and t.tgenabled = 'D'),
        (select count(*)::int from pg_constraint k where k.conrelid = c.oid and k.contype in ('f', 'c') and k.convalidated),
        (select count(*)::int from pg_rewrite r where r.ev_class = c.oid), (select count(*)::int from pg_policy p where p.polrelid = c.oid),
        (select count(*)::int from pg_index i where i.indrelid = c.oid), (select count(*)::int from pg_statistic_ext s where s.stxrelid = c.oid)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = '${loaded}' and c.relname in ('chicken', 'egg', 'parted_26_1') order by 1`),
    ).toEqual([
      ['chicken', false, 1, 1, 0, 0, 2, 1],
      ['egg', true, 0, 1, 1, 1, 1, 0],
      ['parted_26_1', false, 0, 0, 0, 0, 2, 0],
    ]);
    await drop(loaded);
  });

  it('keeps a schema whose data would not be in it', async () => {
    const key = await server.make(
      'create table seen (id int); alter table seen enable row level security; alter table seen force row level security',
    );
    const sink = createObjectSink(aws.objects, {
      bucket,
      prefix: `${randomUUID()}/`,
      tags: {},
      signal: AbortSignal.timeout(60_000),
    });
    await expect(server.databases.dumpSchema(key, sink, unguarded)).rejects.toMatchObject({
      code: 'DUMP_FAILED',
      message: expect.stringMatching(/table with FORCE ROW LEVEL SECURITY .*\.seen/) as unknown,
    });
    expect(await server.databases.inspect(key)).toMatchObject({ schema: 'ours' });
  });

  it('is loaded wholly or not at all, into what is empty, for the owner of that', async () => {
    const key = await server.make(
      'create table t (id serial primary key, note text); insert into t (note) values (null), ($$x$$)',
    );
    const prefix = `${randomUUID()}/`;
    const sink = createObjectSink(aws.objects, { bucket, prefix, tags: {}, signal: AbortSignal.timeout(60_000) });
    const dump = (await server.databases.dumpSchema(key, sink, unguarded))!;
    await server.remove(key);
    const read = (name: string) => aws.objects.read({ bucket, key: prefix + name });
    const target = await server.make('create table there (id int)');
    const load = (schema: string, from = dump) => loadDump(test.adminUrl, from, read, schema);
    await expect(load(target.name)).rejects.toThrow('is not empty: nothing was loaded');
    const [table] = dump.tables;
    const other = { ...dump, tables: [{ ...table!, sha256: '0'.repeat(64) }] };
    await expect(load('wrong_sum', other)).rejects.toThrow('data/0001.copy.gz is not what its manifest says');
    await expect(load('wrong_rows', { ...dump, tables: [{ ...table!, rows: 3 }] })).rejects.toThrow('has 2 rows of 3');
    expect(
      await all(`select nspname from pg_namespace where nspname in ('wrong_sum', 'wrong_rows', '${key.name}')`),
    ).toEqual([]);
    await server.admin.query(`drop table "${target.name}".there`);
    await load(target.name);
    const owners = `select c.relname, pg_get_userbyid(c.relowner) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = '${target.name}' and c.relkind in ('r', 'S') order by 1`;
    expect(await all(owners)).toEqual([
      ['t', target.name],
      ['t_id_seq', target.name],
    ]);
    expect(await server.databases.inspect(target)).toMatchObject({ schema: 'ours' });
  });

  it('of a large table goes through in parts, in memory that does not grow with it', async () => {
    // Random text, which gzip leaves large: more than the 8 MiB that are sent at a time.
    const key = await server.make(
      `create table big (id int, noise text); insert into big select g, md5(g::text) || md5((g + 1)::text) || md5((-g)::text) from generate_series(1, 250000) g`,
    );
    const prefix = `${randomUUID()}/`;
    const sink = createObjectSink(aws.objects, { bucket, prefix, tags: {}, signal: AbortSignal.timeout(60_000) });
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers)), 20);
    const before = process.memoryUsage().arrayBuffers;
    const dump = (await server.databases.dumpSchema(key, sink, unguarded))!;
    clearInterval(timer);
    expect(dump.tables).toMatchObject([{ rows: 250_000 }]);
    expect(dump.tables[0]!.bytes).toBeGreaterThan(8 * 1024 * 1024);
    // All that is held: parts on their way out, and what the socket and gzip buffer.
    expect((most - before) / 1024 / 1024).toBeLessThan(64);
    const read = (name: string) => aws.objects.read({ bucket, key: prefix + name });
    const sum = (schema: string) => all(`select count(*), sum(hashtext(noise)::bigint) from "${schema}".big`);
    const sumBefore = await sum(key.name);
    await server.remove(key);
    await loadDump(test.adminUrl, dump, read, 'big_again');
    expect(await sum('big_again')).toEqual(sumBefore);
    expect(await aws.objects.listUploads(bucket, prefix)).toEqual([]);
    await drop('big_again');
  });
});
