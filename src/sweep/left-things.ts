import type { SweptItem } from '../contracts/sweep.ts';
import type { SweptTenant } from '../db/sweep-ledger.ts';
import type { SweepRecords, Verdict } from './classification.ts';
import { fingerprintOf } from './identity.ts';
import { isLiving } from './ledger-view.ts';
import { tooRecentReason } from './too-recent.ts';

/*
 * Things that others make, without a mark: a step of their tenant removes them. What is there when no step does any more came late. Whose
 * one is, its name tells; that alone takes nothing away from anybody but a tenant of this ledger that is gone. All pure.
 */

export function verdictOnLeft(item: SweptItem, tenantId: string, around: SweepRecords): Verdict {
  const tenant = around.tenants.get(tenantId);
  // Another installation's, or nobody's.
  if (!tenant) return { is: 'foreign' };
  if (around.stepNames.has(item.name)) return { is: 'held' };
  if (tenant.cell !== around.cell && around.isListedIn(tenant.cell, item)) return { is: 'otherCells' };
  const young = tooRecentReason(item, tenant, around.now);
  if (young !== undefined) return { is: 'too-young', why: young };
  const obstacle = obstacleToLeft(item, tenantId, around);
  const remedy =
    obstacle === undefined
      ? 'approve this report: the sweep looks again and takes it away'
      : `look at it by hand; the sweep does not take it away: ${obstacle}`;
  const { name, physicalId, seen, type } = item;
  return {
    is: 'finding',
    draft: {
      ...{ class: 'leak', type, physicalId, name, owner: { tenantId }, remedy },
      why: `${countOf(seen)} of tenant ${tenant.slug} (${tenant.status}) are there, and no step of it removes them: written late, or by somebody past what serves it`,
      fingerprint: fingerprintOf(seen),
      removable: obstacle === undefined,
    },
  };
}

export function obstacleToLeft(item: SweptItem, tenantId: string, around: SweepRecords): string | undefined {
  const tenant = around.tenants.get(tenantId);
  if (!tenant) return 'the ledger does not know its tenant';
  if (around.stepNames.has(item.name)) return 'a step of its tenant will remove it';
  if (tenant.cell !== around.cell) return `its tenant lives in cell ${tenant.cell}`;
  if (tenant.openOperationId !== null) return `operation ${tenant.openOperationId} of its tenant is open`;
  return isGone(tenant)
    ? undefined
    : `its tenant is ${tenant.status}: bring over what is wanted, and delete it by hand`;
}

function isGone(tenant: SweptTenant): boolean {
  return !isLiving(tenant) && (tenant.status === 'deleted' || tenant.status === 'failed');
}

function countOf({ rows }: SweptItem['seen']): string {
  return typeof rows === 'number' ? `${rows} rows` : 'things';
}
