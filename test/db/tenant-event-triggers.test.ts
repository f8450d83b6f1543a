import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  newKey,
  openTenantServer,
  password,
  refusalOf,
  statementsOf,
  unguarded,
  type TenantServer,
} from './tenant-server.ts';

let test: TestDatabase;
let server: TenantServer;
beforeEach(async () => {
  test = await createTestDatabase();
  server = openTenantServer(test);
});
afterEach(async () => {
  await server.close();
  await test.drop();
});

const forbid = (event: string, tag: string, code: string) => `
  create schema watch; grant usage on schema watch to public;
  create function watch.helper() returns void language plpgsql as $$ begin
    raise exception using errcode = '${code}', message = 'no ${tag} here', detail = 'Ticket 42.', hint = 'Ask the DBA.'; end $$;
  create function watch."No drops"() returns event_trigger language plpgsql as $$ begin perform watch.helper(); end $$;
  create function watch.fine() returns event_trigger language plpgsql as $$ begin end $$;
  create event trigger "The guard" on ${event} when tag in ('${tag}') execute function watch."No drops"();
  create event trigger harmless on ${event} execute function watch.fine()`;

describe('an event trigger that forbids', () => {
  it.each([
    { what: 'drops', code: 'P0001' },
    { what: 'drops, with an SQLSTATE that PostgreSQL has for rights', code: '42501' },
    { what: 'drops, with an SQLSTATE of its own', code: 'XY123' },
  ])('$what keeps a schema, and is named with its message and the statement that disables it', async ({ code }) => {
    const key = await server.make('create table t (id int)');
    await server.admin.query(forbid('ddl_command_start', 'DROP TABLE', code));
    const refusal = await refusalOf(server.remove(key));
    expect(refusal).toMatchObject({
      code: 'STILL_PRESENT',
      message: expect.stringContaining(`raised ${code}: no DROP TABLE here`) as unknown,
      detail: expect.stringMatching(/event trigger "The guard" of postgres .*Ticket 42\. Ask the DBA\./) as unknown,
    });
    expect(statementsOf(refusal.message.split(' raised ')[0]!)).toEqual(['ALTER EVENT TRIGGER "The guard" DISABLE']);
    expect(await server.databases.inspect(key)).toMatchObject({ role: 'ours', schema: 'ours' });
    await server.admin.query('alter event trigger "The guard" disable');
    await server.remove(key);
    expect(await server.databases.inspect(key)).toMatchObject({ role: 'absent', schema: 'absent' });
  });

  it('schemas is named when one is made', async () => {
    await server.admin.query(forbid('ddl_command_end', 'CREATE SCHEMA', 'P0001'));
    const key = newKey();
    await server.databases.ensureRole(key, { password, connectionLimit: 5 }, unguarded);
    const { code, message } = await refusalOf(server.databases.ensureSchema(key, unguarded));
    expect(code).toBe('ACCESS_DENIED');
    expect(message).toMatch(/event trigger "The guard" of postgres .*raised P0001: no CREATE SCHEMA here/);
    await server.remove(key);
  });

  it('for a moment only, as by a lock, is tried again', async () => {
    const key = await server.make('create table t (id int)');
    await server.admin.query(forbid('ddl_command_start', 'DROP TABLE', '55P03'));
    await expect(server.remove(key)).rejects.toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    await server.admin.query('drop event trigger "The guard"');
  });
});
