import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClosedDatabase, dropDatabase } from '../../sandbox/parts/postgres-databases.ts';
import type { SchemaKey } from '../../src/db/tenant-schema-key.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTenantServer, refusalOf, statementsOf, type TenantServer } from './tenant-server.ts';

const id = randomUUID().slice(0, 8);
/** Roles are the whole server's. `dba` owns the schema `shop`; the provisioner has nothing of it. */
const [dba, second, outsider, staff] = ['dba', 'second', 'outsider', 'staff'].map((role) => `${role}_${id}`);
const foreignDatabase = `foreign_${id}`;

let test: TestDatabase;
let server: TenantServer;
beforeAll(async () => {
  test = await createTestDatabase();
  server = openTenantServer(test);
  await server.admin.query(`create role ${dba}; create role ${second}; create role ${outsider}; create role ${staff};
    create schema shop authorization ${dba}; set role ${dba}; grant usage on schema shop to ${second}, ${outsider};
    create table shop.rates (id int, n int); create sequence shop.numbers; create view shop.seen as select 1 as one;
    create function shop.f(int) returns int language sql as 'select 1'; create procedure shop.p() language sql as 'select 1';
    create type shop.mood as enum ('fine'); create domain shop.positive as int; reset role;
    create foreign data wrapper far; create server away foreign data wrapper far; select lo_create(4711)`);
  await createClosedDatabase(test.adminUrl, foreignDatabase, dba!);
});
afterAll(async () => {
  await dropDatabase(test.adminUrl, foreignDatabase);
  await server.close();
  const admin = new pg.Client({ connectionString: test.adminUrl });
  await admin.connect();
  for (const role of [dba, second, outsider, staff])
    await admin.query(`drop owned by ${role} cascade; drop role ${role}`);
  await admin.end();
  await test.drop();
});

/** What there is of the tenant: tables, login, rights. */
async function stateOf({ name }: SchemaKey): Promise<unknown> {
  const { rows } = await server.admin.query(
    `select rolcanlogin, (select count(*)::int from pg_class where relnamespace = to_regnamespace($1)) as relations,
       (select jsonb_agg(jsonb_build_array(s.classid, s.objid, s.objsubid, s.deptype) order by s.classid, s.objid, s.objsubid)
          from pg_shdepend s where s.refobjid = r.oid) as known
     from pg_roles r where rolname = $1`,
    [name],
  );
  return rows;
}

const table = 'create table t (id int)';
const as = (role: string | undefined, sql: string) => `set role ${role}; ${sql}; reset role`;

interface Granted {
  readonly what: string;
  /** As a superuser; `A` is the tenant. */
  readonly sql: string;
  readonly named: string | readonly string[];
}

