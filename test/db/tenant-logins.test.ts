import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoginKey, SchemaKey } from '../../src/db/tenant-schema-key.ts';
import { loginDifferences, passwordDifferences } from '../../src/kinds/postgres-login/differences.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTenantServer, password, refusalOf, unguarded, type TenantServer } from './tenant-server.ts';

let test: TestDatabase;
let server: TenantServer;
beforeAll(async () => {
  test = await createTestDatabase();
  server = openTenantServer(test);
});
afterAll(async () => {
  await server.close();
  await test.drop();
});

const second = 'another-password-of-a-tenant';

function loginOf({ name, ownership, database }: SchemaKey, number = 2): LoginKey {
  return {
    ...{ database, name: `${name}_${number}`, owner: name },
    ownership: { ...ownership, stepId: `create_login:${number}` },
  };
}

async function tenant(sql?: string): Promise<{ key: SchemaKey; login: LoginKey }> {
  const key = await server.make(sql);
  const login = loginOf(key);
  await server.databases.ensureLogin(login, { password: second, connectionLimit: 3 }, unguarded);
  return { key, login };
}

async function sessionOf(role: string, by: string): Promise<pg.Client> {
  const { hostname: host, port, pathname } = new URL(test.tenantUrl);
  const client = new pg.Client({ host, port: Number(port), database: pathname.slice(1), user: role, password: by });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'it succeeded',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );

/** Since PostgreSQL 16 whoever revokes names who granted. */
const revokeOwner = `do $$ declare granter regrole; begin
  select grantor into granter from pg_auth_members where member = '%r'::regrole and roleid = '%o'::regrole;
  execute 'revoke %o from %r granted by ' || granter; end $$`;

