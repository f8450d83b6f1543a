import type { Queryable } from '../db/database.ts';
import { listDriftFindings, listDriftLooks, type DriftFindingRow, type DriftLookRow } from '../db/drift.ts';
import type { DriftFindingView, DriftView, TenantDriftView } from './views.ts';

/** Of each of these tenants; those that nobody looked at are left out. */
export async function driftOf(db: Queryable, tenantIds: readonly string[]): Promise<ReadonlyMap<string, DriftView>> {
  const looks = await listDriftLooks(db, tenantIds);
  return new Map(looks.map((look) => [look.tenantId, driftView(look)]));
}

/** What the last look at a tenant saw. */
export async function driftDetails(db: Queryable, tenantId: string): Promise<TenantDriftView> {
  const [look] = await listDriftLooks(db, [tenantId]);
  const findings = await listDriftFindings(db, tenantId);
  return {
    tenantId,
    drift: look ? driftView(look) : null,
    findings: findings.map(findingView),
    unseen: look?.unseen ?? [],
  };
}

function driftView({ findings, isOutdated, lookedAt, outcome, since }: DriftLookRow): DriftView {
  const state = isOutdated ? 'unknown' : outcome;
  return { state, findings, since: since?.toISOString() ?? null, lookedAt: lookedAt.toISOString() };
}

function findingView({ firstSeenAt, lastSeenAt, tenantId: _, ...finding }: DriftFindingRow): DriftFindingView {
  return { ...finding, firstSeenAt: firstSeenAt.toISOString(), lastSeenAt: lastSeenAt.toISOString() };
}
