import { randomUUID } from 'node:crypto';
import { createObjectSink, writePlain, type SinkSettings } from '../archives/object-sink.ts';
import { removeFiles } from '../archives/files.ts';
import type { Manifest } from '../archives/manifest.ts';
import { filesOf, type Dump } from '../contracts/dump.ts';
import type { Residue } from '../contracts/messages.ts';
import type { Archive } from '../contracts/platform.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { StepError } from '../contracts/step-error.ts';
import {
  discardArchive,
  insertArchive,
  listAttempts,
  manifestKey,
  recordKept,
  recordNothing,
  type ArchiveRow,
  type Kept,
  type NewArchive,
} from '../db/archives.ts';
import { retryWhileDatabaseDown } from './database-retry.ts';
import { revoked } from './revocation.ts';
import { onBehalfOf, type StepRun } from './step-run.ts';

/**
 * Stores what a step holds before a deletion drops it, once: attempts after the one that is whole leave it as it is, since the removal
 * may have begun. Those before it that came to nothing are removed.
 * @throws StepError DUMP_FAILED, and whatever writing it fails with: nothing is dropped then
 */
export async function keepFinalDump(run: StepRun): Promise<readonly Residue[]> {
  const archive = archiveFor(run);
  if (!archive) return [];
  const { deps, key, retryLimit } = run;
  const listed = () => retryWhileDatabaseDown(retryLimit, () => listAttempts(deps.database, key));
  const attempts = await listed();
  if (attempts.some(({ state }) => state === 'kept' || state === 'nothing')) return residuesOf(attempts);
  await onBehalfOf(run, async () => {
    for (const one of attempts) {
      if (!(await retryWhileDatabaseDown(retryLimit, () => discardArchive(deps.database, one.id)))) continue;
      await removeFiles(run.context.aws.objects, one);
    }
    await writeDump(run, archive);
  });
  return residuesOf(await listed());
}

function residuesOf(attempts: readonly ArchiveRow[]): Residue[] {
  return attempts
    .filter(({ state }) => state === 'kept')
    .map(({ prefix, bucket, expiresAt }) => ({
      ...{ type: 's3:archive', name: prefix, reason: `the final dump, in bucket ${bucket}` },
      expiresAt: expiresAt?.toISOString() ?? null,
    }));
}

const DAY_MS = 86_400_000;

/**
 * Undefined: none is owed. A tenant that was never active has no data but what others may have made.
 * @throws StepError DUMP_FAILED when it can be stored nowhere
 */
function archiveFor({ deps, kind, context, operationContext, key }: StepRun): Archive | undefined {
  const { target } = operationTable[operationContext.operationType];
  if (!kind.holdsData || target !== 'nothing') return undefined;
  if (!context.tenant.everActive && !deps.kinds.isRemovedAgain(kind.name)) return undefined;
  const { archive } = context.cell;
  if (archive || operationContext.finalDump === null) return archive;
  throw new StepError(
    'DUMP_FAILED',
    `step "${key.stepId}" is not dropped: a final dump was promised when the deletion was accepted, and cell "${context.cell.id}" has no archive ` +
      'any more. Give it back in the platform description and restart the workers; or abandon the operation and delete the tenant without a dump',
  );
}

async function writeDump(run: StepRun, archive: Archive): Promise<void> {
  const { context, deps, key, kind, operationContext, retryLimit, signal } = run;
  const { tenant, installationId, tags, aws } = context;
  const id = randomUUID();
  const { bucket, kmsKeyArn } = archive;
  const exported = operationContext.finalDump === 'export';
  const path = [installationId, tenant.product, tenant.id, key.operationId, key.stepId.replaceAll(':', '/'), id];
  const row: NewArchive = {
    ...key,
    id,
    kind: kind.name,
    bucket,
    exported,
    prefix: `${archive.prefix ?? ''}${path.join('/')}/`,
  };
  await retryWhileDatabaseDown(retryLimit, () => insertArchive(deps.database, row));
  const expires = new Date(Date.now() + archive.retentionDays * DAY_MS).toISOString();
  const settings: SinkSettings = {
    bucket,
    prefix: row.prefix,
    kmsKeyArn,
    tags: { ...tags, 'tenantry:expires-after': expires },
    signal,
  };
  const sink = createObjectSink(aws.objects, settings);
  const contents = kind.dump ? await kind.dump(context, sink) : { nothing: `kind ${kind.name} has no dump` };
  if (!contents || 'nothing' in contents) {
    const reason = contents?.nothing ?? 'there was no data of it';
    if (await retryWhileDatabaseDown(retryLimit, () => recordNothing(deps.database, id, reason))) return;
    throw revoked(key);
  }
  const manifest = manifestOf(run, exported, contents);
  const written = await writePlain(aws.objects, settings, 'manifest.json', JSON.stringify(manifest, undefined, 2));
  const kept = { ...sizesOf(contents), manifestSha256: written.sha256, retentionDays: archive.retentionDays };
  const isKept = await retryWhileDatabaseDown(retryLimit, () =>
    deps.database.transaction((tx) => recordKept(tx, id, kept)),
  );
  if (!isKept) throw revoked(key);
  context.log.info(
    { operationId: key.operationId, bucket, manifest: manifestKey(row), ...kept },
    'the final dump is kept',
  );
}

function manifestOf({ context, key, kind }: StepRun, exported: boolean, contents: Dump): Manifest {
  const { tenant, installationId } = context;
  const about = {
    ...{ manifest: 'tenantry-dump' as const, installationId },
    tenant: { tenantId: tenant.id, product: tenant.product, slug: tenant.slug },
    ...{ operationId: key.operationId, stepId: key.stepId, kind: kind.name, cell: key.cell, exported },
  };
  return contents.format === 'postgres-schema'
    ? { ...about, version: 1, contents }
    : { ...about, version: 2, contents };
}

function sizesOf(dump: Dump): Omit<Kept, 'manifestSha256' | 'retentionDays'> {
  const files = filesOf(dump);
  const rows: readonly { readonly rows: number }[] = dump.tables;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    files: files.length,
    bytes: sum(files.map(({ bytes }) => bytes)),
    tables: dump.tables.length,
    rows: sum(rows.map((table) => table.rows)),
  };
}
