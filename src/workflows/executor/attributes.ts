import { upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttribute } from '../../contracts/ids.ts';
import type { OperationPlan } from '../../contracts/messages.ts';
import type { TenantStatus } from '../../contracts/tenant-status.ts';

/** Makes the run findable by its tenant: once, after the claim. */
export function showTenant(plan: OperationPlan): void {
  upsertSearchAttributes([
    attribute('TenantId', plan.tenantId),
    attribute('TenantSlug', plan.slug),
    attribute('Product', plan.product),
    ...(plan.tier === null ? [] : [attribute('Tier', plan.tier)]),
    attribute('Operation', plan.type),
    attribute('TenantStatus', plan.tenantStatus),
  ]);
}

/** On changes only: every upsert is a billable action. */
export function showTenantStatus(status: TenantStatus): void {
  upsertSearchAttributes([attribute('TenantStatus', status)]);
}

function attribute(name: SearchAttribute, value: string) {
  return { key: defineSearchAttributeKey(name, 'KEYWORD'), value };
}
