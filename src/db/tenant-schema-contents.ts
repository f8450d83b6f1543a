import type { ClientBase } from 'pg';
import type { Ownership } from '../naming.ts';

/** What is to go: the role, the schema of its name, or both. */
export interface Removal {
  readonly name: string;
  /** The role is ours. */
  readonly role: boolean;
  /** The schema is ours. */
  readonly schema: boolean;
  /** Whose mark they bear. */
  readonly owner: Pick<Ownership, 'installationId' | 'tenantId' | 'stepId'>;
}

/** An object of PostgreSQL by its catalog and oid, with the words of `pg_identify_object`. */
export interface CatalogObject {
  readonly catalog: string;
  readonly oid: string;
  readonly type: string;
  /** Qualified by its schema and quoted where needed; of a part of a table `part on table`. For people: never to be taken apart. */
  readonly identity: string;
}

/** A constraint of a table, in SQL: each name is quoted by PostgreSQL. */
export interface TableConstraint {
  readonly oid: string;
  readonly table: string;
  readonly name: string;
}

/** An object that is not the tenant's, and what it hangs on. */
export interface Dependent extends CatalogObject {
  /** Kind of relation, of one; `p` partitioned, `i` index, and so on. */
  readonly relationKind: string | null;
  readonly isPartition: boolean;
  readonly isGenerated: boolean;
  readonly owner: string | null;
  /** The parts of its address as `pg_identify_object_as_address` tells them, each quoted as SQL needs it. */
  readonly names: readonly string[];
  readonly args: readonly string[];
  readonly on: string;
  /** Of a policy for the role: whom else it is for, as SQL; null when nobody. */
  readonly otherRoles: string | null;
  /** Within: it belongs to whoever owns the schema. Not the tenant, so somebody gave both away. */
  readonly isSchemaOwners: boolean;
  /** Who could own it so that it goes with the tenant, as SQL. */
  readonly heir: string;
  /** `within`: it is in the tenant's schema and belongs to somebody else. */
  readonly place: 'within' | 'outside';
}

/**
 * `roots`: what is in the schema or belongs to the role, in this database; and casts between nothing but types of the
 * schema and built-in ones, which have neither schema nor owner.
 * `parts`: each root with what goes along with it (indexes, constraints, defaults, triggers, own sequences, members of an
 * extension), under the root's name. A partition is a table of its own. A table's place in a publication is the publication's.
 * Dependency types, see PostgreSQL's chapter on pg_depend: a auto, i internal, P and S partition, e member of an extension,
 * x by "depends on extension", n normal.
 */
export const contents = `
  with recursive schema as (select oid, nspowner from pg_namespace where nspname = $1 and $2),
  tenant as (select oid from pg_roles where rolname = $1 and $3),
  roots as (
    select d.classid, d.objid from pg_depend d join schema on d.refclassid = 'pg_namespace'::regclass and d.refobjid = schema.oid
     where d.deptype = 'n'
    union
    select s.classid, s.objid from pg_shdepend s join tenant on s.refclassid = 'pg_authid'::regclass and s.refobjid = tenant.oid
     where s.deptype = 'o' and s.dbid = (select oid from pg_database where datname = current_database())
       and not (s.classid = 'pg_namespace'::regclass and s.objid in (select oid from schema))
    union
    select 'pg_cast'::regclass::oid, c.oid from pg_cast c
      join pg_type f on f.oid = c.castsource join pg_type t on t.oid = c.casttarget, schema
     where schema.oid in (f.typnamespace, t.typnamespace)
       and f.typnamespace in (schema.oid, 'pg_catalog'::regnamespace) and t.typnamespace in (schema.oid, 'pg_catalog'::regnamespace)
  ),
  parts as (
    select classid as top_class, objid as top_id, classid, objid from roots
    union
    select p.top_class, p.top_id, d.classid, d.objid
      from parts p join pg_depend d on d.refclassid = p.classid and d.refobjid = p.objid
     where d.deptype in ('a', 'i', 'P', 'S', 'e')
       and (p.classid = 'pg_publication'::regclass or not d.classid = any (array['pg_publication_rel', 'pg_publication_namespace']::regclass[]))
       and not (d.classid = 'pg_class'::regclass
         and exists (select from pg_class c where c.oid = d.objid and c.relkind in ('r', 'p', 'f', 'v', 'm')))
  )`;

