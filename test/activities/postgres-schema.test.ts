import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ContextOf } from '../support/kinds.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { OthersJudged } from '../../src/kinds/framework/ownership.ts';
import { postgresSchema } from '../../src/kinds/postgres-schema/kind.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createTenantDatabases, type TenantDatabases } from '../../src/db/tenant-databases.ts';
import { ownershipMarker, ownershipTags, requestToken, schemaName } from '../../src/naming.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { cell as exampleCell } from '../db/fixtures.ts';
import { installationId } from './bench.ts';

type Context = ContextOf<'postgres-schema'>;

let test: TestDatabase;
let db: Database;
let admin: pg.Pool;
let aws: CellAws;
let tenantDatabases: TenantDatabases;
beforeAll(async () => {
  test = await createTestDatabase();
  await migrate(test.controlUrl);
  db = createDatabase({ url: test.controlUrl });
  admin = new pg.Pool({ connectionString: test.adminUrl, max: 2 });
  admin.on('error', () => undefined);
  tenantDatabases = createTenantDatabases({ primary: test.tenantUrl }, defaultCatalog.migrations);
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  aws = createCellAws(exampleCell, { endpointUrl: (await part('ministack')).url, credentials });
});
afterAll(async () => {
  aws.destroy();
  await Promise.all([db.close(), tenantDatabases.close(), admin.end()]);
  await test.drop();
});

const made: string[] = [];
function contextFor(tenantId: string = randomUUID(), overrides: Partial<Context> = {}): Context {
  made.push(schemaName(tenantId));
  const operationId = randomUUID();
  const ownership = { installationId, tenantId, product: 'moamalat', operationId, stepId: 'create_schema' };
  const { pathname } = new URL(test.tenantUrl);
  return {
    installationId,
    tenant: { id: tenantId, slug: 'x', product: 'moamalat', tier: null, displayName: 'X', everActive: false },
    operation: { id: operationId },
    stepId: 'create_schema',
    blueprint: { version: 1, product: 'moamalat', tier: null, cell: exampleCell.id, steps: [] },
    spec: { database: 'primary', migrations: 'moamalat', connectionLimit: 5 },
    cell: {
      ...exampleCell,
      tenantDatabases: [{ id: 'primary', host: '127.0.0.1', port: 5432, name: pathname.slice(1) }],
    },
    generation: 1,
    previous: {},
    mayExist: false,
    gone: () => Promise.resolve(),
    made: () => Promise.resolve(),
    notOurs: (found) => Promise.resolve(new OthersJudged(found)),
    removal: { noted: () => ({}), note: () => Promise.resolve() },
    recorded: { hostName: 'x.tenants.test', zoneIds: [], loadBalancerArns: [], listenerArns: [] },
    removingAt: undefined,
    tags: ownershipTags(ownership),
    token: (suffix) => requestToken(operationId, 'create_schema', 1, suffix),
    aws,
    db,
    tenantDatabases,
    guard: () => Promise.resolve(),
    foresee: () => Promise.resolve(),
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
    ...overrides,
  };
}

