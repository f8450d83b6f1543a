import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../contracts/caller.ts';
import type { DriftFinding, DriftLook } from '../contracts/drift.ts';
import { findApplied } from '../db/blueprints.ts';
import { DatabaseUnavailableError } from '../db/database.ts';
import { findMoment, recordLook, type TenantMoment } from '../db/drift.ts';
import { findOperationContext } from '../db/steps.ts';
import { cellById } from '../platform.ts';
import { CONFIRM_AFTER_MS, type DriftDeps } from './dependencies.ts';
import { lookAtStep } from './look-at-step.ts';
import type { AppliedTenant } from './look-context.ts';
import { toConfirm, verdictOf, type Verdict } from './verdict.ts';

/** What the sweep found of a tenant; undefined: it did not sweep lately. */
export type SweptExtras = readonly DriftFinding[] | undefined;

export interface TenantLookRequest {
  readonly tenantId: string;
  readonly caller: Caller;
  readonly extrasOf: (tenantId: string) => SweptExtras;
  readonly signal: AbortSignal;
}

/** A look that was stored. */
export interface TenantLook extends DriftLook {
  /** Findings that no look before saw. */
  readonly appeared: readonly DriftFinding[];
}

/**
 * Looks at every step that was applied of a tenant, twice where something differs, and stores what both saw. It is void when an operation
 * is open before or after, because that changes what is looked at.
 * @throws DatabaseUnavailableError
 */
export async function lookAtTenant(
  deps: DriftDeps,
  { tenantId, caller, extrasOf, signal }: TenantLookRequest,
): Promise<TenantLook | undefined> {
  const moment = await findMoment(deps.database, tenantId);
  if (!moment) return undefined;
  const why = reasonNotToLook(moment);
  if (why !== undefined) return voidLook(moment, why);
  const looked = await lookAtApplied(deps, moment, signal);
  if (!looked) return voidLook(moment, 'it has no applied blueprint');
  const { unseen } = looked;
  const findings = moment.status === 'suspended' ? looked.findings.map(byResumption) : looked.findings;
  if (signal.aborted) return voidLook(moment, 'the look was stopped');
  const extras = extrasOf(tenantId);
  const seen = { moment, findings: [...findings, ...(extras ?? [])], unseen, isSwept: extras !== undefined };
  const recorded = await recordLook(deps.database, seen, caller);
  if (!recorded) return voidLook(moment, 'an operation of the tenant began meanwhile');
  return { ...named(moment), ...recorded, unseen };
}

function byResumption(finding: DriftFinding): DriftFinding {
  return finding.remedy === 'repair' ? { ...finding, remedy: 'resume' } : finding;
}

/**
 * What differs of the steps that were applied; of a tenant that cannot be read, why not. Undefined: none was applied.
 * @throws DatabaseUnavailableError
 */
async function lookAtApplied(deps: DriftDeps, moment: TenantMoment, signal: AbortSignal): Promise<Verdict | undefined> {
  try {
    const applied = await loadApplied(deps, moment);
    return applied && (await lookTwice(deps, applied, signal));
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) throw error;
    deps.log.warn({ err: error, tenantId: moment.tenantId }, 'a tenant cannot be looked at');
    const message = error instanceof Error ? error.message : String(error);
    return { findings: [], unseen: [{ stepId: '', code: 'BLUEPRINT_INVALID', message }] };
  }
}

/** A suspended tenant is looked at by what its suspension applied, its notice included. */
function reasonNotToLook({ isOpen, status }: TenantMoment): string | undefined {
  if (isOpen) return 'an operation of the tenant is open';
  return status === 'active' || status === 'suspended' ? undefined : `the tenant is ${status}`;
}

async function loadApplied(deps: DriftDeps, { tenantId, cell }: TenantMoment): Promise<AppliedTenant | undefined> {
  const applied = await findApplied(deps.database, tenantId);
  const operationContext = applied && (await findOperationContext(deps.database, applied.operationId));
  return operationContext && { ...applied, operationContext, cell: cellById(deps.platform, cell) };
}

async function lookTwice(deps: DriftDeps, applied: AppliedTenant, signal: AbortSignal) {
  const { steps } = applied.blueprint;
  const first = await Promise.all(steps.map((step) => lookAtStep(deps, applied, step, signal)));
  const doubtful = toConfirm(first);
  if (doubtful.length === 0) return verdictOf(first, []);
  await sleep(deps.confirmAfterMs ?? CONFIRM_AFTER_MS, undefined, { signal }).catch(() => undefined);
  const again = steps.filter(({ id }) => doubtful.includes(id));
  return verdictOf(first, await Promise.all(again.map((step) => lookAtStep(deps, applied, step, signal))));
}

function voidLook(moment: TenantMoment, why: string): TenantLook {
  return { ...named(moment), outcome: 'void', findings: [], unseen: [], appeared: [], why };
}

function named({ tenantId, product, slug, cell }: TenantMoment) {
  return { tenantId, product, slug, cell };
}
