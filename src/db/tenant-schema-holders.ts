import type { ClientBase } from 'pg';
import { listDependents, type Removal } from './tenant-schema-contents.ts';
import { holderOf } from './tenant-schema-freeing.ts';
import { listRenamedHolders, listSchemaOwner } from './tenant-schema-marks.ts';
import { listRights } from './tenant-schema-rights.ts';

/** Something that keeps a schema or a role from being dropped, and the statement that frees it. */
export interface Holder {
  readonly what: string;
  readonly statement: string;
}

/** All that keeps what is to go, or would be lost with it. Only looks; sees what this role may see. */
export async function listHolders(client: ClientBase, removal: Removal): Promise<Holder[]> {
  // By the names that they have now, the rest would look like somebody else's.
  const renamed = await listRenamedHolders(client, removal);
  if (renamed.length > 0) return renamed;
  const dependents = await listDependents(client, removal);
  return [
    ...(await listSchemaOwner(client, removal)),
    ...dependents.map(holderOf),
    ...(await listRights(client, removal)),
    ...(await listPreparedTransactions(client, removal)),
    ...(removal.role ? await listElsewhere(client, removal.name) : []),
  ];
}

const named = 10;

/** As one sentence part, bounded: `view public.seen (free it with: DROP VIEW public.seen)`, ... */
export function describeHolders(holders: readonly Holder[]): string {
  const list = holders.slice(0, named).map(({ what, statement }) => `${what} (free it with: ${statement})`);
  const more = holders.length - named;
  return `${list.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

/** A prepared transaction keeps its locks, and what it made, until somebody ends it; no session has to be there. */
async function listPreparedTransactions(client: ClientBase, { name, role, schema }: Removal): Promise<Holder[]> {
  const { rows } = await client.query<{ gid: string; owner: string; database: string }>(
    `select p.gid, p.owner::text, p.database::text from pg_prepared_xacts p
      where ($2 and p.owner = $1)
         or ($3 and p.database = current_database() and exists (
              select from pg_locks x join pg_locks l on l.virtualtransaction = x.virtualtransaction
                join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
               where x.locktype = 'transactionid' and x.transactionid = p.transaction and x.pid is null and l.pid is null
                 and n.nspname = $1 and l.database = (select oid from pg_database where datname = current_database())))
      order by p.gid`,
    [name, role, schema],
  );
  return rows.map(({ gid, owner, database }) => ({
    what: `prepared transaction ${client.escapeLiteral(gid)} of role ${owner} in database ${database}`,
    statement: `ROLLBACK PREPARED ${client.escapeLiteral(gid)} in database ${database}, as ${owner} or a superuser`,
  }));
}

interface Elsewhere {
  readonly catalog: string;
  readonly database: string | null;
  readonly owned: number;
  readonly other: number;
  /** Of an object of the server. */
  readonly identity: string | null;
  /** Of a subscription: the database that it is in. */
  readonly within: string | null;
}

/** What the role owns of the whole server, and owns or may use in other databases, whose catalogs do not show here. */
async function listElsewhere(client: ClientBase, role: string): Promise<Holder[]> {
  const { rows } = await client.query<Elsewhere>(
    `select case when s.dbid = 0 then s.classid::regclass::text else '' end as catalog, d.datname::text as database,
       (count(*) filter (where s.deptype = 'o'))::int as owned, (count(*) filter (where s.deptype <> 'o'))::int as other,
       min((pg_identify_object(s.classid, s.objid, 0)).identity) filter (where s.dbid = 0) as identity,
       min(w.datname::text) as within
     from pg_shdepend s join pg_roles r on r.oid = s.refobjid left join pg_database d on d.oid = s.dbid
       left join pg_subscription b on s.classid = 'pg_subscription'::regclass and b.oid = s.objid
       left join pg_database w on w.oid = b.subdbid
     where s.refclassid = 'pg_authid'::regclass and r.rolname = $1 and d.datname is distinct from current_database()
       and (s.dbid <> 0 or s.deptype = 'o') and s.classid <> 'pg_auth_members'::regclass
     group by 1, 2, case when s.dbid = 0 then s.objid end order by 2, 1, identity`,
    [role],
  );
  const roleName = client.escapeIdentifier(role);
  return rows.map((row) => {
    const { database, owned, other } = row;
    if (database === null) return ofTheServer(row, roleName);
    const owns = owned > 0 ? [`owns ${counted(owned, 'object')}`] : [];
    const holds = other > 0 ? [`holds ${counted(other, 'right')}`] : [];
    const reassign = owned > 0 ? `REASSIGN OWNED BY ${roleName} TO CURRENT_USER; ` : '';
    return {
      what: `role ${role} ${[...owns, ...holds].join(' and ')} in database ${database}`,
      statement: `${reassign}DROP OWNED BY ${roleName} in database ${database}`,
    };
  });
}

function counted(n: number, what: string): string {
  return `${n} ${n === 1 ? what : `${what}s`}`;
}

function ofTheServer({ catalog, identity, within }: Elsewhere, role: string): Holder {
  const type = catalog.replace(/^pg_/, '');
  const name = identity ?? '?';
  const owned = `${type} ${name} of role ${role}`;
  if (type === 'subscription') {
    const place = `in database ${within ?? '?'}`;
    return { what: `${owned} ${place}`, statement: `DROP SUBSCRIPTION ${name} ${place}` };
  }
  return { what: owned, statement: `ALTER ${type.toUpperCase()} ${name} OWNER TO CURRENT_USER` };
}
