import { createHash } from 'node:crypto';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { newLoadClient } from '../tenant-sessions.ts';
import type { SchemaDump, StoredFile } from '../../contracts/dump.ts';

/** Reads the files of a dump, as they are stored. */
export type ReadDumpFile = (name: string) => Promise<Readable>;

/** A dump was not loaded, and nothing was changed. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

export interface Loaded {
  readonly schema: string;
  readonly tables: number;
  readonly rows: number;
}

const settings = `set local check_function_bodies = off;
  set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local timezone = 'UTC'; set local xmloption = content;
  set local standard_conforming_strings = on`;

/**
 * Loads a dump into a schema that does not exist yet or is empty, in one transaction. What it makes belongs to the schema's owner; rights
 * are not restored.
 * @param url of the database, as a role that may make the schema, or is a member of its owner
 * @throws LoadError
 */
export async function loadDump(url: string, dump: SchemaDump, read: ReadDumpFile, schema: string): Promise<Loaded> {
  const client = newLoadClient(url);
  try {
    await client.connect();
    await client.query(`begin; ${settings}`);
    await prepare(client, dump, schema);
    const source = client.escapeIdentifier(dump.schema);
    await client.query(`set local search_path = ${source}, public`);
    await client.query(await scriptOf(read, dump.beforeData));
    let rows = 0;
    for (const { columns, ...file } of dump.tables)
      rows += await loadTable(client, read, dump.schema, { columns, ...file });
    await client.query(await scriptOf(read, dump.afterData));
    await client.query('reset role');
    if (schema !== dump.schema)
      await client.query(`alter schema ${source} rename to ${client.escapeIdentifier(schema)}`);
    await client.query('commit');
    return { schema, tables: dump.tables.length, rows };
  } catch (error) {
    if (error instanceof LoadError) throw error;
    throw new LoadError(`the dump was not loaded, nothing was changed: ${wordsOf(error)}`, { cause: error });
  } finally {
    await client.end();
  }
}

/** The definitions name the schema as it was called: until the end it is called so again. @throws LoadError */
async function prepare(client: Client, { schema: source, extensions }: SchemaDump, target: string): Promise<void> {
  const { rows } = await client.query<{ name: string; owner: string; objects: number; mine: boolean }>(
    `select n.nspname::text as name, pg_get_userbyid(n.nspowner)::text as owner, n.nspowner = (select oid from pg_roles where rolname = current_user) as mine,
       (select count(*)::int from pg_depend d where d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid and d.deptype = 'n') as objects
     from pg_namespace n where n.nspname = any ($1)`,
    [[source, target]],
  );
  const there = rows.find(({ name }) => name === target);
  if (there && there.objects > 0) throw new LoadError(`schema "${target}" is not empty: nothing was loaded`);
  if (source !== target && rows.some(({ name }) => name === source))
    throw new LoadError(
      `the database has a schema "${source}", as which the dump's is made before it is renamed: load it elsewhere`,
    );
  const { rows: present } = await client.query<{ name: string }>('select extname::text as name from pg_extension');
  const lacking = extensions.filter((name) => !present.some((one) => one.name === name));
  if (lacking.length > 0)
    process.emitWarning(`the database of the dump had extensions that this one has not: ${lacking.join(', ')}`);
  const quoted = client.escapeIdentifier(source);
  if (!there) await client.query(`create schema ${quoted}`);
  else {
    if (source !== target) await client.query(`alter schema ${client.escapeIdentifier(target)} rename to ${quoted}`);
    if (!there.mine) await client.query(`set local role ${client.escapeIdentifier(there.owner)}`);
  }
}

async function loadTable(
  client: Client,
  read: ReadDumpFile,
  schema: string,
  { table, columns, rows, ...file }: SchemaDump['tables'][number],
): Promise<number> {
  const list = columns.length === 0 ? '' : ` (${columns.join(', ')})`;
  const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`;
  const copy = client.query(copyFrom(`copy ${name}${list} from stdin with (format text, encoding 'UTF8')`));
  await pipeline(await read(file.name), verified(file), createGunzip(), copy);
  if (copy.rowCount === rows) return rows;
  throw new LoadError(`table ${table} has ${copy.rowCount} rows of ${rows}: nothing was loaded`);
}

async function scriptOf(read: ReadDumpFile, file: StoredFile): Promise<string> {
  const gunzip = createGunzip();
  const [, script] = await Promise.all([pipeline(await read(file.name), verified(file), gunzip), text(gunzip)]);
  return script;
}

/** Lets through what has the checksum that its manifest says. */
export function verified({ name, sha256, bytes }: StoredFile): Transform {
  const hash = createHash('sha256');
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      const isSame = size === bytes && hash.digest('hex') === sha256;
      done(isSame ? null : new LoadError(`${name} is not what its manifest says (checksum): nothing was loaded`));
    },
  });
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where: unknown = Reflect.get(error, 'where');
  return typeof where === 'string' ? `${error.message} (${where})` : error.message;
}