const granted: readonly Granted[] = [
  {
    what: 'a schema and a table',
    sql: as(dba, 'grant usage on schema shop to A; grant select, insert on shop.rates to A'),
    named: ['REVOKE ALL ON SCHEMA shop FROM A', 'REVOKE ALL ON TABLE shop.rates FROM A'],
  },
  { what: 'a view', sql: as(dba, 'grant select on shop.seen to A'), named: 'REVOKE ALL ON TABLE shop.seen FROM A' },
  {
    what: 'a column',
    sql: as(dba, 'grant update (n) on shop.rates to A'),
    named: 'REVOKE ALL ON TABLE shop.rates FROM A',
  },
  {
    what: 'a sequence',
    sql: as(dba, 'grant usage on sequence shop.numbers to A'),
    named: 'REVOKE ALL ON SEQUENCE shop.numbers FROM A',
  },
  {
    what: 'a function',
    sql: as(dba, 'grant execute on function shop.f to A'),
    named: 'REVOKE ALL ON ROUTINE shop.f(integer) FROM A',
  },
  {
    what: 'a procedure',
    sql: as(dba, 'grant execute on procedure shop.p to A'),
    named: 'REVOKE ALL ON ROUTINE shop.p() FROM A',
  },
  { what: 'a type', sql: as(dba, 'grant usage on type shop.mood to A'), named: 'REVOKE ALL ON TYPE shop.mood FROM A' },
  {
    what: 'a domain',
    sql: as(dba, 'grant usage on type shop.positive to A'),
    named: 'REVOKE ALL ON DOMAIN shop.positive FROM A',
  },
  { what: 'a language', sql: 'grant usage on language sql to A', named: 'REVOKE ALL ON LANGUAGE sql FROM A' },
  {
    what: 'a foreign server',
    sql: 'grant usage on foreign server away to A',
    named: 'REVOKE ALL ON FOREIGN SERVER away FROM A',
  },
  {
    what: 'a foreign-data wrapper',
    sql: 'grant usage on foreign data wrapper far to A',
    named: 'REVOKE ALL ON FOREIGN DATA WRAPPER far FROM A',
  },
  {
    what: 'a large object',
    sql: 'grant select on large object 4711 to A',
    named: 'REVOKE ALL ON LARGE OBJECT 4711 FROM A',
  },
  {
    what: "another owner's database",
    sql: as(dba, `grant connect on database ${foreignDatabase} to A`),
    named: `REVOKE ALL ON DATABASE ${foreignDatabase} FROM A`,
  },
  {
    what: 'a tablespace',
    sql: 'grant create on tablespace pg_default to A',
    named: 'REVOKE ALL ON TABLESPACE pg_default FROM A',
  },
  {
    what: 'a parameter',
    sql: 'grant set on parameter log_min_messages to A',
    named: 'REVOKE ALL ON PARAMETER log_min_messages FROM A',
  },
  {
    what: 'a table, by somebody who has the grant option',
    sql: `${as(dba, `grant select on shop.rates to ${second} with grant option`)}; ${as(second, 'grant select on shop.rates to A')}`,
    named: `SET ROLE ${second}; REVOKE ALL ON TABLE shop.rates FROM A; RESET ROLE`,
  },
  {
    what: 'a table with the grant option, which the tenant made use of',
    sql: `${as(dba, 'grant usage on schema shop to A; grant select on shop.rates to A with grant option')}; ${as('A', `grant select on shop.rates to ${outsider}`)}`,
    named: ['REVOKE ALL ON SCHEMA shop FROM A', 'REVOKE ALL ON TABLE shop.rates FROM A CASCADE'],
  },
  {
    what: 'a membership with the admin option, which the tenant made use of',
    sql: `grant ${staff} to A with admin option; ${as('A', `grant ${staff} to ${outsider}`)}`,
    named: `REVOKE ${staff} FROM ${outsider} GRANTED BY A`,
  },
];