/** Runs SQL as the tenant's containers do. */
async function asTenant<T>(context: Context, fn: (client: pg.Client) => Promise<T>, database?: string): Promise<T> {
  const { outputs } = await postgresSchema.ensure(context);
  const url = new URL(test.tenantUrl);
  url.username = outputs.role;
  url.password = encodeURIComponent(await aws.secrets.readSecret(outputs.secretArn));
  if (database !== undefined) url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await fn(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const catalog = async (name: string) =>
  (
    await admin.query<{ roles: number; schemas: number }>(
      `select (select count(*)::int from pg_roles where rolname = $1) as roles,
         (select count(*)::int from pg_namespace where nspname = $1) as schemas`,
      [name],
    )
  ).rows[0];

let context: Context;
beforeEach(() => {
  context = contextFor();
});

describe('a tenant in its schema', () => {
  it('finds its tables, and may read, write and create there', async () => {
    const rows = await asTenant(context, async (client) => {
      await client.query(`insert into notes (body) values ('hello')`);
      await client.query('create table own (id int)');
      return (await client.query<Record<string, unknown>>('select body, current_schema() as schema from notes')).rows;
    });
    expect(rows).toEqual([{ body: 'hello', schema: schemaName(context.tenant.id) }]);
  });

  it('cannot read another schema, create in public, make schemas or databases, or connect to other databases', async () => {
    const other = contextFor();
    await postgresSchema.ensure(other);
    const refused = (sql: string) => asTenant(context, (client) => client.query(sql));
    await expect(refused(`select * from ${schemaName(other.tenant.id)}.notes`)).rejects.toMatchObject({
      code: '42501',
    });
    await expect(refused('create table public.mine (id int)')).rejects.toMatchObject({ code: '42501' });
    await expect(refused('create schema mine')).rejects.toMatchObject({ code: '42501' });
    await expect(refused('create temporary table mine (id int)')).rejects.toMatchObject({ code: '42501' });
    await expect(refused(`set role ${schemaName(other.tenant.id)}`)).rejects.toMatchObject({ code: '42501' });
    await expect(refused('create database mine')).rejects.toMatchObject({ code: '42501' });
    const control = new URL(test.controlUrl).pathname.slice(1);
    for (const database of ['postgres', 'template1', control])
      await expect(asTenant(context, (client) => client.query('select 1'), database)).rejects.toMatchObject({
        code: '42501',
      });
  });

  it('has a role with no rights of its own but login, and a connection limit', async () => {
    await postgresSchema.ensure(context);
    const { rows } = await admin.query(
      `select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolinherit, rolcanlogin, rolconnlimit,
         rolconfig from pg_roles where rolname = $1`,
      [schemaName(context.tenant.id)],
    );
    expect(rows).toEqual([
      {
        ...{ rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolreplication: false, rolbypassrls: false },
        ...{ rolinherit: false, rolcanlogin: true, rolconnlimit: 5 },
        rolconfig: [`search_path=${schemaName(context.tenant.id)}`],
      },
    ]);
  });
});

describe('a role that was renamed', () => {
  it('is not gone, and another one of its old name is not taken for it', async () => {
    const judged: string[] = [];
    const renamed = contextFor(undefined, {
      notOurs: (found) => {
        judged.push(...found.map(({ type }) => type));
        return Promise.resolve(new OthersJudged(found));
      },
    });
    await postgresSchema.ensure(renamed);
    const name = schemaName(renamed.tenant.id);
    await admin.query(`alter role ${name} rename to ${name}_old; create role ${name}`);
    expect(await postgresSchema.observe(renamed)).toMatchObject({
      status: 'pending',
      detail: expect.stringContaining(`role ${name}_old bears its mark`) as unknown,
    });
    await expect(postgresSchema.remove(renamed)).rejects.toMatchObject({ code: 'STILL_PRESENT' });
    expect(judged).toEqual([]);
    await admin.query(`drop role ${name}; alter role ${name}_old rename to ${name}`);
    expect(await postgresSchema.remove(renamed)).toMatchObject({ status: 'removed' });
    expect(await postgresSchema.observe(renamed)).toMatchObject({ status: 'absent' });
  });
});

describe('ensure', () => {
  it('run twice, and by several at once, is harmless: same outputs, same password, data kept', async () => {
    const first = await postgresSchema.ensure(context);
    const password = await aws.secrets.readSecret(first.outputs.secretArn);
    await asTenant(context, (client) => client.query(`insert into notes (body) values ('kept')`));
    const several = await Promise.allSettled([1, 2, 3].map(() => postgresSchema.ensure(context)));
    for (const one of several)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    const again = await postgresSchema.ensure(context);
    expect(again.outputs).toEqual(first.outputs);
    expect(await aws.secrets.readSecret(first.outputs.secretArn)).toBe(password);
    expect((await asTenant(context, (client) => client.query('select body from notes'))).rows).toEqual([
      { body: 'kept' },
    ]);
    expect(await postgresSchema.observe(context)).toMatchObject({ status: 'ready' });
  });

  it('of many tenants at once does not get in its own way', async () => {
    const contexts = Array.from({ length: 8 }, () => contextFor());
    await Promise.all(contexts.map((c) => postgresSchema.ensure(c)));
    for (const c of contexts) expect(await catalog(schemaName(c.tenant.id))).toEqual({ roles: 1, schemas: 1 });
    await Promise.all(contexts.map((c) => postgresSchema.remove(c)));
    for (const c of contexts) expect(await catalog(schemaName(c.tenant.id))).toEqual({ roles: 0, schemas: 0 });
  });

  it('never sends the password in a statement', async () => {
    const seen: string[] = [];
    const query = pg.Client.prototype.query;
    // Every statement of this process passes here: the wire is where a server's log would take it from.
    pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
      seen.push(JSON.stringify(args.filter((a) => typeof a !== 'function')));
      return (query as (...all: unknown[]) => unknown).apply(this, args);
    } as typeof query;
    try {
      const { outputs } = await postgresSchema.ensure(context);
      const password = await aws.secrets.readSecret(outputs.secretArn);
      expect(seen.some((sql) => sql.includes('SCRAM-SHA-256$'))).toBe(true);
      expect(seen.filter((sql) => sql.includes(password))).toEqual([]);
    } finally {
      pg.Client.prototype.query = query;
    }
  });

  it('refuses a role or a schema of that name which bears another mark, and leaves it as it is', async () => {
    const name = schemaName(context.tenant.id);
    await admin.query(`create role ${name} nologin`);
    await expect(postgresSchema.ensure(context)).rejects.toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
    await postgresSchema.remove(context);
    expect(await catalog(name)).toEqual({ roles: 1, schemas: 0 });
    await admin.query(`drop role ${name}`);

    const other = ownershipMarker({
      installationId: randomUUID(),
      tenantId: context.tenant.id,
      product: 'moamalat',
      operationId: randomUUID(),
      stepId: 's',
    });
    await admin.query(`create schema ${name}`);
    await admin.query(`comment on schema ${name} is '${other}'`);
    await expect(postgresSchema.ensure(context)).rejects.toMatchObject({ code: 'OWNERSHIP_CONFLICT' });
    await postgresSchema.remove(context);
    expect(await catalog(name)).toEqual({ roles: 0, schemas: 1 });
    await admin.query(`drop schema ${name}`);
  });

  it('names the migration that fails, and goes on from there once it is fixed', async () => {
    const { outputs } = await postgresSchema.ensure(context);
    await admin.query(`drop table ${outputs.schema}.settings; drop index ${outputs.schema}.notes_newest`);
    await admin.query(`delete from ${outputs.schema}.schema_migrations where name like '0002%'`);
    await admin.query(`create table ${outputs.schema}.settings (in_the_way int)`);
    await expect(postgresSchema.ensure(context)).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('moamalat/0002_settings.sql') as unknown,
    });
    await admin.query(`drop table ${outputs.schema}.settings`);
    await postgresSchema.ensure(context);
    const { rows } = await admin.query(`select name from ${outputs.schema}.schema_migrations order by 1`);
    expect(rows).toEqual([{ name: '0001_notes.sql' }, { name: '0002_settings.sql' }]);
  });

  it('gives a tenant no way to the rights of the provisioner through what it hides in its schema', async () => {
    await asTenant(context, async (client) => {
      await client.query(`create function take() returns trigger language plpgsql as
        'begin reset role; execute ''create role stolen_${randomBytes(3).toString('hex')}''; return new; end'`);
      await client.query('create trigger take before insert on schema_migrations for each row execute function take()');
      await client.query('drop table settings; drop index notes_newest');
      await client.query(`delete from schema_migrations where name like '0002%'`);
    });
    // The trigger ran, in the tenant's own session: there is no role to go back to but its own.
    await expect(postgresSchema.ensure(context)).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      detail: expect.stringContaining('permission denied to create role') as unknown,
    });
    expect((await admin.query(`select 1 from pg_roles where rolname like 'stolen_%'`)).rowCount).toBe(0);
  });
});

