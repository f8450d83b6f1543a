import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SchemaKey } from '../../src/db/tenant-schema-key.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTenantServer, password, refusalOf, statementsOf, unguarded, type TenantServer } from './tenant-server.ts';

/** Roles are the whole server's. */
const dba = `dba_${randomUUID().slice(0, 8)}`;

let test: TestDatabase;
let server: TenantServer;
beforeAll(async () => {
  test = await createTestDatabase();
  server = openTenantServer(test);
  await server.admin.query(`create role ${dba}; grant create on database ${pathOf(test.adminUrl)} to ${dba}`);
});
afterAll(async () => {
  await server.close();
  const admin = new pg.Client({ connectionString: test.adminUrl });
  await admin.connect();
  await admin.query(`drop owned by ${dba} cascade; drop role ${dba}`);
  await admin.end();
  await test.drop();
});

const pathOf = (url: string) => new URL(url).pathname.slice(1);
const archived = ({ name }: SchemaKey) => name.replace('tenant', 'archived');
/** `A` is the tenant's name, `B` the one that it was given. */
const fill = (sql: string, key: SchemaKey) =>
  sql.replaceAll(/\bA(?=\b|_other)/g, key.name).replaceAll(/\bB\b/g, archived(key));
const unfill = (text: string, key: SchemaKey) => text.replaceAll(key.name, 'A').replaceAll(archived(key), 'B');

/** What there is under both names, with the rows of the tenant's table. */
async function stateOf(key: SchemaKey): Promise<string[]> {
  const { rows } = await server.admin.query<{ what: string }>(
    `select 'role ' || rolname || ' login ' || rolcanlogin as what from pg_roles where rolname in ($1, $2)
     union all select 'schema ' || nspname || ' of ' || pg_get_userbyid(nspowner) from pg_namespace where nspname in ($1, $2)
     union all select 'table ' || oid::regclass || ' of ' || pg_get_userbyid(relowner) from pg_class
       where relkind = 'r' and relnamespace in (select oid from pg_namespace where nspname in ($1, $2))
     order by 1`,
    [key.name, archived(key)],
  );
  return rows.map(({ what }) => unfill(what, key));
}

const table = 'create table t (id int)';

describe('the removal of a tenant', () => {
  it.each([
    {
      what: 'whose role was renamed',
      sql: 'alter role A rename to B',
      named: ['ALTER ROLE B RENAME TO A'],
    },
    {
      what: 'whose schema was renamed',
      sql: 'alter schema A rename to B',
      named: ['ALTER SCHEMA B RENAME TO A'],
    },
    {
      what: 'whose role and schema were renamed',
      sql: 'alter role A rename to B; alter schema A rename to B',
      named: ['ALTER ROLE B RENAME TO A', 'ALTER SCHEMA B RENAME TO A'],
    },
    {
      what: 'whose role was renamed, and another one has its name now',
      sql: 'alter role A rename to B; create role A',
      named: ['ALTER ROLE A RENAME TO A_other; ALTER ROLE B RENAME TO A'],
      after: 'drop role A_other',
    },
    {
      what: 'whose schema was renamed, and another one has its name now',
      sql: 'alter schema A rename to B; create schema A',
      named: ['ALTER SCHEMA A RENAME TO A_other; ALTER SCHEMA B RENAME TO A'],
      after: 'drop schema A_other',
    },
    {
      what: 'whose role was renamed, and who wrote over the mark of its schema',
      sql: `comment on schema A is 'mine'; alter role A rename to B`,
      named: ['ALTER ROLE B RENAME TO A'],
    },
    {
      what: 'whose schema was given to somebody else and renamed',
      sql: `alter schema A owner to ${dba}; alter schema A rename to B`,
      named: ['ALTER SCHEMA B RENAME TO A'],
      then: ['ALTER SCHEMA A OWNER TO A'],
    },
    {
      what: 'whose schema was given to somebody else',
      sql: `alter schema A owner to ${dba}`,
      named: ['ALTER SCHEMA A OWNER TO A'],
    },
    {
      what: 'whose role gave all to somebody else',
      sql: `reassign owned by A to ${dba}`,
      named: ['ALTER SCHEMA A OWNER TO A', 'ALTER TABLE A.t OWNER TO A'],
    },
    {
      what: 'whose role gave all to somebody else and was dropped',
      sql: `reassign owned by A to ${dba}; drop owned by A; drop role A`,
      named: ['ALTER SCHEMA A OWNER TO provisioner', 'ALTER TABLE A.t OWNER TO provisioner'],
    },
  ])('$what touches nothing, and names the statement that brings it back', async ({ sql, named, then, after }) => {
    const key = await server.make(table);
    await server.admin.query(fill(sql, key));
    const before = await stateOf(key);
    const { code, message } = await refusalOf(server.remove(key));
    expect(code).toBe('STILL_PRESENT');
    expect(message).toContain('nothing was touched');
    expect(statementsOf(unfill(message, key))).toEqual(named);
    expect(await stateOf(key)).toEqual(before);
    expect(before.filter((line) => line.startsWith('table'))).toHaveLength(1);
    for (const statement of named) await server.admin.query(fill(statement, key));
    if (then) {
      expect(statementsOf(unfill((await refusalOf(server.remove(key))).message, key))).toEqual(then);
      for (const statement of then) await server.admin.query(fill(statement, key));
    }
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
    if (after !== undefined) await server.admin.query(fill(after, key));
  });

  it('whose renamed role lost its mark, as is said for keeping it, is done without it', async () => {
    const key = await server.make(table);
    await server.admin.query(fill('alter role A rename to B', key));
    const { message } = await refusalOf(server.remove(key));
    const keeping = /\(to keep it: (.*?)\)/.exec(message)?.[1];
    await server.admin.query(keeping!);
    for (let left = 3; left > 0; left -= 1) {
      const next = await server.remove(key).then(
        () => '',
        (error: unknown) => String(error),
      );
      for (const statement of statementsOf(next)) await server.admin.query(statement);
    }
    expect(await stateOf(key)).toEqual(['role B login true']);
    await server.admin.query(fill('drop owned by B; drop role B', key));
  });

  it('leaves alone what bears the mark of another tenant, or of another installation', async () => {
    const [key, other] = [await server.make(table), await server.make(table)];
    await server.admin.query(fill('alter role A rename to B', other));
    await server.remove(key);
    expect(await stateOf(other)).toContain('role B login true');
    await server.admin.query(fill('alter role B rename to A', other));
  });
});

