import type { ClientBase } from 'pg';
import { contents, valuesOf, type Removal } from '../tenant-schema-contents.ts';

/** Something of a schema that a statement makes, and what has to be there before it. */
export interface Definition {
  /** Catalog and oid. */
  readonly key: string;
  readonly sort: 'type' | 'sequence' | 'table' | 'function' | 'view' | 'constraint';
  /** Ends without a semicolon; every name is qualified. */
  readonly statement: string;
}

/** `from` needs `to`. */
export interface Need {
  readonly from: string;
  readonly to: string;
}

/** An object that is the tenant's and that no statement of the dump makes. */
export interface Undumped {
  /** `foreign table`, `aggregate`: PostgreSQL's own words. */
  readonly type: string;
  readonly identity: string;
  /** What it holds would be lost with it. */
  readonly holdsData: boolean;
}

/** A table whose rows are copied. */
export interface TableToCopy {
  /** Qualified, as SQL. */
  readonly table: string;
  readonly name: string;
  /** As SQL; generated ones are left out. */
  readonly columns: readonly string[];
}

const qualified = `format('%I.%I', n.nspname, c.relname)`;
const collation = (type: string, of: string) =>
  `coalesce((select format(' collate %I.%I', cn.nspname, co.collname) from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace
     where co.oid = ${of} and ${of} <> (select typcollation from pg_type where oid = ${type})), '')`;
const options = `(select ' with (' || string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ') || ')' from unnest(c.reloptions) o)`;
const inSchema = `join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')`;
const typeInSchema = `join pg_namespace n on n.oid = t.typnamespace
   where n.nspname = $1 and not exists (select from pg_depend e where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e')`;
const sequenceOptions = `format('increment by %s minvalue %s maxvalue %s start with %s cache %s %scycle', s.seqincrement, s.seqmin, s.seqmax,
   s.seqstart, s.seqcache, case when s.seqcycle then '' else 'no ' end)`;
const isIdentitys = `exists (select from pg_depend i where i.classid = 'pg_class'::regclass and i.objid = c.oid and i.deptype = 'i'
   and i.refclassid = 'pg_class'::regclass and i.refobjsubid <> 0)`;

const types = `
  select 'pg_type:' || t.oid as key, 'type' as sort, t.oid,
    format('create type %I.%I as enum (%s)', n.nspname, t.typname,
      (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)) as statement
    from pg_type t ${typeInSchema} and t.typtype = 'e'
  union all
  select 'pg_type:' || t.oid, 'type', t.oid,
    format('create domain %I.%I as %s%s%s%s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
      ${collation('t.typbasetype', 't.typcollation')},
      coalesce(' default ' || coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault), ''), case when t.typnotnull then ' not null' else '' end)
    || coalesce((select string_agg(format(E';\\nalter domain %I.%I add constraint %I %s', n.nspname, t.typname, k.conname, pg_get_constraintdef(k.oid)), '' order by k.conname)
         from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '')
    from pg_type t ${typeInSchema} and t.typtype = 'd'
  union all
  select 'pg_type:' || t.oid, 'type', t.oid,
    format('create type %I.%I as range (subtype = %s, subtype_opclass = %s%s%s%s%s)', n.nspname, t.typname, format_type(r.rngsubtype, null),
      (select format('%I.%I', o.nspname, oc.opcname) from pg_opclass oc join pg_namespace o on o.oid = oc.opcnamespace where oc.oid = r.rngsubopc),
      (select format(', collation = %I.%I', cn.nspname, co.collname) from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace
        where co.oid = r.rngcollation and r.rngcollation <> (select typcollation from pg_type where oid = r.rngsubtype)),
      case when r.rngsubdiff <> 0 then ', subtype_diff = ' || r.rngsubdiff::regproc end,
      case when r.rngcanonical <> 0 then ', canonical = ' || r.rngcanonical::regproc end,
      (select format(', multirange_type_name = %I.%I', mn.nspname, m.typname) from pg_type m join pg_namespace mn on mn.oid = m.typnamespace
        where m.oid = r.rngmultitypid))
    from pg_range r join pg_type t on t.oid = r.rngtypid ${typeInSchema}
  union all
  select 'pg_class:' || c.oid, 'type', c.oid,
    format('create type %s as (%s)', ${qualified},
      (select string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod), ${collation('a.atttypid', 'a.attcollation')}), ', ' order by a.attnum)
         from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))
    from pg_class c ${inSchema} and c.relkind = 'c'`;

const sequences = `
  select 'pg_class:' || c.oid as key, 'sequence' as sort, c.oid, format('create sequence %s as %s %s', ${qualified}, format_type(s.seqtypid, null), ${sequenceOptions}) as statement
    from pg_sequence s join pg_class c on c.oid = s.seqrelid ${inSchema} and not ${isIdentitys}`;

