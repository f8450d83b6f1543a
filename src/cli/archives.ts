import { existsSync } from 'node:fs';
import { CommanderError, type Command } from 'commander';
import type { Archives, SchemaTarget } from '../archives/archives.ts';
import type { TableTarget } from '../archives/load-rows.ts';
import { loadConfig } from '../config.ts';
import type { ArchiveRow } from '../db/archives.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { openedRunner, type FailureCodes } from './opened-command.ts';
import { wholeNumber } from './option-values.ts';
import { counted } from './text.ts';

const help = `
The final dump of a deleted tenant is kept in the archive of its cell until it expires (docs/backup.md). A schema is loaded into one that
does not exist yet or is empty, wholly or not at all; what it makes belongs to the owner of the schema, and rights are not restored. Rows of
DynamoDB are loaded into a table that is there (--table), unless that holds another row under the key of one of them.

Exit codes:
  0  done
  1  it was not loaded, nothing was changed; or AWS refused a call
  2  wrong usage or bad input
  3  no such archive, or nothing of it is left
  4  refused: its manifest is not the one that was written, or it is not to be handed out
  5  PostgreSQL cannot be reached`;

interface Common {
  readonly json?: boolean;
}

/** Where the commands get the archives from; other than the environment's: for programs that have them. */
export type ArchivesSource = () => Promise<Archives>;

/** `tenantry archives`: runs where the credentials are. */
export function registerArchives(program: Command, source: ArchivesSource = fromEnvironment): void {
  const run = openedRunner(source, codes);
  const archives = program
    .command('archives')
    .description('final dumps of deleted tenants: list them, load one, hand one out')
    .addHelpText('after', help);
  archives
    .command('list')
    .description('archives, newest first')
    .option('--tenant <id>', 'of this tenant only')
    .option('--limit <n>', 'at most this many', wholeNumber(1, 1_000), 100)
    .option('--json', 'one JSON document on stdout')
    .action((options: Common & { tenant?: string; limit: number }) => run((found) => list(found, options)));
  archives
    .command('show <archive>')
    .description('an archive with its manifest')
    .option('--json', 'one JSON document on stdout')
    .action((id: string, options: Common) => run((found) => show(found, id, options)));
  archives
    .command('load <archive>')
    .description(
      'restore a dump: <archive> is an id, s3://bucket/key of a manifest, or a manifest in a folder with its files',
    )
    .option('--database <url>', 'of a schema: PostgreSQL; leave its password out and set PGPASSWORD')
    .option('--schema <name>', 'with --database: that does not exist yet or is empty')
    .option('--table <name>', 'of rows: the table of DynamoDB that gets them')
    .option('--only <table>', 'with --table: those of this table, where the dump holds several')
    .option(
      '--cell <id>',
      "whose region and role are used (default: the archive's own; with s3:// or a file: the first)",
    )
    .option('--json', 'one JSON document on stdout')
    .action((from: string, options: LoadOptions) => loadAsAsked(run, from, options));
  archives
    .command('url <archive>')
    .description('URLs by which an exported dump can be downloaded without credentials')
    .option('--expires <minutes>', 'how long they work, at most', wholeNumber(1, 10_080), 60)
    .option('--json', 'one JSON document on stdout')
    .action((id: string, options: Common & { expires: number }) => run((found) => urls(found, id, options)));
}

type LoadOptions = Common & Partial<SchemaTarget & TableTarget> & { readonly cell?: string };
type Run = (action: (archives: Archives) => Promise<ExitCode>) => Promise<void>;

/** @throws CommanderError when it does not say into what */
function loadAsAsked(
  run: Run,
  from: string,
  { database, only, schema, table, ...options }: LoadOptions,
): Promise<void> {
  const isSchema = database !== undefined && schema !== undefined && table === undefined && only === undefined;
  if (isSchema) {
    const target = { database, schema };
    const act = (found: Pick<Archives, 'load'>) => load(found, from, target, options);
    return existsSync(from) ? folder(act) : run(act);
  }
  if (table === undefined || database !== undefined || schema !== undefined)
    throw new CommanderError(
      exitCodes.usage,
      'tenantry.usage',
      'name --database and --schema for a schema, or --table for rows of DynamoDB',
    );
  return run((found) => loadIntoTable(found, from, { table, only }, options));
}