export const valuesOf = ({ name, role, schema }: Removal) => [name, schema, role];

/**
 * What would be lost to others with the tenant: what hangs on something of the tenant's, wherever it is; and tables and
 * extensions of others in its schema. Views and functions of others in the schema hold no data and go with it.
 */
export async function listDependents(client: ClientBase, removal: Removal): Promise<Dependent[]> {
  const { rows } = await client.query<Dependent>(
    `${contents},
     hanging as (
       select d.classid, d.objid, d.objsubid, 'outside' as place, min(pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)) as on
         from (select distinct classid, objid from parts
               union select 'pg_namespace'::regclass, oid from schema) p
         join pg_depend d on d.refclassid = p.classid and d.refobjid = p.objid
        where d.deptype in ('n', 'a', 'x')
          and not exists (select from parts q where q.classid = d.classid and q.objid = d.objid)
          and d.classid <> 'pg_default_acl'::regclass
        group by 1, 2, 3
       union all
       select 'pg_policy'::regclass, s.objid, 0, 'outside', format('role %s', $1::text)
         from pg_shdepend s join tenant on s.refclassid = 'pg_authid'::regclass and s.refobjid = tenant.oid
        where s.deptype = 'r' and s.classid = 'pg_policy'::regclass
          and s.dbid = (select oid from pg_database where datname = current_database())
          and not exists (select from parts q where q.classid = s.classid and q.objid = s.objid)
       union all
       select 'pg_class'::regclass, c.oid, 0, 'within', format('schema %s', $1::text)
         from pg_class c join schema on schema.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'm') and c.relowner <> (select oid from pg_roles where rolname = current_user)
          and not exists (select from tenant where tenant.oid = c.relowner)
          and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
       union all
       select 'pg_extension'::regclass, e.oid, 0, 'within', format('schema %s', $1::text)
         from pg_extension e join schema on schema.oid = e.extnamespace
        where not exists (select from tenant where tenant.oid = e.extowner)
     ),
     -- A view is its rule for SELECT.
     lifted as (
       select distinct on (1, 2, 3) case when r.ev_class is null then h.classid else 'pg_class'::regclass end as classid,
         coalesce(r.ev_class, h.objid) as objid, h.objsubid, h.place, h.on
         from hanging h left join pg_rewrite r on h.classid = 'pg_rewrite'::regclass and r.oid = h.objid and r.rulename = '_RETURN'
     )
     select l.classid::regclass::text as catalog, l.objid::text as oid, i.type, i.identity, l.place, l.on,
       -- Of a domain's constraint it is the domain's name, which comes as SQL.
       case when i.type = 'domain constraint' then address.object_names
         else array(select quote_ident(n) from unnest(address.object_names) with ordinality u (n, place) order by u.place) end as names,
       array(select quote_ident(a) from unnest(address.object_args) with ordinality u (a, place) order by u.place) as args,
       c.relkind::text as "relationKind", coalesce(c.relispartition, false) as "isPartition",
       coalesce(a.attgenerated <> '', false) as "isGenerated", pg_get_userbyid(c.relowner)::text as owner,
       case when l.on = format('role %s', $1::text) then
         (select string_agg(quote_ident(pg_get_userbyid(r)), ', ') from unnest(pol.polroles) r where r not in (select oid from tenant))
       end as "otherRoles",
       coalesce(c.relowner = (select nspowner from schema), false) as "isSchemaOwners",
       quote_ident(case when $3 then $1::text else current_user::text end) as heir
       from lifted l
       cross join lateral pg_identify_object(l.classid, l.objid, l.objsubid) i
       cross join lateral pg_identify_object_as_address(l.classid, l.objid, l.objsubid) address
       left join pg_class c on l.classid = 'pg_class'::regclass and c.oid = l.objid
       left join pg_attrdef d on l.classid = 'pg_attrdef'::regclass and d.oid = l.objid
       left join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
       left join pg_policy pol on l.classid = 'pg_policy'::regclass and pol.oid = l.objid
      order by i.identity, i.type`,
    valuesOf(removal),
  );
  return rows;
}