/** What a partition has of its parent's identity comes with its being attached. */
const identity = `case when a.attidentity <> '' and not c.relispartition then
    (select format(' generated %s as identity (sequence name %I.%I %s)', case a.attidentity when 'a' then 'always' else 'by default' end,
       sn.nspname, sc.relname, ${sequenceOptions})
     from pg_depend i join pg_class sc on sc.oid = i.objid join pg_namespace sn on sn.oid = sc.relnamespace join pg_sequence s on s.seqrelid = sc.oid
     where i.classid = 'pg_class'::regclass and i.refclassid = 'pg_class'::regclass and i.refobjid = c.oid and i.refobjsubid = a.attnum and i.deptype = 'i') end`;

const tables = `
  select 'pg_class:' || c.oid as key, 'table' as sort, c.oid,
    format(E'create %stable %s (%s)%s%s', case c.relpersistence when 'u' then 'unlogged ' else '' end, ${qualified},
      (select string_agg(format(E'\\n  %I %s%s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod), ${collation('a.atttypid', 'a.attcollation')},
          case when a.attgenerated <> '' then format(' generated always as (%s) %s', pg_get_expr(d.adbin, d.adrelid),
            case a.attgenerated when 's' then 'stored' else 'virtual' end) end,
          ${identity}, case when a.attnotnull then ' not null' end), ',' order by a.attnum)
         from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
      ' partition by ' || pg_get_partkeydef(c.oid), ${options}) as statement
    from pg_class c ${inSchema} and c.relkind in ('r', 'p')`;

const views = `
  select 'pg_class:' || c.oid as key, 'view' as sort, c.oid,
    format(E'create %sview %s%s as\\n%s%s', case c.relkind when 'm' then 'materialized ' else '' end, ${qualified}, ${options},
      rtrim(pg_get_viewdef(c.oid), ';'), case c.relkind when 'm' then E'\\n with no data' end) as statement
    from pg_class c ${inSchema} and c.relkind in ('v', 'm')`;

const functions = `
  select 'pg_proc:' || p.oid as key, 'function' as sort, p.oid, rtrim(pg_get_functiondef(p.oid), E'\\n') as statement
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = $1 and p.prokind <> 'a'
     and not exists (select from pg_depend e where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')`;

/** Those that a parent's bring along are left out. */
const constraints = `
  select 'pg_constraint:' || k.oid as key, 'constraint' as sort, k.oid,
    format('alter table %s add constraint %I %s', ${qualified}, k.conname, pg_get_constraintdef(k.oid)) as statement
    from pg_constraint k join pg_class c on c.oid = k.conrelid ${inSchema} and c.relkind in ('r', 'p')
     and k.contype in ('c', 'p', 'u', 'x') and k.conparentid = 0 and k.coninhcount = 0`;

/** All of the schema that others of it may need, in no order that counts. */
export async function listDefinitions(client: ClientBase, schema: string): Promise<Definition[]> {
  const parts = [types, sequences, tables, functions, views, constraints];
  const found: Definition[] = [];
  for (const part of parts) {
    const { rows } = await client.query<Definition>(`select key, sort, statement from (${part}) d order by oid`, [
      schema,
    ]);
    found.push(...rows);
  }
  return found;
}

/** Which definitions need which, whatever lies between them: a view's rule, an array of a type. */
export async function listNeeds(client: ClientBase, schema: string): Promise<Need[]> {
  const { rows } = await client.query<Need>(
    `with recursive parts (classid, objid, key) as (
       select 'pg_class'::regclass::oid, c.oid, 'pg_class:' || c.oid from pg_class c ${inSchema} and c.relkind in ('r', 'p', 'v', 'm', 'c', 'S')
       union select 'pg_type'::regclass, t.oid, case when t.typrelid <> 0 then 'pg_class:' || t.typrelid else 'pg_type:' || t.oid end
         from pg_type t ${typeInSchema} and t.typtype in ('e', 'd', 'c', 'r')
       union select 'pg_proc'::regclass, p.oid, 'pg_proc:' || p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1
       union select 'pg_constraint'::regclass, k.oid, case when k.contypid <> 0 then 'pg_type:' || k.contypid else 'pg_constraint:' || k.oid end
         from pg_constraint k join pg_namespace n on n.oid = k.connamespace where n.nspname = $1 and k.contype in ('c', 'p', 'u', 'x')
     ), whole as (
       select * from parts
       union select 'pg_rewrite'::regclass, r.oid, p.key from pg_rewrite r join parts p on p.classid = 'pg_class'::regclass and p.objid = r.ev_class
         where r.rulename = '_RETURN'
       union select 'pg_attrdef'::regclass, d.oid, p.key from pg_attrdef d join parts p on p.classid = 'pg_class'::regclass and p.objid = d.adrelid
         join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attgenerated <> ''
       union select 'pg_type'::regclass, a.typarray, p.key from pg_type a join parts p on p.classid = 'pg_type'::regclass and p.objid = a.oid where a.typarray <> 0
       union select 'pg_type'::regclass, r.rngmultitypid, p.key from pg_range r join parts p on p.classid = 'pg_type'::regclass and p.objid = r.rngtypid
     )
     select distinct f.key as from, t.key as to
       from pg_depend d join whole f on f.classid = d.classid and f.objid = d.objid
       join whole t on t.classid = d.refclassid and t.objid = d.refobjid
       left join pg_class s on d.classid = 'pg_class'::regclass and s.oid = d.objid and s.relkind = 'S'
      where f.key <> t.key and s.oid is null
      order by 1, 2`,
    [schema],
  );
  return rows;
}