async function fromEnvironment(): Promise<Archives> {
  const config = loadConfig('api');
  const { openArchives } = await import('../archives/open-archives.ts');
  return openArchives(config);
}

const codes: FailureCodes = {
  ArchiveNotFoundError: { code: 'ARCHIVE_NOT_FOUND', exitCode: exitCodes.notFound },
  ArchiveRefusedError: { code: 'ARCHIVE_REFUSED', exitCode: exitCodes.conflict },
  LoadError: { code: 'LOAD_FAILED', exitCode: exitCodes.failed },
  StepError: { code: 'ARCHIVE_FAILED', exitCode: exitCodes.failed },
  DatabaseUnavailableError: { code: 'DATABASE_UNAVAILABLE', exitCode: exitCodes.unavailable },
};

/** What is in a folder needs neither a database of ours nor AWS. */
const folder = openedRunner(async () => {
  const { loadFromFolder } = await import('../archives/archives.ts');
  return { load: loadFromFolder, close: () => Promise.resolve() };
}, codes);

async function list(
  archives: Archives,
  { tenant, limit, json }: Common & { tenant?: string; limit: number },
): Promise<ExitCode> {
  const found = await archives.list(tenant, limit);
  print(json, { archives: found }, () => found.map(archiveText).join('\n') || 'no archives');
  return exitCodes.done;
}

function archiveText({
  id,
  tenantId,
  stepId,
  state,
  bucket,
  prefix,
  bytes,
  rows,
  expiresAt,
  reason,
  exported,
}: ArchiveRow): string {
  const size = bytes === null ? '' : `, ${bytes} bytes, ${rows ?? 0} rows`;
  const until = state === 'kept' && expiresAt ? ` until ${expiresAt.toISOString()}` : '';
  const why = reason === null ? '' : `: ${reason}`;
  return `${id}  tenant ${tenantId}  ${stepId}  ${state}${until}${why}${size}${exported ? ', exported' : ''}  s3://${bucket}/${prefix}`;
}

async function show(archives: Archives, id: string, { json }: Common): Promise<ExitCode> {
  const found = await archives.show(id);
  print(json, found, () => `${archiveText(found.archive)}\n${JSON.stringify(found.manifest, undefined, 2)}`);
  return exitCodes.done;
}

type PlaceOptions = Pick<LoadOptions, 'cell' | 'json'>;

async function load(
  archives: Pick<Archives, 'load'>,
  from: string,
  target: SchemaTarget,
  { cell, json }: PlaceOptions,
): Promise<ExitCode> {
  const loaded = await archives.load(from, target, cell);
  print(
    json,
    loaded,
    () => `loaded into schema ${loaded.schema}: ${counted(loaded.tables, 'table')} with ${counted(loaded.rows, 'row')}`,
  );
  return exitCodes.done;
}

async function loadIntoTable(
  archives: Pick<Archives, 'loadRows'>,
  from: string,
  target: TableTarget,
  { cell, json }: PlaceOptions,
): Promise<ExitCode> {
  const loaded = await archives.loadRows(from, target, cell);
  print(json, loaded, () => `loaded into table ${loaded.table}: ${counted(loaded.rows, 'row')}`);
  return exitCodes.done;
}

async function urls(
  archives: Archives,
  id: string,
  { expires, json }: Common & { expires: number },
): Promise<ExitCode> {
  const files = await archives.urls(id, expires * 60);
  print(json, { files }, () => files.map(({ name, url }) => `${name}  ${url}`).join('\n'));
  return exitCodes.done;
}

function print(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value) : text());
}