describe('the removal of a role with rights that the provisioner may not revoke', () => {
  it.each(granted)('on $what touches nothing, and names the statement that revokes it', async ({ sql, named }) => {
    const key = await server.make(table);
    await server.admin.query(sql.replaceAll(/\bA\b/g, key.name));
    const before = await stateOf(key);
    const { code, message } = await refusalOf(server.remove(key));
    expect(code).toBe('STILL_PRESENT');
    expect(message).toContain('nothing was touched');
    const statements = statementsOf(message);
    expect(statements.map((one) => one.replaceAll(key.name, 'A'))).toEqual([named].flat());
    expect(await stateOf(key)).toEqual(before);
    for (const statement of statements) await server.admin.query(statement);
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
  });

  it('on what an extension made leaves nothing of them when they are revoked', async () => {
    const key = await server.make(table);
    const known = async () =>
      (
        await server.admin.query<{ kind: string }>(
          'select distinct deptype as kind from pg_shdepend where refobjid = $1::regrole order by 1',
          [key.name],
        )
      ).rows.map(({ kind }) => kind);
    await server.admin
      .query(`alter default privileges grant select on tables to ${key.name}; create extension pg_buffercache;
      alter default privileges revoke select on tables from ${key.name}`);
    const { message } = await refusalOf(server.remove(key));
    expect(statementsOf(message)).toContain(`REVOKE ALL ON TABLE public.pg_buffercache FROM ${key.name}`);
    for (const statement of statementsOf(message)) await server.admin.query(statement);
    // Still known from the rights that PostgreSQL remembers as the extension's first ones.
    expect(await known()).toContain('i');
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
  });

  it('names who has a right from the tenant, and would lose it', async () => {
    const key = await server.make(table);
    await server.admin
      .query(`create schema own authorization provisioner; create table own.t (id int); alter table own.t owner to provisioner;
      grant usage on schema own to ${key.name}; ${as('provisioner', `grant select on own.t to ${key.name} with grant option`)};
      ${as(key.name, `grant select on own.t to ${outsider}`)}`);
    const { message } = await refusalOf(server.remove(key));
    expect(message).toContain(
      `right of role ${key.name} on TABLE own.t (SELECT), given by provisioner, which it gave on to ${outsider} (free it`,
    );
    for (const statement of statementsOf(message)) await server.admin.query(statement);
    await server.remove(key);
    await server.admin.query('drop schema own cascade');
  });

  it('names the database of rights that are in another one', async () => {
    const key = await server.make(table);
    const elsewhere = new pg.Client({ connectionString: new URL(`/${foreignDatabase}`, test.adminUrl).href });
    await elsewhere.connect();
    try {
      await elsewhere.query(`create table there (id int); grant select on there to ${key.name}`);
      const before = await stateOf(key);
      const { message } = await refusalOf(server.remove(key));
      expect(message).toContain(
        `nothing was touched. What keeps it: role ${key.name} holds 1 right in database ${foreignDatabase} (free it with: DROP OWNED BY "${key.name}" in database ${foreignDatabase})`,
      );
      expect(await stateOf(key)).toEqual(before);
      await elsewhere.query(`drop owned by ${key.name}`);
      await server.remove(key);
    } finally {
      await elsewhere.end();
    }
  });

  it('names the rights that were given between the look and the drop', async () => {
    const key = await server.make(table);
    let transactions = 0;
    const guard = async () => {
      transactions += 1;
      if (transactions === 2) await server.admin.query(as(dba, `grant select on shop.rates to ${key.name}`));
    };
    const { code, message } = await refusalOf(server.databases.dropSchemaAndRole(key, guard));
    expect({ code, statements: statementsOf(message) }).toEqual({
      code: 'STILL_PRESENT',
      statements: [`REVOKE ALL ON TABLE shop.rates FROM ${key.name}`],
    });
    for (const statement of statementsOf(message)) await server.admin.query(statement);
    await server.remove(key);
  });
});

describe('the removal of a role with rights that go with it', () => {
  it.each([
    {
      what: "on the provisioner's own",
      sql: 'create table public.ours (); alter table public.ours owner to provisioner; set role provisioner; grant select on public.ours to A; reset role',
    },
    {
      what: 'that the provisioner gave with a grant option',
      sql: `set role ${dba}; create table shop.lent (); grant select on shop.lent to provisioner with grant option; grant usage on schema shop to provisioner; set role provisioner; grant select on shop.lent to A; reset role`,
    },
    {
      what: 'that others set as default privileges',
      sql: `set role ${dba}; alter default privileges grant select on tables to A; alter default privileges in schema shop grant execute on functions to A; reset role`,
    },
    { what: 'in the schema', sql: 'create view A.guest as select 1 as one; grant select on A.guest to A' },
    { what: 'of a group', sql: `grant ${staff} to A with admin option` },
    { what: 'of settings', sql: 'alter role A in database postgres set work_mem = 64' },
    { what: 'as a user mapping', sql: 'create user mapping for A server away' },
  ])('$what is done', async ({ sql }) => {
    const key = await server.make(table);
    await server.admin.query(sql.replaceAll(/\bA\b/g, key.name));
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
  });

  it('that another tenant gave is done, and leaves that one as it is', async () => {
    const [key, other] = [await server.make(table), await server.make(table)];
    await server.admin.query(
      as(
        other.name,
        `grant usage on schema ${other.name} to ${key.name}; grant select on ${other.name}.t to ${key.name}`,
      ),
    );
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
    expect(await stateOf(other)).toMatchObject([{ rolcanlogin: true, relations: 1 }]);
  });
});
