import type { ClientBase } from 'pg';
import { ownershipMarker, type Ownership } from '../naming.ts';
import type { Removal } from './tenant-schema-contents.ts';
import type { Holder } from './tenant-schema-holders.ts';

/** A role or schema that bears a tenant's mark and has another name than Tenantry gave it. Names come as SQL. */
export interface Renamed {
  readonly what: 'role' | 'schema';
  readonly name: string;
  /** The statement that gives it the name back. */
  readonly statement: string;
}

type Owner = Pick<Ownership, 'installationId' | 'tenantId' | 'stepId'>;

/**
 * A rename keeps comment, password, sessions and rights: who looks only by name takes the thing for gone. A tenant may have several
 * roles, a step each.
 */
export async function listRenamed(client: ClientBase, name: string, owner: Owner): Promise<Renamed[]> {
  const { rows } = await client.query<{ what: 'role' | 'schema'; name: string; was: string; isTaken: boolean }>(
    `select 'role' as what, quote_ident(rolname) as name, quote_ident($1) as was,
       exists (select from pg_roles where rolname = $1) as "isTaken"
       from pg_roles where rolname <> $1 and starts_with(shobj_description(oid, 'pg_authid'), $2)
        and right(shobj_description(oid, 'pg_authid'), length($3)) = $3
     union all
     select 'schema', quote_ident(nspname), quote_ident($1), exists (select from pg_namespace where nspname = $1)
       from pg_namespace where nspname <> $1 and starts_with(obj_description(oid, 'pg_namespace'), $2)
        and right(obj_description(oid, 'pg_namespace'), length($3)) = $3
      order by 1, 2`,
    [name, markStart(owner), `:${owner.stepId}`],
  );
  return rows.map(({ what, name: present, was, isTaken }) => {
    const alter = `ALTER ${what.toUpperCase()}`;
    const makeRoom = isTaken ? `${alter} ${was} RENAME TO ${was}_other; ` : '';
    return { what, name: present, statement: `${makeRoom}${alter} ${present} RENAME TO ${was}` };
  });
}

/** What all marks of one tenant begin with. */
function markStart({ installationId, tenantId }: Pick<Owner, 'installationId' | 'tenantId'>): string {
  const mark = ownershipMarker({ installationId, tenantId, product: '', operationId: '', stepId: '' });
  return mark.slice(0, mark.indexOf(tenantId) + tenantId.length + 1);
}

/** Somebody put it aside, perhaps to keep it, so it is not followed. */
export async function listRenamedHolders(client: ClientBase, { name, owner }: Removal): Promise<Holder[]> {
  const renamed = await listRenamed(client, name, owner);
  return renamed.map(({ what, name: present, statement }) => ({
    what: `${what} ${present}, which bears this tenant's mark (to keep it: COMMENT ON ${what.toUpperCase()} ${present} IS NULL)`,
    statement,
  }));
}

/** Only its owner drops a schema, and PostgreSQL says so when what is in it is gone. */
export async function listSchemaOwner(client: ClientBase, { name, role, schema }: Removal): Promise<Holder[]> {
  if (!schema) return [];
  const { rows } = await client.query<{ name: string; owner: string; heir: string }>(
    `select quote_ident(nspname) as name, quote_ident(o.rolname) as owner,
       quote_ident(case when $2 then nspname::text else current_user::text end) as heir
       from pg_namespace join pg_roles o on o.oid = nspowner
      where nspname = $1 and o.rolname <> current_user and not ($2 and o.rolname = $1)`,
    [name, role],
  );
  return rows.map(({ name: present, owner, heir }) => ({
    what: `schema ${present}, which belongs to role ${owner}`,
    statement: `ALTER SCHEMA ${present} OWNER TO ${heir}`,
  }));
}