describe('remove', () => {
  it('ends open sessions, leaves nothing but the secret in its recovery window, and twice is harmless', async () => {
    const name = schemaName(context.tenant.id);
    await asTenant(context, async (client) => {
      const lost = new Promise((resolve) => client.once('error', resolve));
      await client.query('begin');
      await client.query(`insert into notes (body) values ('open')`);
      await client.query('select lo_create(0)');
      const removed = await postgresSchema.remove(context);
      await lost;
      expect(removed).toMatchObject({ status: 'removed', residues: [{ type: 'secretsmanager:secret' }] });
      const expiresAt = Date.parse(removed.residues?.[0]?.expiresAt ?? '');
      expect(expiresAt).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    });
    expect(await catalog(name)).toEqual({ roles: 0, schemas: 0 });
    expect(await postgresSchema.observe(context)).toMatchObject({ status: 'absent' });
    expect((await postgresSchema.remove(context)).status).toBe('removed');
  });

  it('takes a schema whose tenant wrote over its mark, and large objects outside of it', async () => {
    await asTenant(context, async (client) => {
      await client.query(`comment on schema ${schemaName(context.tenant.id)} is 'mine'`);
      await client.query('select lo_create(0)');
    });
    await postgresSchema.remove(context);
    expect(await catalog(schemaName(context.tenant.id))).toEqual({ roles: 0, schemas: 0 });
    expect((await admin.query('select 1 from pg_largeobject_metadata')).rowCount).toBe(0);
  });

  it('bears with somebody who holds a lock in the schema, and has closed it to its tenant by then', async () => {
    const { outputs } = await postgresSchema.ensure(context);
    const holder = await admin.connect();
    try {
      await holder.query('begin');
      await holder.query(`select * from ${outputs.schema}.notes`);
      await expect(postgresSchema.remove(context)).rejects.toMatchObject({
        code: 'CONFLICT_RETRYABLE',
        message: expect.stringContaining('lock timeout') as unknown,
      });
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    const { rows } = await admin.query(`select rolcanlogin from pg_roles where rolname = $1`, [outputs.role]);
    expect(rows).toEqual([{ rolcanlogin: false }]);
    expect(await catalog(outputs.schema)).toEqual({ roles: 1, schemas: 1 });
    await postgresSchema.remove(context);
    expect(await catalog(outputs.schema)).toEqual({ roles: 0, schemas: 0 });
  });

  it('names what depends on the role in another database, and is done once that is gone', async () => {
    const { outputs } = await postgresSchema.ensure(context);
    const elsewhere = new pg.Client({ connectionString: test.adminControlUrl });
    await elsewhere.connect();
    try {
      await elsewhere.query(`create table stray (id int); alter table stray owner to ${outputs.role}`);
      await expect(postgresSchema.remove(context)).rejects.toMatchObject({
        code: 'STILL_PRESENT',
        message: expect.stringMatching(
          /nothing was touched.*owns 1 object in database control_\w+ \(free it with: REASSIGN OWNED BY/,
        ) as unknown,
      });
      expect(await catalog(outputs.schema)).toEqual({ roles: 1, schemas: 1 });
    } finally {
      await elsewhere.query('drop table if exists stray');
      await elsewhere.end();
    }
    await postgresSchema.remove(context);
    expect(await catalog(outputs.schema)).toEqual({ roles: 0, schemas: 0 });
  });

  it('takes what a tenant gave to another and what it had by default, but no table that the other made there', async () => {
    const other = contextFor();
    await postgresSchema.ensure(other);
    const [mine, theirs] = [schemaName(context.tenant.id), schemaName(other.tenant.id)];
    await asTenant(context, async (client) => {
      await client.query(`grant usage, create on schema ${mine} to ${theirs}`);
      await client.query(`alter default privileges in schema ${mine} grant select on tables to ${theirs}`);
    });
    await asTenant(other, (client) => client.query(`create table ${mine}.guest (id int)`));
    await expect(postgresSchema.remove(context)).rejects.toMatchObject({
      code: 'STILL_PRESENT',
      message: expect.stringContaining(`table ${mine}.guest of ${theirs}`) as unknown,
    });
    await asTenant(other, (client) => client.query(`drop table ${mine}.guest`));
    await postgresSchema.remove(context);
    expect(await catalog(mine)).toEqual({ roles: 0, schemas: 0 });
    expect(await postgresSchema.observe(other)).toMatchObject({ status: 'ready' });
    await postgresSchema.remove(other);
    expect(await catalog(theirs)).toEqual({ roles: 0, schemas: 0 });
  });

  it('takes what a half-done ensure made', async () => {
    let left = 1;
    const guard = () => (left-- > 0 ? Promise.resolve() : Promise.reject(new Error('revoked')));
    const half = contextFor(context.tenant.id, { guard });
    await expect(postgresSchema.ensure(half)).rejects.toThrow('revoked');
    expect(await catalog(schemaName(context.tenant.id))).toEqual({ roles: 1, schemas: 0 });
    await postgresSchema.remove(context);
    expect(await catalog(schemaName(context.tenant.id))).toEqual({ roles: 0, schemas: 0 });
  });

  it('is followed by an ensure that restores the secret with its password', async () => {
    const { outputs } = await postgresSchema.ensure(context);
    const password = await aws.secrets.readSecret(outputs.secretArn);
    await postgresSchema.remove(context);
    const again = await postgresSchema.ensure(context);
    expect(await aws.secrets.readSecret(again.outputs.secretArn)).toBe(password);
    expect((await asTenant(context, (client) => client.query('select count(*)::int as n from notes'))).rows).toEqual([
      { n: 0 },
    ]);
  });
});

describe("a tenants' database that is away", () => {
  it('is a failure that is tried again', async () => {
    const away = createTenantDatabases({ primary: 'postgresql://nobody@127.0.0.1:1/none' });
    const failing = postgresSchema.ensure(contextFor(undefined, { tenantDatabases: away }));
    await expect(failing).rejects.toMatchObject({ code: 'TENANT_DATABASE_UNAVAILABLE' });
    await away.close();
  });
});

afterAll(async () => {
  // Roles belong to the whole server, which other test files share.
  const cleaner = createTenantDatabases({ primary: test.tenantUrl }, defaultCatalog.migrations);
  for (const name of new Set(made)) {
    const id = name.slice('tenant_'.length).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const ownership = { installationId, tenantId: id, product: 'moamalat', operationId: randomUUID(), stepId: 'x' };
    await cleaner.dropSchemaAndRole({ database: 'primary', name, ownership }, () => Promise.resolve());
  }
  await cleaner.close();
});
