import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { DumpedTable, SchemaDump } from '../../contracts/dump.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { Removal } from '../tenant-schema-contents.ts';
import {
  listDefinitions,
  listExtensions,
  listFilled,
  listFinishing,
  listNeeds,
  listParents,
  listSequenceValues,
  listTablesToCopy,
  listUndumped,
  type TableToCopy,
  type Undumped,
} from './catalog.ts';
import { ordered } from './order.ts';
import type { DumpSink } from './sink.ts';

/** The same text whatever the server's settings are; the empty search path makes PostgreSQL qualify every name. */
const settings = `set local search_path = '';
  set local row_security = off;
  set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local extra_float_digits = 3; set local timezone = 'UTC';
  set local bytea_output = 'hex'; set local xmloption = content; set local quote_all_identifiers = off;
  select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'`;

/**
 * Writes a schema with all its rows as one snapshot shows them, in memory that does not grow with it. Nothing is changed. After an error
 * the session is in the middle of something: it is to be closed.
 * @throws StepError DUMP_FAILED when data of the tenant would not be in it
 */
export async function dumpSchema(client: Client, removal: Removal, sink: DumpSink): Promise<SchemaDump> {
  await client.query('begin isolation level repeatable read read only');
  await client.query(settings);
  const taken = await client.query<{ at: Date; version: string }>(
    `select now() as at, current_setting('server_version') as version`,
  );
  const undumped = await listUndumped(client, removal);
  refuseUndumpedData(removal.name, undumped);
  const parts = await definitionsOf(client, removal.name);
  const notDumped = [...undumped, ...parts.circular];
  const beforeData = await sink.write('before-data.sql.gz', parts.before);
  const tables: DumpedTable[] = [];
  for (const [at, table] of (await listTablesToCopy(client, removal.name)).entries())
    tables.push(await copyTable(client, table, `data/${String(at + 1).padStart(4, '0')}.copy.gz`, sink));
  const afterData = await sink.write('after-data.sql.gz', parts.after);
  await client.query('commit');
  return {
    ...{ format: 'postgres-schema', schema: removal.name, serverVersion: taken.rows[0]?.version ?? 'unknown' },
    ...{ takenAt: (taken.rows[0]?.at ?? new Date()).toISOString(), extensions: parts.extensions },
    ...{ beforeData, afterData, tables },
    notDumped: notDumped.map(({ type, identity }) => ({ type, identity })),
  };
}

/** @throws StepError DUMP_FAILED */
function refuseUndumpedData(schema: string, undumped: readonly Undumped[]): void {
  const lost = undumped.filter(({ holdsData }) => holdsData).map(({ type, identity }) => `${type} ${identity}`);
  if (lost.length === 0) return;
  throw new StepError(
    'DUMP_FAILED',
    `schema "${schema}" is not dropped: its dump would lack ${lost.join(', ')}. Move that into tables of the schema, drop it, ` +
      'or let the owner see its rows (ALTER TABLE ... NO FORCE ROW LEVEL SECURITY)',
  );
}

interface Parts {
  readonly before: string;
  readonly after: string;
  readonly circular: readonly Pick<Undumped, 'type' | 'identity'>[];
  readonly extensions: readonly string[];
}

async function definitionsOf(client: Client, schema: string): Promise<Parts> {
  const definitions = await listDefinitions(client, schema);
  const { before, after, circular } = ordered(definitions, await listNeeds(client, schema));
  if (circular.some(({ sort }) => sort === 'table'))
    throw new StepError(
      'DUMP_FAILED',
      `tables of schema "${schema}" need each other in a circle that no statement makes`,
    );
  const filled = await listFilled(client, schema);
  const finishing = await listFinishing(client, schema);
  const refreshes = [...before, ...after].flatMap(({ key }) => filled.get(key) ?? []);
  return {
    before: script([...before.map(({ statement }) => statement), ...(await listParents(client, schema))]),
    after: script([
      ...after.map(({ statement }) => statement),
      ...finishing,
      ...(await listSequenceValues(client, schema)),
      ...refreshes,
    ]),
    circular: circular.map(({ sort, statement }) => ({ type: sort, identity: statement.slice(0, 120) })),
    extensions: await listExtensions(client),
  };
}

function script(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};\n`).join('\n');
}

async function copyTable(
  client: Client,
  { table, name, columns }: TableToCopy,
  file: string,
  sink: DumpSink,
): Promise<DumpedTable> {
  const list = columns.length === 0 ? '' : ` (${columns.join(', ')})`;
  const copy = copyTo(`copy ${table}${list} to stdout with (format text, encoding 'UTF8')`);
  const stored = await sink.write(file, client.query(copy));
  return { table: name, columns, rows: copy.rowCount, ...stored };
}