describe('a login role beside the owner of a schema', () => {
  it('acts as the owner, whatever its session is told, and makes nothing of its own', async () => {
    const { key, login } = await tenant('create table old (id int)');
    const session = await sessionOf(login.name, second);
    await session.query('reset all; reset role; create table fresh (id int); alter table old add column more int');
    const { rows } = await session.query(
      `select session_user::text as login, current_user::text as user, current_schema()::text as schema,
         (select array_agg(distinct tableowner::text) from pg_tables where schemaname = $1) as owners`,
      [key.name],
    );
    await session.end();
    expect(rows).toEqual([{ login: login.name, user: key.name, schema: key.name, owners: [key.name] }]);
  });

  it('has no right outside its schema, nor any attribute that would give it one', async () => {
    const { login } = await tenant();
    const other = await server.make('create table theirs (id int)');
    const session = await sessionOf(login.name, second);
    const attempts = [
      `select * from ${other.name}.theirs`,
      `set role ${other.name}`,
      'create schema mine',
      'create table public.mine (id int)',
      'create temporary table mine (id int)',
      'create role another',
      `grant ${login.owner} to ${other.name}`,
    ];
    for (const sql of attempts) expect([sql, await codeOf(session.query(sql))]).toEqual([sql, '42501']);
    await session.end();
    const { rows } = await server.admin.query(
      `select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit from pg_roles where rolname = $1`,
      [login.name],
    );
    expect(rows).toEqual([
      {
        ...{ rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false, rolbypassrls: false },
        rolconnlimit: 3,
      },
    ]);
  });

  it.each([
    ['role.canLogin', 'alter role %r nologin', true],
    ['role.connectionLimit', 'alter role %r connection limit 99', true],
    ['role.actsAsOwner', revokeOwner, true],
    ['role.role', 'alter role %r reset role', true],
    ['role.search_path', "alter role %r set search_path = 'public'", true],
    ['role.privilege', 'alter role %r createdb', false],
    ['role.memberOf', 'grant pg_monitor to %r', false],
    ['role.mark', "comment on role %r is 'mine'", false],
    ['postgres:login primary/2', 'drop owned by %r; drop role %r', true],
  ])('that was changed by hand says so: %s', async (field, sql, isRepaired) => {
    const { login } = await tenant();
    const look = async () => {
      const inspection = await server.databases.inspectLogin(login);
      const attributes = await server.databases.findLogin(login);
      return loginDifferences({ key: login, number: 2, connectionLimit: 3, inspection, login: attributes });
    };
    expect(await look()).toEqual([]);
    await server.admin.query(sql.replaceAll('%r', `"${login.name}"`).replaceAll('%o', `"${login.owner}"`));
    const found = await look();
    expect(found.map((one) => [one.field, one.remedy ?? 'repair'])).toContainEqual([
      field,
      isRepaired ? 'repair' : 'hand',
    ]);
    if (!isRepaired) return;
    await server.databases.ensureLogin(login, { password: second, connectionLimit: 3 }, unguarded);
    expect(await look()).toEqual([]);
  });

  it('shows whether a password is its own by a session alone', async () => {
    const { login } = await tenant();
    const told = async (by: string) => passwordDifferences(await server.databases.tryLogin(login, by));
    expect(await told(second)).toEqual([]);
    expect(await told('another-password-yet')).toMatchObject([{ is: 'changed', field: 'role.password' }]);
    await server.admin.query(`alter role "${login.name}" password 'by-hand'`);
    expect(await told(second)).toMatchObject([{ is: 'changed', field: 'role.password' }]);
  });

  it('is not taken for a renamed owner, nor the owner for a renamed login', async () => {
    const { key, login } = await tenant();
    expect(await server.databases.inspect(key)).toEqual({ role: 'ours', schema: 'ours', renamed: [] });
    expect(await server.databases.inspectLogin(login)).toEqual({ role: 'ours', renamed: [] });
    await server.admin.query(`alter role ${login.name} rename to put_aside_${login.name.slice(7, 20)}`);
    expect(await server.databases.inspectLogin(login)).toMatchObject({ role: 'absent', renamed: [{ what: 'role' }] });
    const again = server.databases.ensureLogin(login, { password: second, connectionLimit: 3 }, unguarded);
    expect((await refusalOf(again)).code).toBe('OWNERSHIP_CONFLICT');
    await server.admin.query(`drop role put_aside_${login.name.slice(7, 20)}`);
  });

  it('leaves what it made in spite of all to the owner when it goes, and its sessions end', async () => {
    const { key, login } = await tenant();
    const session = await sessionOf(login.name, second);
    await session.query('set role none; create table own (id int)');
    await server.databases.dropLogin(login, unguarded);
    expect(await codeOf(session.query('select 1'))).not.toBe('it succeeded');
    expect(await codeOf(sessionOf(login.name, second))).toBe('28P01');
    const { rows } = await server.admin.query(`select tableowner::text as owner from pg_tables where schemaname = $1`, [
      key.name,
    ]);
    expect(rows).toEqual([{ owner: key.name }]);
    await server.databases.dropLogin(login, unguarded);
  });

  it('that is somebody else’s is neither changed nor dropped', async () => {
    const key = await server.make();
    const login = loginOf(key);
    await server.admin.query(`create role ${login.name}`);
    const made = server.databases.ensureLogin(login, { password: second, connectionLimit: 3 }, unguarded);
    expect((await refusalOf(made)).code).toBe('OWNERSHIP_CONFLICT');
    await server.databases.dropLogin(login, unguarded);
    expect(await server.databases.inspectLogin(login)).toMatchObject({ role: 'foreign' });
    await server.admin.query(`drop role ${login.name}`);
  });

  it('is gone with its tenant: the schema is dropped after it', async () => {
    const { key, login } = await tenant('create table t (id int)');
    await server.databases.dropLogin(login, unguarded);
    await server.remove(key);
    expect(await server.databases.inspect(key)).toEqual({ role: 'absent', schema: 'absent', renamed: [] });
  });
});

describe('another password of a schema’s owner', () => {
  it('is the only one that opens it, and sessions by the one before end when they are told to', async () => {
    const { key } = await tenant();
    const session = await sessionOf(key.name, password);
    await server.databases.changePassword(key, 'a-third-password', unguarded);
    expect(await codeOf(session.query('select 1'))).toBe('it succeeded');
    expect(await server.databases.countSessions(key)).toBe(1);
    await server.databases.endSessions(key);
    expect(await codeOf(session.query('select 1'))).not.toBe('it succeeded');
    expect(await codeOf(sessionOf(key.name, password))).toBe('28P01');
    await (await sessionOf(key.name, 'a-third-password')).end();
  });
});
