import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClosedDatabase, dropDatabase } from '../../sandbox/parts/postgres-databases.ts';
import { createTenantDatabases } from '../../src/db/tenant-databases.ts';
import type { SchemaKey } from '../../src/db/tenant-schema-key.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { newKey, openTenantServer, password, refusalOf, unguarded, type TenantServer } from './tenant-server.ts';

let test: TestDatabase;
let server: TenantServer;
beforeAll(async () => {
  test = await createTestDatabase();
  server = openTenantServer(test);
  await server.admin.query('create schema b');
});
afterAll(async () => {
  await server.admin.query('drop schema b cascade');
  await server.close();
  await test.drop();
});

interface Hanging {
  readonly what: string;
  /** As the tenant, in its schema `A`. */
  readonly tenant: string;
  /** As somebody else, in the schema `b`; gone again by `after` when the statement that frees it leaves it there. */
  readonly other: string;
  readonly named: RegExp;
  readonly after?: string;
}

const table = 'create table t (id int primary key, n int)';
const hangings: readonly Hanging[] = [
  {
    what: 'a view',
    tenant: table,
    other: 'create view b.seen as select * from A.t',
    named: /view b\.seen on .*DROP VIEW b\.seen/,
  },
  {
    what: 'a materialized view',
    tenant: table,
    other: 'create materialized view b.kept as select n from A.t',
    named: /DROP MATERIALIZED VIEW b\.kept/,
  },
  {
    what: 'a foreign key',
    tenant: table,
    other: 'create table b.child (a int constraint points references A.t)',
    named: /ALTER TABLE b\.child DROP CONSTRAINT points/,
    after: 'drop table b.child',
  },
  {
    what: 'a foreign key whose name reads like SQL',
    tenant: table,
    other: 'create table b.odd (a int constraint "x on b.y; drop table b.z" references A.t)',
    named: /ALTER TABLE b\.odd DROP CONSTRAINT "x on b\.y; drop table b\.z"/,
    after: 'drop table b.odd',
  },
  {
    what: 'a column whose name has a dot',
    tenant: `create type mood as enum ('fine')`,
    other: 'create table b.dotted ("a.b" A.mood)',
    named: /ALTER TABLE b\.dotted ALTER COLUMN "a\.b" TYPE text USING "a\.b"::text/,
    after: 'drop table b.dotted',
  },
  {
    what: 'a function with an SQL body',
    tenant: table,
    other: 'create function b.f() returns bigint begin atomic select count(*) from A.t; end',
    named: /DROP FUNCTION b\.f\(\)/,
  },
  {
    what: 'a column of an enum type',
    tenant: `create type mood as enum ('fine')`,
    other: `create table b.people (m A.mood); insert into b.people values ('fine')`,
    named: /ALTER TABLE b\.people ALTER COLUMN m TYPE text USING m::text/,
    after: 'drop table b.people',
  },
  {
    what: 'a column of a domain',
    tenant: 'create domain positive as int check (value > 0)',
    other: 'create table b.amounts (v A.positive)',
    named: /ALTER TABLE b\.amounts ALTER COLUMN v TYPE text/,
    after: 'drop table b.amounts',
  },
  {
    what: "a column of a table's row type",
    tenant: table,
    other: 'create table b.rows (r A.t)',
    named: /ALTER TABLE b\.rows ALTER COLUMN r TYPE text/,
    after: 'drop table b.rows',
  },
  {
    what: 'a default that uses a sequence',
    tenant: 'create sequence s',
    other: `create table b.numbered (id bigint default nextval('A.s'))`,
    named: /ALTER TABLE b\.numbered ALTER COLUMN id DROP DEFAULT/,
    after: 'drop table b.numbered',
  },
  {
    what: 'a generated column',
    tenant: `create function up(text) returns text immutable language sql as 'select upper($1)'`,
    other: 'create table b.generated (x text, y text generated always as (A.up(x)) stored)',
    named: /ALTER TABLE b\.generated ALTER COLUMN y DROP EXPRESSION/,
    after: 'drop table b.generated',
  },
  {
    what: 'a check constraint',
    tenant: `create function good(int) returns bool immutable language sql as 'select true'`,
    other: 'create table b.checked (x int constraint fine check (A.good(x)))',
    named: /ALTER TABLE b\.checked DROP CONSTRAINT fine/,
    after: 'drop table b.checked',
  },
  {
    what: 'an index on an expression',
    tenant: `create function low(text) returns text immutable language sql as 'select $1'`,
    other: 'create table b.indexed (x text); create index quick on b.indexed (A.low(x))',
    named: /DROP INDEX b\.quick/,
    after: 'drop table b.indexed',
  },
  {
    what: 'a table that inherits',
    tenant: table,
    other: 'create table b.heir (x int) inherits (A.t)',
    named: /ALTER TABLE b\.heir NO INHERIT A\.t/,
    after: 'drop table b.heir',
  },
  {
    what: 'a partition',
    tenant: 'create table p (id int) partition by range (id)',
    other: 'create table b.piece partition of A.p for values from (0) to (10)',
    named: /ALTER TABLE A\.p DETACH PARTITION b\.piece/,
    after: 'drop table b.piece',
  },
  {
    what: 'a typed table',
    tenant: 'create type pair as (l int, r int)',
    other: 'create table b.pairs of A.pair',
    named: /ALTER TABLE b\.pairs NOT OF/,
    after: 'drop table b.pairs',
  },
  {
    what: 'a trigger',
    tenant: `create function tick() returns trigger language plpgsql as 'begin return new; end'`,
    other:
      'create table b.watched (x int); create trigger tock before insert on b.watched for each row execute function A.tick()',
    named: /DROP TRIGGER tock ON b\.watched/,
    after: 'drop table b.watched',
  },
  {
    what: 'a row-level policy that reads a table',
    tenant: table,
    other: 'create table b.guarded (x int); create policy reading on b.guarded using (exists (select from A.t))',
    named: /DROP POLICY reading ON b\.guarded/,
    after: 'drop table b.guarded',
  },
  {
    what: 'a row-level policy for the role',
    tenant: table,
    other: 'create table b.shared (x int); create policy his on b.shared to A using (true)',
    named: /DROP POLICY his ON b\.shared/,
    after: 'drop table b.shared',
  },
  {
    what: 'a row-level policy for the role and others, who keep it',
    tenant: table,
    other: 'create table b.shared (x int); create policy theirs on b.shared to A, pg_monitor using (true)',
    named: /ALTER POLICY theirs ON b\.shared TO pg_monitor/,
    after: 'drop policy theirs on b.shared; drop table b.shared',
  },
  {
    what: 'a column of a composite type',
    tenant: `create type mood as enum ('fine')`,
    other: 'create type b.person as (m A.mood)',
    named: /ALTER TYPE b\.person ALTER ATTRIBUTE m TYPE text/,
    after: 'drop type b.person',
  },
  {
    what: 'a column of a foreign table',
    tenant: `create type mood as enum ('fine')`,
    other: `create foreign data wrapper far; create server away foreign data wrapper far;
      create foreign table b.distant (m A.mood) server away`,
    named: /ALTER FOREIGN TABLE b\.distant ALTER COLUMN m TYPE text/,
    after: 'drop foreign data wrapper far cascade',
  },
  {
    what: 'a foreign-data wrapper with its validator',
    tenant: `create function valid(text[], oid) returns bool language sql as 'select true'`,
    other: 'create foreign data wrapper "Far away" validator A.valid',
    named: /DROP FOREIGN DATA WRAPPER "Far away"/,
  },
  {
    what: 'a user mapping and a foreign table on a server of the role',
    tenant: table,
    other: `create foreign data wrapper far; create server "Our server" foreign data wrapper far;
      alter foreign data wrapper far owner to current_user; grant usage on foreign data wrapper far to A;
      alter server "Our server" owner to A; revoke usage on foreign data wrapper far from A;
      create user mapping for public server "Our server"; create foreign table b.distant (x int) server "Our server"`,
    named: /DROP FOREIGN TABLE b\.distant.*DROP USER MAPPING FOR public SERVER "Our server"/s,
    after: 'drop foreign data wrapper far cascade',
  },
  {
    what: 'statistics on an expression',
    tenant: `create function low(text) returns text immutable language sql as 'select $1'`,
    other: 'create table b.measured (x text); create statistics b.facts on (A.low(x)) from b.measured',
    named: /DROP STATISTICS b\.facts/,
    after: 'drop table b.measured',
  },
  {
    what: 'a table of somebody else in another schema of the role',
    tenant: table,
    other: 'create schema second; create table second.guest (id int); alter schema second owner to A',
    named: /table second\.guest on schema second \(free it with: ALTER TABLE second\.guest SET SCHEMA public\)/,
    after: 'drop table public.guest',
  },
  {
    what: 'a rule',
    tenant: table,
    other:
      'create table b.ruled (x int); create rule also as on insert to b.ruled do also insert into A.t values (new.x)',
    named: /DROP RULE also ON b\.ruled/,
    after: 'drop table b.ruled',
  },
  {
    what: 'an event trigger',
    tenant: `create function watch() returns event_trigger language plpgsql as 'begin end'`,
    other: `create event trigger on_a_table on ddl_command_end when tag in ('CREATE FOREIGN TABLE') execute function A.watch()`,
    named: /DROP EVENT TRIGGER on_a_table/,
  },
  {
    what: 'a publication of a table',
    tenant: table,
    other: 'create publication outward for table A.t',
    named: /ALTER PUBLICATION outward DROP TABLE A\.t/,
    after: 'drop publication outward',
  },
  {
    what: 'a publication of the schema',
    tenant: table,
    other: 'create publication allout for tables in schema A',
    named: /ALTER PUBLICATION allout DROP TABLES IN SCHEMA A/,
    after: 'drop publication allout',
  },
  {
    what: 'an operator class',
    tenant: `create function cmp(int, int) returns int immutable language sql as 'select 0'`,
    other: 'create operator class b.order for type int using btree as function 1 A.cmp(int, int)',
    named: /DROP OPERATOR FAMILY b\."order" USING btree/,
  },
  {
    what: 'a cast to a type of somebody else',
    tenant: 'create type inner_one as (l int)',
    other: `create type b.outer_one as (r int);
      create function b.turn(A.inner_one) returns b.outer_one language sql as 'select row(1)::b.outer_one';
      create cast (A.inner_one as b.outer_one) with function b.turn(A.inner_one)`,
    named: /DROP CAST \(A\.inner_one AS b\.outer_one\)/,
    after: 'drop type b.outer_one',
  },
  {
    what: 'a text search configuration',
    tenant: 'create text search dictionary d (template = simple)',
    other: `create text search configuration b.conf (copy = simple);
      alter text search configuration b.conf alter mapping for asciiword with A.d`,
    named: /DROP TEXT SEARCH CONFIGURATION b\.conf/,
  },
  {
    what: 'an extension in the schema, and a column that hangs on it',
    tenant: table,
    other: 'create extension citext schema A; create table b.words (w A.citext)',
    named: /extension citext of somebody else.*ALTER EXTENSION citext SET SCHEMA public/s,
    after: 'drop table b.words; drop extension citext',
  },
  {
    what: 'a table of somebody else in the schema',
    tenant: table,
    other: 'create table A.guest (id int)',
    named: /table A\.guest of postgres.*ALTER TABLE A\.guest SET SCHEMA public/,
    after: 'drop table public.guest',
  },
];

