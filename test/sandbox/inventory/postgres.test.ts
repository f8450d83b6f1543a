import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference, ofTenant, only, renderDifference, takeInventory } from '../../../sandbox/inventory/inventory.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

/** Other test files have their own roles on the same server: only what names these counts. */
const roles = `oracle_${randomBytes(4).toString('hex')}`;
const [one, two] = [`${roles}_one`, `${roles}_two`];
const isOurs = (text: string) => text.includes(roles) || /^[-+~] postgres:(?:schema|extension|publication) /.test(text);

const take = () => takeInventory({ databaseUrl: database.adminUrl });

/** What a statement changes in the inventory, and that its contrary takes all of it back. */
async function seen(statement: string, contrary: string): Promise<string[]> {
  const before = await take();
  await admin.query(statement);
  const text = renderDifference(difference(before, await take()));
  await admin.query(contrary);
  const left = renderDifference(difference(before, await take()));
  expect(left.split('\n').filter(isOurs)).toEqual([]);
  return text.split('\n').filter(isOurs);
}

describe('the inventory of PostgreSQL', () => {
  it('sees a role with what it may, and its comment', async () => {
    const made = await seen(
      `create role ${one} login connection limit 7 createrole; comment on role ${one} is 'whose?'`,
      `drop role ${one}`,
    );
    expect(made).toEqual([`+ postgres:role ${one} (login true, createRole true, connectionLimit 7)`]);
  });

  it('sees every odd right that a role was given', async () => {
    await admin.query(`create role ${one} login; create role ${two}; create schema ${roles};
      create table ${roles}.notes (id int, secret text); create sequence ${roles}.numbers;
      create function ${roles}.answer(int) returns int language sql as 'select 42'`);
    const name = new URL(database.adminUrl).pathname.slice(1);
    const grants: [string, string, string][] = [
      [
        `grant ${two} to ${one}`,
        `revoke ${two} from ${one}`,
        `+ postgres:membership ${one} in ${two} by postgres (inherit true, set true)`,
      ],
      [
        `grant connect on database ${name} to ${one}`,
        `revoke connect on database ${name} from ${one}`,
        `+ postgres:database-right ${name}: ${one} (may CONNECT)`,
      ],
      [
        `grant usage on schema ${roles} to ${one} with grant option`,
        `revoke usage on schema ${roles} from ${one}`,
        `+ postgres:schema-right ${roles}: ${one} (may USAGE with grant option)`,
      ],
      [
        `grant select, insert on ${roles}.notes to ${one}`,
        `revoke all on ${roles}.notes from ${one}`,
        `+ postgres:table-right ${roles}.notes: ${one} (may INSERT, SELECT)`,
      ],
      [
        `grant select (secret) on ${roles}.notes to public`,
        `revoke select (secret) on ${roles}.notes from public`,
        `+ postgres:column-right ${roles}.notes.secret: PUBLIC (may SELECT)`,
      ],
      [
        `grant usage on sequence ${roles}.numbers to ${one}`,
        `revoke usage on sequence ${roles}.numbers from ${one}`,
        `+ postgres:table-right ${roles}.numbers: ${one} (may USAGE)`,
      ],
      [
        `grant execute on function ${roles}.answer to ${one}`,
        `revoke execute on function ${roles}.answer from ${one}`,
        `+ postgres:function-right ${roles}.answer(integer): ${one} (may EXECUTE)`,
      ],
      [
        `alter default privileges for role ${two} in schema ${roles} grant select on tables to ${one}`,
        `alter default privileges for role ${two} in schema ${roles} revoke select on tables from ${one}`,
        `+ postgres:default-right tables that ${two} makes in ${roles}: ${one} (may SELECT)`,
      ],
      [
        `alter role ${one} in database ${name} set search_path = ${roles}`,
        `alter role ${one} in database ${name} reset search_path`,
        `+ postgres:role-setting ${one} in ${name} search_path (value ${roles})`,
      ],
      [
        `alter role ${one} connection limit 3`,
        `alter role ${one} connection limit -1`,
        `~ postgres:role ${one}: connectionLimit (none) -> 3`,
      ],
      [
        `alter table ${roles}.notes owner to ${two}`,
        `alter table ${roles}.notes owner to postgres`,
        `~ postgres:role ${two}: owns (none) -> 1 in ${name}`,
      ],
    ];
    try {
      for (const [grant, revoke, expected] of grants) {
        expect(await seen(grant, revoke)).toContain(expected);
      }
    } finally {
      await admin.query(`drop schema ${roles} cascade; drop role ${one}; drop role ${two}`);
    }
  });

  it('sees a right that everybody has by default be taken away', async () => {
    await admin.query(
      `create schema ${roles}; create function ${roles}.answer() returns int language sql as 'select 42'`,
    );
    const made = await seen(
      `revoke execute on function ${roles}.answer from public`,
      `grant execute on function ${roles}.answer to public`,
    );
    expect(made).toEqual([`- postgres:function-right ${roles}.answer(): PUBLIC (may EXECUTE)`]);
    await admin.query(`drop schema ${roles} cascade`);
  });

  it('sees a schema grow', async () => {
    await admin.query(`create schema ${roles}`);
    const made = await seen(`create table ${roles}.notes (id int)`, `drop table ${roles}.notes`);
    expect(made).toEqual([`~ postgres:schema ${roles}: relations 0 -> 1`]);
    await admin.query(`drop schema ${roles}`);
  });

  it('tells by the markers in comments whose schemas, roles and rights are', async () => {
    const tenantId = randomUUID();
    const marker = ['tenantry', randomUUID(), tenantId, 'moamalat', randomUUID(), 'create_schema:x'].join(':');
    const before = await take();
    await admin.query(`create role ${one}; comment on role ${one} is '${marker}';
      create schema ${roles} authorization ${one}; comment on schema ${roles} is '${marker}';
      grant usage on schema ${roles} to public`);
    const mine = ofTenant(difference(before, await take()), { tenantId });
    expect(mine.added.map((item) => item.kind)).toEqual(['postgres:role', 'postgres:schema', 'postgres:schema-right']);
    expect(mine.added[0]?.owner).toMatchObject({ tenantId, product: 'moamalat', step: 'create_schema:x' });
    await admin.query(`drop schema ${roles}; drop role ${one}`);
    expect(only(difference(before, await take()).added, (item) => item.id.includes(roles))).toEqual([]);
  });

  it('fails as a whole when the server is not there', async () => {
    await expect(takeInventory({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none' })).rejects.toThrow(
      'PostgreSQL at 127.0.0.1:1 gave no inventory',
    );
  });
});