/** What makes partitions of tables, and heirs, once all tables are made. */
export async function listParents(client: ClientBase, schema: string): Promise<string[]> {
  return statements(
    client,
    `select format('alter table only %s attach partition %s %s', i.inhparent::regclass, ${qualified}, pg_get_expr(c.relpartbound, c.oid)) as statement
       from pg_inherits i join pg_class c on c.oid = i.inhrelid ${inSchema} and c.relkind in ('r', 'p') and c.relispartition
     union all
     select format('alter table only %s inherit %s', ${qualified}, i.inhparent::regclass)
       from (select * from pg_inherits order by inhrelid, inhseqno) i join pg_class c on c.oid = i.inhrelid ${inSchema} and c.relkind = 'r' and not c.relispartition`,
    schema,
  );
}

/** What follows when all else is made and loaded, in the order of the list. */
export async function listFinishing(client: ClientBase, schema: string): Promise<string[]> {
  const made: string[] = [];
  for (const part of finishing) made.push(...(await statements(client, part, schema)));
  return made;
}

const withKeys = `select conindid from pg_constraint where conindid <> 0 and contype in ('p', 'u', 'x')`;
const comments = (sort: string, named: string, from: string) =>
  `select format('comment on ${sort} %s is %L', ${named}, d.description) as statement ${from}`;

const finishing = [
  // Defaults: of views, too.
  `select format('alter table only %s alter column %I set default %s', ${qualified}, a.attname, pg_get_expr(d.adbin, d.adrelid)) as statement
     from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum join pg_class c on c.oid = d.adrelid
     ${inSchema} and a.attgenerated = '' order by c.oid, a.attnum`,
  `select format('alter sequence %s owned by %I.%I.%I', ${qualified}, tn.nspname, t.relname, a.attname) as statement
     from pg_depend o join pg_class c on c.oid = o.objid and c.relkind = 'S' join pg_class t on t.oid = o.refobjid
     join pg_namespace tn on tn.oid = t.relnamespace join pg_attribute a on a.attrelid = t.oid and a.attnum = o.refobjsubid
     ${inSchema} and o.classid = 'pg_class'::regclass and o.refclassid = 'pg_class'::regclass and o.deptype = 'a' order by c.oid`,
  // A partitioned one is made with those of its partitions, which PostgreSQL's own text leaves out.
  `select case when c.relkind = 'I' then regexp_replace(pg_get_indexdef(c.oid), format('^(CREATE (?:UNIQUE )?INDEX .{%s}) ON ONLY ', length(quote_ident(c.relname))), '\\1 ON ')
       else pg_get_indexdef(c.oid) end as statement
     from pg_index i join pg_class c on c.oid = i.indexrelid ${inSchema} and c.oid not in (${withKeys})
      and not exists (select from pg_inherits h where h.inhrelid = c.oid) order by c.oid`,
  `select pg_get_statisticsobjdef(s.oid) as statement from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
    where n.nspname = $1 order by s.oid`,
  `select format('alter table %s add constraint %I %s', ${qualified}, k.conname, pg_get_constraintdef(k.oid)) as statement
     from pg_constraint k join pg_class c on c.oid = k.conrelid ${inSchema} and k.contype = 'f' and k.conparentid = 0 order by k.oid`,
  `select pg_get_ruledef(r.oid) as statement from pg_rewrite r join pg_class c on c.oid = r.ev_class ${inSchema} and r.rulename <> '_RETURN' order by r.oid`,
  `select pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' else format('; alter table %s %s trigger %I', ${qualified},
       case t.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, t.tgname) end as statement
     from pg_trigger t join pg_class c on c.oid = t.tgrelid ${inSchema} and not t.tgisinternal and t.tgparentid = 0 order by t.oid`,
  `select format('create policy %I on %s as %s for %s to %s%s%s', p.polname, ${qualified}, case when p.polpermissive then 'permissive' else 'restrictive' end,
       case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end,
       case when p.polroles = '{0}' then 'public' else 'current_user' end,
       ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') as statement
     from pg_policy p join pg_class c on c.oid = p.polrelid ${inSchema} order by p.oid`,
  `select format('alter table %s enable row level security', ${qualified}) as statement from pg_class c ${inSchema} and c.relrowsecurity order by c.oid`,
  comments(
    "' || case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'c' then 'type' else 'table' end || '",
    qualified,
    `from pg_description d join pg_class c on c.oid = d.objoid ${inSchema} and d.classoid = 'pg_class'::regclass and d.objsubid = 0
       and c.relkind in ('r', 'p', 'v', 'm', 'S', 'c') order by c.oid`,
  ),
  comments(
    'column',
    `format('%s.%I', ${qualified}, a.attname)`,
    `from pg_description d join pg_class c on c.oid = d.objoid join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid
       ${inSchema} and d.classoid = 'pg_class'::regclass and d.objsubid > 0 and c.relkind in ('r', 'p', 'v', 'm', 'c') order by c.oid, a.attnum`,
  ),
];