const inSchema = (sql: string, { name }: SchemaKey) => sql.replaceAll(/\bA\b/g, name);

/** Everything of the tenant's schema, and whether its role may log in. */
async function stateOf({ name }: SchemaKey): Promise<unknown[]> {
  const { rows } = await server.admin.query<{ what: string }>(
    `select pg_describe_object(classid, objid, objsubid) as what, deptype from pg_depend
      where refclassid = 'pg_namespace'::regclass and refobjid = to_regnamespace($1)
     union all select 'login ' || rolcanlogin, 'r' from pg_roles where rolname = $1 order by 1`,
    [name],
  );
  return rows;
}

describe('the removal of a schema', () => {
  it.each(hangings)(
    'that keeps $what alive touches nothing, and names it with the statement that frees it',
    async (hanging) => {
      const key = await server.make(hanging.tenant);
      await server.admin.query(inSchema(hanging.other, key));
      const before = await stateOf(key);
      const { code, message } = await refusalOf(server.remove(key));
      expect({ code, message: message.replaceAll(key.name, 'A') }).toEqual({
        code: 'STILL_PRESENT',
        message: expect.stringMatching(hanging.named) as unknown,
      });
      expect(message).toContain('nothing was touched');
      expect(await stateOf(key)).toEqual(before);

      // Everything that is named, in whatever order works.
      const statements = [...message.matchAll(/\(free it with: (.*?)\)(?=;|$)/gs)].map((match) => match[1]!);
      for (const statement of [...statements, ...statements])
        await server.admin.query(statement).catch(() => undefined);
      await server.remove(key);
      expect(await stateOf(key)).toEqual([]);
      if (hanging.after !== undefined) await server.admin.query(hanging.after);
    },
  );

  it('carries out nothing that a tenant wrote into a name', async () => {
    await server.admin.query(`create table b.victim (); alter table b.victim owner to provisioner;
      grant all on schema b to provisioner`);
    const names = [
      ' on if exists a drop b;/*',
      ' on */drop table b.victim;--',
      'x on y',
      `"quoted" ' on $1 -- `,
      'a;b',
    ];
    const key = await server.make(
      names
        .map((name, i) => {
          const constraint = pg.escapeIdentifier(name);
          return `create table one${i} (id int primary key, other int); create table two${i} (id int primary key, other int);
            alter table one${i} add constraint ${constraint} foreign key (other) references two${i};
            alter table two${i} add constraint ${constraint} foreign key (other) references one${i};
            create table ${constraint} (${constraint} int); create view ${pg.escapeIdentifier(`${name} `)} as select 1`;
        })
        .join('; '),
    );
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
    const { rows } = await server.admin.query(`select to_regclass('b.victim')::text as victim`);
    expect(rows).toEqual([{ victim: 'b.victim' }]);
  });

  it('works for a provisioner whose name has to be quoted', async () => {
    const database = `quoted_${randomUUID().slice(0, 8)}`;
    const role = `Prov.${database}`;
    await server.admin.query(`create role "${role}" login createrole password '${password}'`);
    await createClosedDatabase(test.adminUrl, database, role);
    const url = new URL(`/${database}`, test.adminUrl);
    Object.assign(url, { username: encodeURIComponent(role), password });
    const databases = createTenantDatabases({ primary: url.href });
    const admin = new pg.Client({ connectionString: new URL(`/${database}`, test.adminUrl).href });
    await admin.connect();
    try {
      const key = newKey();
      await databases.closeToPublic();
      await databases.ensureRole(key, { password, connectionLimit: 5 }, unguarded);
      await databases.ensureSchema(key, unguarded);
      await admin.query(`create table ${key.name}.t (id int); alter table ${key.name}.t owner to ${key.name}`);
      await databases.dropSchemaAndRole(key, unguarded);
      expect(await databases.inspect(key)).toMatchObject({ role: 'absent', schema: 'absent' });
    } finally {
      await admin.end();
      await databases.close();
      await dropDatabase(test.adminUrl, database);
      await server.admin.query(`drop role "${role}"`);
    }
  });

  it('takes all that a tenant can make, whatever hangs on what', async () => {
    const key = await server.make(`
      create table one (id serial primary key, other int);
      create table two (id bigint generated always as identity primary key, one int references one);
      alter table one add constraint circle foreign key (other) references two;
      create table self (id int primary key, parent int references self);
      create type mood as enum ('fine'); create domain pos as int check (value > 0); create type pair as (l int, r pos);
      create type span as range (subtype = int);
      create table typed (m mood, p pair, s span, a mood[]);
      create function body() returns bigint begin atomic select count(*) from one; end;
      create table circular (n bigint default body());
      create or replace function body() returns bigint begin atomic select count(*) from circular; end;
      create view v as select * from one; create view w as select * from v; create materialized view m as select * from w;
      create unique index on m (id); create statistics st on id, one from two;
      create table parts (id int primary key) partition by range (id);
      create table part1 partition of parts for values from (0) to (10);
      create table part2 partition of parts for values from (10) to (20) partition by list (id);
      create table part3 partition of part2 default;
      create table heir () inherits (self);
      create function tick() returns trigger language plpgsql as 'begin return new; end';
      create trigger t before insert on one for each row execute function tick();
      alter table one enable row level security; create policy p on one using (true);
      create rule r as on insert to self do also insert into one default values;
      create procedure proc() language sql as 'select 1'; create aggregate agg (int) (sfunc = int4pl, stype = int);
      create function plus(pair, pair) returns pair language sql as 'select $1';
      create operator + (leftarg = pair, rightarg = pair, function = plus);
      create function to_t(pair) returns text language sql as 'select ''x''';
      create cast (pair as text) with function to_t(pair);
      create text search dictionary d (template = simple); create text search configuration conf (copy = simple);
      alter text search configuration conf alter mapping for asciiword with d;
      create collation coll from "C"; create table "Odd ""Name" ("a b" int); comment on table one is 'hm';
      select lo_create(0) from generate_series(1, 60);
      alter default privileges grant select on tables to public`);
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
    const { rows } = await server.admin.query(
      `select classid::regclass, objid from pg_depend where refclassid = 'pg_type'::regclass and refobjid not in (select oid from pg_type)`,
    );
    expect(rows).toEqual([]);
  });

  it("takes a tenant's own publications, of its tables and of somebody else's, which stay", async () => {
    await server.admin.query('create table b.public_one (id int primary key)');
    const key = await server.make(table);
    await server.admin.query(`create publication own for table ${key.name}.t, b.public_one;
      create publication whole for tables in schema ${key.name};
      alter publication own owner to ${key.name}; alter publication whole owner to ${key.name}`);
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
    expect((await server.admin.query('select from pg_publication')).rowCount).toBe(0);
    expect((await server.admin.query('select from b.public_one')).rowCount).toBe(0);
    await server.admin.query('drop table b.public_one');
  });

  it('that takes the role of subscriptions touches nothing, and names each with its database', async () => {
    const other = `subscriber_${randomUUID().slice(0, 8)}`;
    await createClosedDatabase(test.adminUrl, other, 'provisioner');
    const elsewhere = new pg.Client({ connectionString: new URL(`/${other}`, test.adminUrl).href });
    await elsewhere.connect();
    try {
      const key = await server.make(table);
      const here = new URL(test.adminUrl).pathname.slice(1);
      const subscribe = async (client: pg.Pool | pg.Client, name: string) => {
        // A tenant needs the grant of pg_create_subscription for it; an operator can give it one as well.
        await client.query(`create subscription ${name} connection 'host=127.0.0.1 port=9' publication p
          with (connect = false, slot_name = none)`);
        await client.query(`alter subscription ${name} owner to ${key.name}`);
      };
      await subscribe(server.admin, 'first_here');
      await subscribe(server.admin, '"Second here"');
      await subscribe(elsewhere, 'third_there');
      const before = await stateOf(key);
      const { code, message } = await refusalOf(server.remove(key));
      expect(code).toBe('STILL_PRESENT');
      expect(message).toContain('nothing was touched');
      expect(await stateOf(key)).toEqual(before);
      const statements = [...message.matchAll(/\(free it with: (DROP SUBSCRIPTION .*?) in database (.*?)\)(?=;|$)/gs)];
      expect(statements.map(([, sql, database]) => [sql, database]).toSorted()).toEqual([
        ['DROP SUBSCRIPTION "Second here"', here],
        ['DROP SUBSCRIPTION first_here', here],
        ['DROP SUBSCRIPTION third_there', other],
      ]);
      for (const [, sql = '', database] of statements) await (database === other ? elsewhere : server.admin).query(sql);
      await server.remove(key);
      expect(await stateOf(key)).toEqual([]);
    } finally {
      await elsewhere.end();
      await dropDatabase(test.adminUrl, other);
    }
  });

  it.each([
    { what: 'a view', tenant: table, other: 'create view b.late as select * from A.t', code: 'STILL_PRESENT' },
    {
      what: 'a partition',
      tenant: 'create table p (id int) partition by range (id)',
      other: 'create table b.late partition of A.p for values from (0) to (10)',
      code: 'CONFLICT_RETRYABLE',
    },
  ])('does not take along $what that is made between the look and the drop', async ({ tenant, other, code }) => {
    const key = await server.make(tenant);
    let transactions = 0;
    // The second transaction drops: its objects have been chosen by then.
    const guard = async () => {
      transactions += 1;
      if (transactions === 2) await server.admin.query(inSchema(other, key));
    };
    await expect(server.databases.dropSchemaAndRole(key, guard)).rejects.toMatchObject({ code });
    expect((await server.admin.query(`select from b.late`)).rows).toEqual([]);
    await expect(server.remove(key)).rejects.toMatchObject({
      code: 'STILL_PRESENT',
      message: expect.stringContaining('b.late') as unknown,
    });
    await server.admin.query(other.startsWith('create view') ? 'drop view b.late' : 'drop table b.late');
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
  });
});
