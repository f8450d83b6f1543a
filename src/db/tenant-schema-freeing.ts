import type { Dependent } from './tenant-schema-contents.ts';
import type { Holder } from './tenant-schema-holders.ts';

/** Names what depends on the tenant's, with the statement that frees it and keeps the data of others. */
export function holderOf(dependent: Dependent): Holder {
  const { place, type, identity, owner, on } = dependent;
  const what =
    place === 'within' ? `${type} ${identity} of ${owner ?? 'somebody else'} in ${on}` : `${type} ${identity} on ${on}`;
  return { what, statement: place === 'within' ? keepIt(dependent) : letGo(dependent) };
}

/** What was given away together with the schema comes back together with it. */
function keepIt({ type, identity, isSchemaOwners, heir }: Dependent): string {
  return `ALTER ${type.toUpperCase()} ${identity} ${isSchemaOwners ? `OWNER TO ${heir}` : 'SET SCHEMA public'}`;
}

/** Of several ways the one that keeps data. Names come by their parts: an identity may hold anything, ` on ` included. */
function letGo(dependent: Dependent): string {
  const { type, identity, relationKind, isPartition, isGenerated, on, otherRoles, names, args } = dependent;
  // Of a part of a table: schema, table, part.
  const table = qualified(names.slice(0, -1));
  const part = qualified(names.slice(-1));
  switch (type) {
    case 'table column':
      return `ALTER TABLE ${table} ALTER COLUMN ${part} TYPE text USING ${part}::text`;
    case 'foreign table column':
      return `ALTER FOREIGN TABLE ${table} ALTER COLUMN ${part} TYPE text`;
    case 'composite type column':
      return `ALTER TYPE ${table} ALTER ATTRIBUTE ${part} TYPE text`;
    case 'table constraint':
      return `ALTER TABLE ${table} DROP CONSTRAINT ${part}`;
    case 'domain constraint':
      return `ALTER DOMAIN ${qualified(names)} DROP CONSTRAINT ${qualified(args)}`;
    case 'default value':
      return `ALTER TABLE ${table} ALTER COLUMN ${part} DROP ${isGenerated ? 'EXPRESSION' : 'DEFAULT'}`;
    case 'policy':
      if (otherRoles !== null) return `ALTER POLICY ${part} ON ${table} TO ${otherRoles}`;
      return `DROP POLICY ${part} ON ${table}`;
    case 'trigger':
    case 'rule':
      return `DROP ${type.toUpperCase()} ${part} ON ${table}`;
    case 'user mapping':
      return `DROP USER MAPPING FOR ${qualified(names)} SERVER ${qualified(args)}`;
    case 'foreign-data wrapper':
      return `DROP FOREIGN DATA WRAPPER ${identity}`;
    case 'statistics object':
      return `DROP STATISTICS ${identity}`;
    case 'operator of access method':
    case 'function of access method':
      // Access method, schema, family, number.
      return `DROP OPERATOR FAMILY ${qualified(names.slice(1, 3))} USING ${qualified(names.slice(0, 1))}`;
    case 'publication relation':
      return `ALTER PUBLICATION ${qualified(args)} DROP TABLE ${qualified(names)}`;
    case 'publication namespace':
      return `ALTER PUBLICATION ${qualified(args)} DROP TABLES IN SCHEMA ${qualified(names)}`;
    case 'table':
    case 'foreign table': {
      if (on.startsWith('type ')) return `ALTER TABLE ${identity} NOT OF`;
      // Another schema that belongs to the role.
      if (on.startsWith('schema ')) return `ALTER ${type.toUpperCase()} ${identity} SET SCHEMA public`;
      // A foreign table stays, of another server's data.
      if (on.startsWith('server ')) return `DROP FOREIGN TABLE ${identity}`;
      const parent = on.replace(/^(foreign )?table /, '');
      return isPartition
        ? `ALTER TABLE ${parent} DETACH PARTITION ${identity}`
        : `ALTER TABLE ${identity} NO INHERIT ${parent}`;
    }
    default:
      return `DROP ${relationKind === 'i' || relationKind === 'I' ? 'INDEX' : type.toUpperCase()} ${identity}`;
  }
}

/** Parts that are quoted already. */
function qualified(parts: readonly string[]): string {
  return parts.join('.');
}