describe('making a role or a schema', () => {
  it.each(['role', 'schema'] as const)('does not make a second %s when the first was renamed', async (what) => {
    const key = await server.make(table);
    await server.admin.query(fill(`alter ${what} A rename to B`, key));
    const made = async () => {
      await server.databases.ensureRole(key, { password, connectionLimit: 5 }, unguarded);
      await server.databases.ensureSchema(key, unguarded);
    };
    const before = await stateOf(key);
    const { code, message } = await refusalOf(made());
    expect({ code, message: unfill(message, key) }).toEqual({
      code: 'OWNERSHIP_CONFLICT',
      message: expect.stringContaining(`run ALTER ${what.toUpperCase()} B RENAME TO A`) as unknown,
    });
    expect(await stateOf(key)).toEqual(before);
    await server.admin.query(fill(`alter ${what} B rename to A`, key));
    await made();
  });
});

describe('a role that the provisioner may not administer', () => {
  const lacks = [
    {
      what: 'for want of the ADMIN option',
      sql: 'revoke admin option for A from provisioner cascade; grant A to provisioner with inherit true',
      named: 'GRANT A TO provisioner WITH ADMIN OPTION',
    },
    {
      what: 'for want of any membership',
      sql: 'revoke A from provisioner cascade',
      named: 'GRANT A TO provisioner WITH ADMIN OPTION',
    },
    { what: 'as it was made a superuser', sql: 'alter role A superuser', named: 'ALTER ROLE A NOSUPERUSER' },
  ];
  it.each(lacks)('$what is neither removed nor changed, and the statement is named', async ({ sql, named }) => {
    const key = await server.make(table);
    await server.admin.query(fill(sql, key));
    const before = await stateOf(key);
    const again = () => server.databases.ensureRole(key, { password, connectionLimit: 5 }, unguarded);
    for (const attempt of [() => server.remove(key), again]) {
      const { code, message, detail } = await refusalOf(attempt());
      expect({ code, detail: unfill(detail ?? '', key) }).toEqual({ code: 'ACCESS_DENIED', detail: named });
      expect(message).toContain('nothing was touched');
      expect(await stateOf(key)).toEqual(before);
    }
    await server.admin.query(fill(named, key));
    await server.remove(key);
    expect(await stateOf(key)).toEqual([]);
  });
});
