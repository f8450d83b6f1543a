import { LONGEST_LATENESS_MS } from '../contracts/verbs.ts';
import type { LostOperation, SweptItem } from '../contracts/sweep.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import type { LedgerEntry, SweptAllocation, SweptTenant } from '../db/sweep-ledger.ts';
import { ownerIn } from '../naming.ts';
import { fingerprintOf, type Draft } from './identity.ts';
import { isLiving, sweptNameOf } from './ledger-view.ts';

/* The direction from the ledger to what exists. All pure. */

export interface LedgerLook {
  readonly cell: string;
  /** Rows not removed, as they were before the inventory and after it. */
  readonly before: readonly LedgerEntry[];
  readonly after: readonly LedgerEntry[];
  readonly tenants: ReadonlyMap<string, SweptTenant>;
  readonly items: readonly SweptItem[];
  /** Types whose listing was whole. */
  readonly listed: ReadonlySet<string>;
  readonly now: Date;
  readonly kinds: KindRegistry;
}

/** A row of the ledger that nothing in the inventory answers to. */
export interface Absence {
  readonly entry: LedgerEntry;
  readonly draft: Draft;
}

/**
 * What the ledger says is there and is not; to be confirmed by a look at the thing itself, as lists may be stale. A tenant with an
 * open operation is left out: its steps look for themselves.
 */
export function findAbsences({ cell, before, after, tenants, items, kinds, listed, now }: LedgerLook): Absence[] {
  const unchanged = new Map(before.map((entry) => [entry.id, entry]));
  const there = new Set(
    items.flatMap((item) => [`${item.type}|${item.name}`, `id|${item.physicalId}`].map(keyOf(item))),
  );
  return after.flatMap((entry) => {
    const { type, name } = sweptNameOf(kinds, entry);
    const earlier = unchanged.get(entry.id);
    const tenant = tenants.get(entry.tenantId);
    if (entry.cell !== cell || !listed.has(type)) return [];
    if (entry.state !== 'present' && entry.state !== 'ready') return [];
    if (earlier?.state !== entry.state || earlier.updatedAt.getTime() !== entry.updatedAt.getTime()) return [];
    if (!tenant || tenant.openOperationId !== null) return [];
    if (now.getTime() - entry.updatedAt.getTime() < LONGEST_LATENESS_MS) return [];
    // A thing of the tenant's own under the name stands in; one that was not looked at is what its id says.
    const id = entry.physicalId === null ? `${type}|${name}` : `id|${entry.physicalId}`;
    const isThere = [`${type}|${name}`, id].some((key) => there.has(`${entry.tenantId} ${key}`));
    if (isThere || there.has(`unread ${id}`)) return [];
    return [{ entry, draft: missingDraft(entry, tenant) }];
  });
}

/** Of whom the thing is: an unread one is the ledger's own; one that is going is not there any more. */
function keyOf(item: SweptItem): (key: string) => string {
  if (item.tags === undefined) return (key) => `unread ${key}`;
  const owner = item.passing === undefined ? (ownerIn(item.tags).tenantId ?? 'nobody') : 'passing';
  return (key) => `${owner} ${key}`;
}

function missingDraft(entry: LedgerEntry, tenant: SweptTenant): Draft {
  return {
    class: 'missing',
    ...described(entry),
    why: `the ledger says that it is ${entry.state} since ${entry.updatedAt.toISOString()} (tenant ${tenant.slug}, ${tenant.status}), but nothing of this tenant's is there`,
    remedy: tenant.lastFailureCode === 'DATABASE_BEHIND' ? databaseIsBehind : missingRemedy(tenant),
    fingerprint: fingerprintOf([entry.state, entry.updatedAt]),
    removable: false,
  };
}

function missingRemedy(tenant: SweptTenant): string {
  const cause = 'somebody took it away, or its mark';
  return isLiving(tenant)
    ? `${cause}: tenantry tenants repair ${tenant.id}; data comes back from a backup only (docs/backup.md)`
    : `${cause}: tenantry tenants delete ${tenant.id} --confirm ${tenant.slug}`;
}

