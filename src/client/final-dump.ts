import type { Catalog } from '../catalog/catalog.ts';
import type { Certificate } from '../contracts/certificate.ts';
import type { FinalDumpOwed } from '../contracts/final-dump.ts';
import type { Platform } from '../contracts/platform.ts';
import { listArchivesOf, manifestKey, type ArchiveRow } from '../db/archives.ts';
import type { Queryable } from '../db/database.ts';
import { listSteps, type StepRow } from '../db/steps.ts';
import type { TenantRow } from '../db/tenants.ts';
import { nounOf } from '../products/known-product.ts';
import { invalid } from './invalid-input.ts';
import type { FinalDumpView } from './views.ts';

type Deps = { readonly platform: Platform; readonly catalog: Catalog };

/** What a deletion of a tenant would keep of its data, and why, if not. */
export async function finalDumpOf(
  { platform, catalog }: Deps,
  db: Queryable,
  tenant: TenantRow,
  exported: boolean,
): Promise<FinalDumpView> {
  const none = (why: string): FinalDumpView => ({
    kept: false,
    detail: why,
    bucket: null,
    retentionDays: null,
    export: false,
  });
  const noun = nounOf(catalog.products, tenant);
  const wasActive = tenant.activatedAt !== null;
  const kindOf = (name: string) => catalog.kinds.kinds.get(name);
  const isHeld = ({ kind, state }: StepRow) => {
    const [isThere, isAgain] = [state !== 'removed', catalog.kinds.isRemovedAgain(kind)];
    return kindOf(kind)?.holdsData === true && (wasActive ? isThere || isAgain : isThere && isAgain);
  };
  const held = (await listSteps(db, tenant.id)).filter(isHeld);
  const archive = platform.cells.find(({ id }) => id === tenant.cell)?.archive;
  if (!wasActive && (held.length === 0 || !archive))
    return none(`no final dump: the ${noun} was never active, so it never held live data`);
  if (held.length === 0) return none(`no final dump: no step of the ${noun} holds data`);
  if (!archive)
    return none(
      `NO final dump: cell ${tenant.cell} has no archive in the platform description; the data is gone for good`,
    );
  const dumped = held.filter(({ kind }) => typeof kindOf(kind)?.dump === 'function');
  if (dumped.length === 0) return none(`NO final dump: ${sentence(held)} cannot be dumped; the data is gone for good`);
  const { bucket, retentionDays } = archive;
  const onlyOf = (kind: string) => kindOf(kind)?.dumpsOnly;
  const lost = held.filter((step) => !dumped.includes(step));
  const rest = lost.length === 0 ? '' : `; NOT dumped, and gone for good: ${sentence(lost)}`;
  return {
    ...{ kept: true, bucket, retentionDays, export: exported },
    detail: `a final dump of ${sentence(dumped, onlyOf)} is kept in bucket ${bucket} for ${retentionDays} days${exported ? ', and may be handed out' : ''}${rest}`,
  };
}

/** @param onlyOf what alone of a step of a kind is meant */
function sentence(
  steps: readonly { readonly stepId: string; readonly kind: string }[],
  onlyOf: (kind: string) => string | undefined = () => undefined,
): string {
  return steps
    .map(({ stepId, kind }) => {
      const only = onlyOf(kind);
      return `${stepId} (${kind}${only === undefined ? '' : `: ${only} only`})`;
    })
    .join(', ');
}

/** What the operation has to keep of it. @throws RequestError INVALID_INPUT when an export was asked for and none can be made */
export function owedOf({ kept, detail }: FinalDumpView, exported: boolean): FinalDumpOwed | undefined {
  if (kept) return exported ? 'export' : 'dump';
  if (exported) throw invalid([{ field: 'querystring.export', problem: `nothing can be exported: ${detail}` }]);
  return undefined;
}

type CertifiedDump = NonNullable<Certificate['finalDumps']>[number];

/** What was kept of each step that held data, by the records of it. */
export async function certifiedDumps(
  db: Queryable,
  tenant: TenantRow,
): Promise<Pick<Certificate, 'finalDumps' | 'finalDump'>> {
  const rows = await listArchivesOf(db, tenant.id);
  const kept = rows.filter(({ manifestSha256 }) => manifestSha256 !== null);
  return {
    finalDumps: rows.map(certified),
    finalDump: {
      kept: kept.length > 0,
      why:
        kept.length > 0
          ? null
          : tenant.activatedAt === null
            ? 'the tenant was never active, so it never held live data'
            : (rows[0]?.reason ?? 'its cell had no archive when the deletion was accepted'),
    },
  };
}

function certified(row: ArchiveRow): CertifiedDump {
  const { stepId, kind, manifestSha256, bucket, reason } = row;
  if (manifestSha256 === null) return { stepId, kind, kept: false, why: reason ?? 'there was nothing' };
  return {
    ...{ stepId, kind, kept: true, bucket, manifest: manifestKey(row), manifestSha256, exported: row.exported },
    ...{ bytes: row.bytes ?? 0, tables: row.tables ?? 0, rows: row.rows ?? 0 },
    keptAt: row.endedAt?.toISOString() ?? row.startedAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
  };
}
