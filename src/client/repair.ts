import { randomUUID } from 'node:crypto';
import type { Caller } from '../contracts/caller.ts';
import { tenantWorkflowId } from '../contracts/ids.ts';
import { DEFAULT_HOLD_MS } from '../contracts/operation-state.ts';
import { operationTypeAskedBy } from '../contracts/operation-table.ts';
import { isSameJson } from '../contracts/stable-json.ts';
import { findAppliedBlueprint } from '../db/blueprints.ts';
import type { Queryable } from '../db/database.ts';
import { findOpenOperation, type OperationRow } from '../db/operations.ts';
import type { TenantRow } from '../db/tenants.ts';
import { findWalkFacts } from '../db/walk-facts.ts';
import type { StepPlan } from '../plan/plan.ts';
import { walkTo } from '../plan/walk.ts';
import { nounOf } from '../products/known-product.ts';
import { acceptOperation } from './freezing.ts';
import { inProgress } from './in-progress.ts';
import type { Once } from './once.ts';
import { orUnknown } from './outcome-unknown.ts';
import { inVain, previewOf } from './preview.ts';
import { existingTenant } from './reading.ts';
import type { ClientDeps, RepairTenantInput } from './requests.ts';
import { startOrWithdraw } from './starting.ts';
import { DisturbedSignal, lockUndisturbed, refuseUnchangeable, untilUndisturbed } from './undisturbed.ts';
import { acceptance, acceptedView, type AcceptedView, type PreviewView } from './views.ts';

/**
 * Accepts that everything of an active tenant is brought back to what was applied last, whatever somebody changed or deleted.
 * @throws RequestError TENANT_NOT_FOUND, TENANT_NOT_CHANGEABLE, OPERATION_IN_PROGRESS
 */
export async function repairTenant(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: RepairTenantInput,
  once: Once<AcceptedView>,
): Promise<AcceptedView> {
  const noun = nounOf(deps.catalog.products, await existingTenant(deps.database, tenantId));
  const request = { caller, tenantId, operationId: randomUUID(), reason: input.reason };
  const attempted = { what: `the repair of ${noun} ${tenantId} was accepted`, tenantId };
  const viewOf = repairView;
  const keptOf = (written: Written) => ({
    outcome: viewOf(written),
    operationId: written.operation.id,
    audit: { tenantId, data: { reason: input.reason } },
  });
  const written = await orUnknown({ ...attempted, operationId: request.operationId }, () =>
    untilUndisturbed(() => deps.database.transaction((tx) => once.write(tx, () => write(deps, tx, request), keptOf))),
  );
  await startOrWithdraw(deps, written.tenant, written.operation);
  return viewOf(written);
}

function repairView({ tenant, operation }: Written): AcceptedView {
  return acceptedView(tenant, operation, acceptance('the repair'));
}

/** What {@link repairTenant} would do. */
export async function previewRepair(deps: ClientDeps, caller: Caller, tenantId: string): Promise<PreviewView> {
  const request = { caller, tenantId, operationId: randomUUID(), reason: undefined };
  const { tenant, operation, plan } = await untilUndisturbed(() =>
    inVain(deps.database, (tx) => write(deps, tx, request)),
  );
  const { activatedAt, cell, settings } = tenant;
  return previewOf(deps, { tenantId, activatedAt, cell, operation: operation.type, plan, settings });
}

interface Request {
  readonly caller: Caller;
  readonly tenantId: string;
  readonly operationId: string;
  readonly reason: string | undefined;
}

interface Written {
  readonly tenant: TenantRow;
  readonly operation: OperationRow;
  readonly plan: readonly StepPlan[];
}

/** The operation before the tenant, as everywhere: the one that is open keeps all others out. */
async function write({ catalog }: ClientDeps, tx: Queryable, request: Request): Promise<Written> {
  const { caller, tenantId, operationId: id, reason } = request;
  const open = await findOpenOperation(tx, tenantId);
  const read = await existingTenant(tx, tenantId);
  if (open) throw inProgress(open, nounOf(catalog.products, read));
  refuseUnchangeable(catalog.products, read, 'repair');
  const applied = await findAppliedBlueprint(tx, tenantId);
  if (!applied) throw new Error(`tenant ${tenantId} is ${read.status}, and no blueprint is applied`);
  const operation = await acceptOperation(tx, {
    ...{ id, tenantId, cell: read.cell, type: operationTypeAskedBy('repair'), reason },
    ...{ onFailure: 'hold', holdMs: DEFAULT_HOLD_MS, workflowId: tenantWorkflowId(read), blueprint: applied, caller },
  });
  if (!operation) throw new DisturbedSignal();
  const tenant = await lockUndisturbed(tx, read, operation);
  // One that began and succeeded in between has made another blueprint true.
  if (!isSameJson(await findAppliedBlueprint(tx, tenantId), applied)) throw new DisturbedSignal();
  const facts = await findWalkFacts(tx, tenantId, { own: applied.steps, applied: applied.steps });
  const plan = walkTo(applied.steps, facts, (kind) => catalog.kinds.kinds.get(kind)?.limits, { repairs: true });
  return { tenant, operation, plan };
}