/** Rows that a closed or stuck operation left: not the sweep's to take, but nobody shall forget them. */
export function leftEntries({ cell, after, tenants }: Pick<LedgerLook, 'cell' | 'after' | 'tenants'>): Draft[] {
  return after.flatMap((entry) => {
    const tenant = tenants.get(entry.tenantId);
    if (entry.cell !== cell || !tenant) return [];
    const isStuck = tenant.openOperationState === 'stuck';
    if (!isStuck && (tenant.openOperationId !== null || isLiving(tenant))) return [];
    const how = isStuck
      ? `operation ${tenant.openOperationId ?? ''} is stuck`
      : `its last operation is ${tenant.lastOperationState ?? 'unknown'}, the tenant ${tenant.status}`;
    const reason = entry.failure ? `; ${entry.failure.code}: ${entry.failure.message}` : '';
    return [
      {
        class: 'left' as const,
        ...described(entry),
        why: `the ledger holds it as ${entry.state} for tenant ${tenant.slug}, and ${how}${reason}`,
        remedy: leftRemedy(tenant, isStuck),
        fingerprint: fingerprintOf([entry.state, entry.updatedAt]),
        removable: false,
      },
    ];
  });
}

function leftRemedy({ id, slug, lastFailureCode }: SweptTenant, isStuck: boolean): string {
  if (lastFailureCode === 'DATABASE_BEHIND') return databaseIsBehind;
  return isStuck ? `tenantry tenants retry ${id}` : `tenantry tenants delete ${id} --confirm ${slug}`;
}

const databaseIsBehind =
  'the tenant may be live: look at its address, remove nothing, and go on as docs/backup.md says after a restore';

function described(entry: LedgerEntry) {
  return {
    type: entry.type,
    physicalId: entry.physicalId ?? entry.name,
    name: entry.name,
    owner: { tenantId: entry.tenantId, operationId: entry.operationId, stepId: entry.stepId },
  };
}

/** Operations that nobody is at any more. */
export function lostRunDraft(lost: LostOperation): Draft {
  return {
    class: 'lost-run',
    type: 'operation',
    physicalId: lost.operationId,
    name: lost.workflowId,
    owner: { tenantId: lost.tenantId, product: lost.product, operationId: lost.operationId },
    why: lost.why,
    remedy:
      lost.obstacle === undefined
        ? `approve this report, or: tenantry tenants retry ${lost.tenantId}`
        : `${databaseIsBehind}; no run may finish it: ${lost.obstacle}`,
    fingerprint: lostRunFingerprint(lost),
    removable: lost.obstacle === undefined,
  };
}

/** Without its state: a worker marks it stuck, and it is the same lost run. */
export function lostRunFingerprint({ operationId, runId }: Pick<LostOperation, 'operationId' | 'runId'>): string {
  return fingerprintOf([operationId, runId]);
}

/** Why nobody holds a place any more; undefined when somebody may. */
export function staleness(held: SweptAllocation, taken: ReadonlyMap<string, ReadonlySet<number>>): string | undefined {
  if (held.tenantId === null) {
    const priorities = taken.get(held.scope);
    if (held.kind !== 'rule-priority' || !priorities || priorities.has(Number(held.key))) return undefined;
    return `a foreign rule was seen at priority ${held.key} of ${held.scope}; no rule is there now`;
  }
  if (held.tenantStatus !== 'deleted' || held.tenantHasRows) return undefined;
  return `it is held for tenant ${held.tenantId}, which is deleted, with nothing left in the ledger`;
}

export function staleAllocationDraft(held: SweptAllocation, why: string): Draft {
  return {
    class: 'stale-allocation',
    type: 'allocation',
    physicalId: String(held.id),
    name: `${held.kind} ${held.key}`,
    owner: held.tenantId === null ? {} : { tenantId: held.tenantId },
    why,
    remedy: 'approve this report: the sweep looks again and frees it',
    fingerprint: allocationFingerprint(held),
    removable: true,
  };
}

export function allocationFingerprint(held: SweptAllocation): string {
  return fingerprintOf([held.id, held.kind, held.scope, held.key, held.tenantId]);
}