/** What can go at once, for nothing else hangs on it; `left` counts what else there is. */
export interface Leaves {
  readonly leaves: readonly (CatalogObject & { readonly relationKind: string | null })[];
  readonly left: number;
}

/**
 * Objects that DROP has a statement for. What there is none for (default privileges, user mappings) is few and goes with
 * the role.
 */
export async function listLeaves(client: ClientBase, removal: Removal, limit: number): Promise<Leaves> {
  const { rows } = await client.query<CatalogObject & { relationKind: string | null; left: number }>(
    `${contents},
     whole as (
       select r.classid, r.objid from roots r
        where r.classid = any (array['pg_class', 'pg_proc', 'pg_type', 'pg_cast', 'pg_operator', 'pg_opclass', 'pg_opfamily',
            'pg_collation', 'pg_conversion', 'pg_statistic_ext', 'pg_ts_config', 'pg_ts_dict', 'pg_largeobject']::regclass[])
       except select classid, objid from parts where (top_class, top_id) <> (classid, objid)
     ),
     needed as (
       select p.top_class, p.top_id from parts p join pg_depend d on d.refclassid = p.classid and d.refobjid = p.objid
         left join parts q on q.top_class = p.top_class and q.top_id = p.top_id and q.classid = d.classid and q.objid = d.objid
        where q.objid is null
     ),
     leaves as (
       select classid, objid from (select classid, objid from whole except select top_class, top_id from needed) w limit $4
     )
     select l.classid::regclass::text as catalog, l.objid::text as oid, i.type, i.identity, c.relkind::text as "relationKind",
       (select count(*)::int from whole) - (select count(*)::int from leaves) as left
       from leaves l
       cross join lateral pg_identify_object(l.classid, l.objid, 0) i
       left join pg_class c on l.classid = 'pg_class'::regclass and c.oid = l.objid
      order by l.classid, l.objid`,
    [...valuesOf(removal), limit],
  );
  return { leaves: rows, left: rows[0]?.left ?? 0 };
}

/** Foreign keys from one of the tenant's tables to another: only they can make tables hang on each other in a circle. */
export async function listForeignKeys(client: ClientBase, removal: Removal, limit: number): Promise<TableConstraint[]> {
  const { rows } = await client.query<TableConstraint>(
    `${contents}
     select k.oid::text as oid, format('%I.%I', n.nspname, c.relname) as table, quote_ident(k.conname) as name
       from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
      where k.contype = 'f' and k.conparentid = 0 and k.conrelid <> k.confrelid
        and exists (select from roots r where r.classid = 'pg_class'::regclass and r.objid = k.conrelid)
        and exists (select from roots r where r.classid = 'pg_class'::regclass and r.objid = k.confrelid)
      order by k.oid limit $4`,
    [...valuesOf(removal), limit],
  );
  return rows;
}

/** The tenant's partitioned tables: DROP takes their partitions along, wherever those are and whoever owns them. */
export async function listPartitioned(client: ClientBase, removal: Removal): Promise<CatalogObject[]> {
  const { rows } = await client.query<CatalogObject>(
    `${contents}
     select 'pg_class' as catalog, c.oid::text as oid, i.type, i.identity
       from roots r join pg_class c on r.classid = 'pg_class'::regclass and c.oid = r.objid and c.relkind = 'p'
       cross join lateral pg_identify_object('pg_class'::regclass, c.oid, 0) i`,
    valuesOf(removal),
  );
  return rows;
}
