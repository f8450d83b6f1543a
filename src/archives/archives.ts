import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import type { CellAws } from '../aws/cell-aws.ts';
import type { Platform } from '../contracts/platform.ts';
import { findArchive, listArchives, manifestKey, type ArchiveRow } from '../db/archives.ts';
import type { Database } from '../db/database.ts';
import { loadDump, type Loaded, type ReadDumpFile } from '../db/tenant-dump/load.ts';
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
  /** @param from id of an archive, or `s3://bucket/key` of a manifest. @throws ArchiveNotFoundError, LoadError, StepError */
  load(from: string, target: LoadTarget, cell?: string): Promise<Loaded>;
  /** A URL for each of its files, the manifest first. @throws ArchiveNotFoundError, ArchiveRefusedError */
  urls(id: string, expiresInS: number): Promise<{ readonly name: string; readonly url: string }[]>;
  close(): Promise<void>;
}

export interface LoadTarget {
  /** URL of the database. */
  readonly database: string;
  readonly schema: string;
}

export interface ArchivesDeps {
  readonly database: Database;
  readonly platform: Platform;
  readonly aws: (cellId: string) => Pick<CellAws, 'objects'>;
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
    async load(from, target, cell = platform.cells[0]?.id ?? '') {
      const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(from) ?? [];
      if (bucket === undefined || key === undefined) return loadFrom(await sourceOf(await found(from)), target);
      return loadFrom(await inBucket(aws(cell).objects, bucket, key, null), target);
    },
    async urls(id, expiresInS) {
      const row = await found(id);
      const { manifest } = await sourceOf(row);
      if (!row.exported)
        throw new ArchiveRefusedError(`archive ${id} is not to be handed out: its deletion was not asked to export it`);
      const { beforeData, afterData, tables } = manifest.contents;
      const names = ['manifest.json', ...[beforeData, ...tables, afterData].map(({ name }) => name)];
      const { objects } = aws(row.cell);
      const urlOf = (name: string) => objects.urlOf({ bucket: row.bucket, key: row.prefix + name }, expiresInS);
      return Promise.all(names.map(async (name) => ({ name, url: await urlOf(name) })));
    },
  };
}

function isId(text: string): boolean {
  return z.uuid().safeParse(text).success;
}

/** Loads a dump whose files lie in a folder, as they were handed out. @param file the manifest */
export function loadFromFolder(file: string, target: LoadTarget): Promise<Loaded> {
  const manifest = parse(readFileSync(file, 'utf8'), file);
  return loadFrom({ manifest, read: (name) => Promise.resolve(createReadStream(join(dirname(file), name))) }, target);
}

function loadFrom({ manifest, read }: Source, { database, schema }: LoadTarget): Promise<Loaded> {
  return loadDump(database, manifest.contents, read, schema);
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
