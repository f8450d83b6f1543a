import type { ClientBase } from 'pg';
import { StepError } from '../contracts/step-error.ts';

// GRANT and REVOKE by a role without the right to them only warn ("no privileges could be revoked") and succeed: after each
// of them it is looked at what holds now.

interface Rights {
  readonly role: string;
  readonly database: string;
  /** PUBLIC may connect to the database, or make temporary tables in it. */
  readonly open: boolean;
  readonly publicSchema: boolean;
}

/**
 * Takes from PUBLIC what every new role would have in the database that tenants share.
 * @throws StepError ACCESS_DENIED when PUBLIC still has it
 */
export async function closeDatabase(client: ClientBase): Promise<void> {
  const { open, publicSchema } = await rightsOfPublic(client);
  if (!open && !publicSchema) return;
  const revokes = revokeStatements(client, await nameOfDatabase(client));
  if (open) await client.query(revokes.open);
  if (publicSchema) await client.query(revokes.publicSchema);
  const now = await rightsOfPublic(client);
  const left = (['open', 'publicSchema'] as const).filter((what) => now[what]);
  if (left.length === 0) return;
  throw new StepError(
    'ACCESS_DENIED',
    `every role still has PUBLIC's rights in database "${now.database}": role "${now.role}" may not revoke them,` +
      ` as it does not own it. Have the owner run: ${left.map((what) => revokes[what]).join('; ')}`,
  );
}

function revokeStatements(client: ClientBase, database: string) {
  return {
    open: `revoke connect, temporary on database ${client.escapeIdentifier(database)} from public`,
    publicSchema: 'revoke all on schema public from public',
  };
}

async function rightsOfPublic(client: ClientBase): Promise<Rights> {
  const { rows } = await client.query<Rights>(
    `select current_user::text as role, current_database()::text as database,
       has_database_privilege('public', current_database(), 'connect')
         or has_database_privilege('public', current_database(), 'temporary') as open,
       coalesce((select has_schema_privilege('public', oid, 'usage') or has_schema_privilege('public', oid, 'create')
         from pg_namespace where nspname = 'public'), false) as "publicSchema"`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('PostgreSQL answered no row about the rights of PUBLIC');
  return row;
}

/** @throws StepError ACCESS_DENIED when the role may not connect all the same */
export async function letConnect(client: ClientBase, role: string): Promise<void> {
  const database = await nameOfDatabase(client);
  const grant = `grant connect on database ${client.escapeIdentifier(database)} to ${client.escapeIdentifier(role)}`;
  await client.query(grant);
  const { rows } = await client.query<{ may: boolean }>(
    `select has_database_privilege($1, current_database(), 'connect') as may`,
    [role],
  );
  if (rows[0]?.may === true) return;
  throw new StepError(
    'ACCESS_DENIED',
    `role "${role}" may not connect to database "${database}": the provisioner may not grant it, as it does not own the` +
      ' database. Make it the owner, or grant it CONNECT with grant option',
  );
}

/**
 * From PostgreSQL 16 on, who makes a role may administer it, but neither become it nor act with its rights before
 * granting itself that; CREATE SCHEMA ... AUTHORIZATION, DROP OWNED and pg_terminate_backend need it.
 * @throws StepError ACCESS_DENIED when it may not act with the role's rights all the same
 */
export async function joinRole(client: ClientBase, name: string): Promise<void> {
  const before = await membership(client, name);
  if (before.member) return;
  const options = before.version >= 160_000 ? ' with set true, inherit true' : '';
  await client.query(`grant ${client.escapeIdentifier(name)} to current_user${options}`);
  if ((await membership(client, name)).member) return;
  throw new StepError(
    'ACCESS_DENIED',
    `the provisioner is a member of role "${name}" and has none of its rights: its own role must not be NOINHERIT`,
  );
}

interface Administration {
  readonly version: number;
  readonly provisioner: string;
  readonly tenant: string;
  readonly isSuperuser: boolean;
  readonly createsRoles: boolean;
  readonly administers: boolean;
  readonly tenantIsSuperuser: boolean;
}

/**
 * That the provisioner may change and drop the role, asked before anything is done with it: PostgreSQL says it at DROP ROLE,
 * when all else is gone.
 * @throws StepError ACCESS_DENIED with the statement that gives it back
 */
export async function assertAdministers(client: ClientBase, name: string): Promise<void> {
  const { rows } = await client.query<Administration>(
    `select current_setting('server_version_num')::int as version, quote_ident(me.rolname) as provisioner,
       quote_ident(r.rolname) as tenant, me.rolsuper as "isSuperuser", me.rolcreaterole as "createsRoles",
       pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION') as administers, r.rolsuper as "tenantIsSuperuser"
     from pg_roles r, pg_roles me where r.rolname = $1 and me.rolname = current_user`,
    [name],
  );
  const [found] = rows;
  const lack = found && lackOf(found);
  if (lack === undefined) return;
  throw new StepError(
    'ACCESS_DENIED',
    `the provisioner may not change or drop role "${name}", nothing was touched: ${lack.why}. Have a superuser run: ${lack.statement}`,
    { detail: lack.statement },
  );
}

/** Until 15, CREATEROLE is enough for all roles but superusers. */
function lackOf(seen: Administration): { why: string; statement: string } | undefined {
  const { version, provisioner, tenant, isSuperuser, createsRoles, administers, tenantIsSuperuser } = seen;
  if (isSuperuser) return undefined;
  if (tenantIsSuperuser) return { why: 'that is a superuser', statement: `ALTER ROLE ${tenant} NOSUPERUSER` };
  if (!createsRoles)
    return { why: `${provisioner} lacks CREATEROLE`, statement: `ALTER ROLE ${provisioner} CREATEROLE` };
  if (version < 160_000 || administers) return undefined;
  return {
    why: `${provisioner} lacks its ADMIN option`,
    statement: `GRANT ${tenant} TO ${provisioner} WITH ADMIN OPTION`,
  };
}

async function membership(client: ClientBase, name: string): Promise<{ version: number; member: boolean }> {
  const { rows } = await client.query<{ version: number; member: boolean }>(
    `select current_setting('server_version_num')::int as version, pg_has_role(current_user, $1, 'usage') as member`,
    [name],
  );
  return rows[0] ?? { version: 0, member: false };
}

export async function nameOfDatabase(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select current_database()::text as name');
  return rows[0]?.name ?? '';
}
