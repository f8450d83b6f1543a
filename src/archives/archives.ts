import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { inCallContext } from '../aws/call-context.ts';
import type { CellAws } from '../aws/cell-aws.ts';
import { filesOf } from '../contracts/dump.ts';
import type { Platform } from '../contracts/platform.ts';
import { findArchive, listArchives, manifestKey, type ArchiveRow } from '../db/archives.ts';
import type { Database } from '../db/database.ts';
import { loadDump, LoadError, type Loaded, type ReadDumpFile } from '../db/tenant-dump/load.ts';
import { loadRows, type LoadedRows, type TableTarget } from './load-rows.ts';
import { manifestSchema, type Manifest } from './manifest.ts';

/** No such archive, or nothing of it is left. */
export class ArchiveNotFoundError extends Error {
  override readonly name = 'ArchiveNotFoundError';
}

/** It is there, and this is not done with it. */
export class ArchiveRefusedError extends Error {
  override readonly name = 'ArchiveRefusedError';
}

/** The archives of an installation, for a command. */
export interface Archives {
  /** Newest first. @throws ArchiveNotFoundError */
  list(tenantId: string | undefined, limit: number): Promise<ArchiveRow[]>;
  /** With its manifest, where it is kept. @throws ArchiveNotFoundError, StepError */
  show(id: string): Promise<{ readonly archive: ArchiveRow; readonly manifest: Manifest | null }>;
  /**
   * A schema into a database, or rows into a table of a cell.
   * @param from id of an archive, `s3://bucket/key` of a manifest, or of rows the path of a manifest
   * @param cell default: the archive's own, or the first
   * @throws ArchiveNotFoundError, ArchiveRefusedError, LoadError, StepError
   */
  load(from: string, target: SchemaTarget, cell?: string): Promise<Loaded>;
  loadRows(from: string, target: TableTarget, cell?: string): Promise<LoadedRows>;
  /** A URL for each of its files, the manifest first. @throws ArchiveNotFoundError, ArchiveRefusedError */
  urls(id: string, expiresInS: number): Promise<{ readonly name: string; readonly url: string }[]>;
  close(): Promise<void>;
}

export interface SchemaTarget {
  /** URL of the database. */
  readonly database: string;
  readonly schema: string;
}

export interface ArchivesDeps {
  readonly database: Database;
  readonly platform: Platform;
  readonly aws: (cellId: string) => Pick<CellAws, 'objects' | 'partitions'>;
}

/** Where a dump's files are read. */
interface Source {
  readonly manifest: Manifest;
  readonly read: ReadDumpFile;
}

export function createArchives({ database, platform, aws }: ArchivesDeps): Omit<Archives, 'close'> {
  const found = async (id: string): Promise<ArchiveRow> => {
    const row = isId(id) ? await findArchive(database, id) : undefined;
    if (!row) throw new ArchiveNotFoundError(`there is no archive ${id}: \`tenantry archives list\` shows all`);
    return row;
  };
  const sourceOf = (row: ArchiveRow): Promise<Source> => {
    if (row.state !== 'kept')
      throw new ArchiveNotFoundError(`nothing of archive ${row.id} is kept: it is ${row.state}`);
    return inBucket(aws(row.cell).objects, row.bucket, manifestKey(row), row.manifestSha256);
  };
  const opened = async (from: string, cell?: string): Promise<{ source: Source; cellId: string }> => {
    const cellId = cell ?? platform.cells[0]?.id ?? '';
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(from) ?? [];
    if (bucket !== undefined && key !== undefined)
      return { source: await inBucket(aws(cellId).objects, bucket, key, null), cellId };
    if (existsSync(from)) return { source: inFolder(from), cellId };
    const row = await found(from);
    return { source: await sourceOf(row), cellId: cell ?? row.cell };
  };
  return {
    async list(tenantId, limit) {
      if (tenantId !== undefined && !isId(tenantId))
        throw new ArchiveNotFoundError(`${tenantId} is not the id of a tenant: \`tenantry tenants show\` tells it`);
      return listArchives(database, tenantId ?? null, limit);
    },
    async show(id) {
      const archive = await found(id);
      return { archive, manifest: archive.state === 'kept' ? (await sourceOf(archive)).manifest : null };
    },
    async load(from, target, cell) {
      return loadSchema((await opened(from, cell)).source, target);
    },
    async loadRows(from, target, cell) {
      const { source, cellId } = await opened(from, cell);
      const { contents } = source.manifest;
      if (contents.format !== 'dynamodb-rows')
        throw new LoadError('the dump is of a schema of PostgreSQL: name --database and --schema');
      const context = { beforeMutation: () => Promise.resolve(), signal: new AbortController().signal };
      return inCallContext(context, () => loadRows(aws(cellId).partitions, contents, source.read, target));
    },
    async urls(id, expiresInS) {
      const row = await found(id);
      const { manifest } = await sourceOf(row);
      if (!row.exported)
        throw new ArchiveRefusedError(`archive ${id} is not to be handed out: its deletion was not asked to export it`);
      const names = ['manifest.json', ...filesOf(manifest.contents).map(({ name }) => name)];
      const { objects } = aws(row.cell);
      const urlOf = (name: string) => objects.urlOf({ bucket: row.bucket, key: row.prefix + name }, expiresInS);
      return Promise.all(names.map(async (name) => ({ name, url: await urlOf(name) })));
    },
  };
}

function isId(text: string): boolean {
  return z.uuid().safeParse(text).success;
}

/** Loads a schema whose dump's files lie in a folder, as they were handed out. @param file the manifest */
export function loadFromFolder(file: string, target: SchemaTarget): Promise<Loaded> {
  return loadSchema(inFolder(file), target);
}

function inFolder(file: string): Source {
  const manifest = parse(readFileSync(file, 'utf8'), file);
  return { manifest, read: (name) => Promise.resolve(createReadStream(join(dirname(file), name))) };
}

async function loadSchema(
  { manifest: { contents }, read }: Source,
  { database, schema }: SchemaTarget,
): Promise<Loaded> {
  if (contents.format === 'postgres-schema') return loadDump(database, contents, read, schema);
  throw new LoadError('the dump holds rows of DynamoDB: name --table');
}

/** @param sha256 that the manifest has to have; null: not known */
async function inBucket(
  objects: CellAws['objects'],
  bucket: string,
  key: string,
  sha256: string | null,
): Promise<Source> {
  const content = await buffer(await objects.read({ bucket, key }));
  if (sha256 !== null && createHash('sha256').update(content).digest('hex') !== sha256)
    throw new ArchiveRefusedError(`s3://${bucket}/${key} is not the manifest that was written (checksum)`);
  const prefix = key.slice(0, key.lastIndexOf('/') + 1);
  return {
    manifest: parse(content.toString('utf8'), `s3://${bucket}/${key}`),
    read: (name) => objects.read({ bucket, key: prefix + name }),
  };
}

/** @throws ArchiveRefusedError */
function parse(text: string, where: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ArchiveRefusedError(`${where} is no manifest of a dump that this release can read`, { cause });
  }
}