async function statements(client: ClientBase, query: string, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ statement: string }>(query, [schema]);
  return rows.map(({ statement }) => statement);
}

/** Where each sequence stands, those of identity columns too. No snapshot shows that: nobody may write any more. */
export async function listSequenceValues(client: ClientBase, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select ${qualified} as name from pg_class c ${inSchema} and c.relkind = 'S' order by c.oid`,
    [schema],
  );
  const set: string[] = [];
  for (const { name } of rows) {
    const values = await client.query<{ statement: string }>(
      `select format('select pg_catalog.setval(%L, %s, %L)', $1::text, last_value, is_called) as statement from ${name}`,
      [name],
    );
    set.push(...values.rows.map(({ statement }) => statement));
  }
  return set;
}

/** Materialized views are filled last, in the order in which they were made. */
export async function listFilled(client: ClientBase, schema: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ key: string; statement: string }>(
    `select 'pg_class:' || c.oid as key, format('refresh materialized view %s', ${qualified}) as statement
       from pg_class c ${inSchema} and c.relkind = 'm' and c.relispopulated`,
    [schema],
  );
  return new Map(rows.map(({ key, statement }) => [key, statement]));
}

export async function listTablesToCopy(client: ClientBase, schema: string): Promise<TableToCopy[]> {
  const { rows } = await client.query<TableToCopy>(
    `select ${qualified} as table, c.relname::text as name,
       array(select quote_ident(a.attname) from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns
     from pg_class c ${inSchema} and c.relkind = 'r' order by c.relname, c.oid`,
    [schema],
  );
  return rows;
}

/** What is the tenant's and has no statement here, in the schema or elsewhere in the database; row security that hides rows from their owner counts. */
export async function listUndumped(client: ClientBase, removal: Removal): Promise<Undumped[]> {
  const { rows } = await client.query<Undumped>(
    `${contents}
     select i.type, i.identity, coalesce(c.relkind in ('r', 'p', 'm'), r.classid = 'pg_largeobject'::regclass) as "holdsData"
       from roots r cross join lateral pg_identify_object(r.classid, r.objid, 0) i
       left join pg_class c on r.classid = 'pg_class'::regclass and c.oid = r.objid
       left join pg_proc p on r.classid = 'pg_proc'::regclass and p.oid = r.objid
       left join pg_type t on r.classid = 'pg_type'::regclass and t.oid = r.objid
      where r.classid <> 'pg_default_acl'::regclass
        and not (coalesce(i.schema = $1, false) and (
          coalesce(c.relkind in ('r', 'p', 'v', 'm', 'S', 'c', 'i', 'I', 't'), false) or coalesce(p.prokind <> 'a', false)
          or coalesce(t.typtype in ('e', 'd', 'c', 'r', 'm') or t.typelem <> 0, false) or r.classid = 'pg_statistic_ext'::regclass))
     union all
     select 'table with FORCE ROW LEVEL SECURITY', ${qualified}, true from pg_class c ${inSchema} and c.relrowsecurity and c.relforcerowsecurity
     union all
     select 'policy', format('%I on %s: it is for other roles', p.polname, ${qualified}), false
       from pg_policy p join pg_class c on c.oid = p.polrelid ${inSchema} and p.polroles <> '{0}'
        and exists (select from unnest(p.polroles) o join pg_roles w on w.oid = o where w.rolname <> $1)
     order by 1, 2`,
    valuesOf(removal),
  );
  return rows;
}

/** Extensions of the database: types and functions of theirs have to be there before a dump is loaded. */
export async function listExtensions(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select extname::text as name from pg_extension where extname <> 'plpgsql' order by 1`,
  );
  return rows.map(({ name }) => name);
}
