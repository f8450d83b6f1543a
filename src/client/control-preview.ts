import type { Step } from '../contracts/blueprint.ts';
import type { Caller } from '../contracts/caller.ts';
import { operationTable } from '../contracts/operation-table.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';
import { blueprintSchema } from '../db/blueprint-column.ts';
import type { Queryable } from '../db/database.ts';
import { listLeftovers } from '../db/leftovers.ts';
import { findBlueprint, findOpenOperation, type Audit, type OperationRow } from '../db/operations.ts';
import { restoreDesiredSettings } from '../db/settings.ts';
import { listSteps } from '../db/steps.ts';
import type { TenantRow } from '../db/tenants.ts';
import { findOperationFacts } from '../db/walk-facts.ts';
import { differences, type StepDifference } from '../plan/differences.ts';
import { directionOf, walkOf, type Direction } from '../plan/operation-walk.ts';
import type { StepPlan } from '../plan/plan.ts';
import { nounOf } from '../products/known-product.ts';
import { closeAbandoned, stuckOperation } from './abandonment.ts';
import { effectOf } from './attention.ts';
import { cancelUnbegun, isUnbegun } from './cancel-in-database.ts';
import { refuseControl } from './operator-control.ts';
import type { OperatorVerb } from './orchestrator.ts';
import { inVain, previewOf } from './preview.ts';
import { existingTenant } from './reading.ts';
import type { ClientDeps } from './requests.ts';
import type { ControlView, PreviewView } from './views.ts';

/**
 * What `retry` or `cancel` of the open operation would do. Its run decides; where that has got to since, PostgreSQL does not know.
 * @throws RequestError as the request, but for what only its run can say
 */
export async function previewControl(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  verb: OperatorVerb,
): Promise<PreviewView> {
  const noun = nounOf(deps.catalog.products, await existingTenant(deps.database, tenantId));
  const previewed = await inVain(deps.database, async (tx) => {
    const operation = refuseControl(await findOpenOperation(tx, tenantId), verb, noun);
    const before = await existingTenant(tx, tenantId);
    const seen = { verb, operation, before };
    if (verb === 'cancel' && isUnbegun(operation)) return cancelledUnbegun(tx, caller, seen);
    const direction = verb === 'cancel' ? 'back' : directionOf(operation);
    const way = await wayOf(deps, tx, operation, direction);
    if (direction === 'back') await restoreDesiredSettings(tx, operation);
    return {
      ...seen,
      ...way,
      tenant: await existingTenant(tx, tenantId),
      status: statusAfter(before, seen, direction),
    };
  });
  return viewOf(deps, previewed);
}

/** What `abandon` would do. @throws RequestError as the request */
export async function previewAbandonment(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  audit: Audit,
): Promise<PreviewView> {
  await existingTenant(deps.database, tenantId);
  const previewed = await inVain(deps.database, async (tx) => {
    const operation = await stuckOperation(tx, tenantId);
    const before = await existingTenant(tx, tenantId);
    await closeAbandoned(tx, operation, caller, audit);
    const tenant = await existingTenant(tx, tenantId);
    const leftovers = await listLeftovers(tx, tenantId);
    return { verb: 'abandon' as const, operation, before, tenant, status: tenant.status, leftovers, steps: [] };
  });
  return viewOf(deps, previewed);
}

interface Seen {
  readonly verb: ControlView['verb'];
  readonly operation: OperationRow;
  readonly before: TenantRow;
}

interface Previewed extends Seen {
  /** Afterwards, with what is desired then. */
  readonly tenant: TenantRow;
  readonly status: TenantStatus;
  readonly steps: readonly StepPlan[];
  readonly differences?: readonly StepDifference[];
  readonly leftovers?: ControlView['leftovers'];
}

async function cancelledUnbegun(tx: Queryable, caller: Caller, seen: Seen): Promise<Previewed> {
  await cancelUnbegun(tx, caller, seen.operation.id);
  const tenant = await existingTenant(tx, seen.before.id);
  return { ...seen, tenant, status: tenant.status, steps: [] };
}

/** The walk from where the ledger has it: what is done, or is only to be done in another direction, stays as it is. */
async function wayOf(
  { catalog }: ClientDeps,
  tx: Queryable,
  operation: OperationRow,
  direction: Direction,
): Promise<Pick<Previewed, 'steps' | 'differences'>> {
  const own = blueprintSchema.parse(await findBlueprint(tx, operation.id)).steps;
  const facts = await findOperationFacts(tx, operation, own, direction, catalog.kinds.isRemovedAgain);
  const { kinds } = catalog.kinds;
  const { steps, restore } = walkOf(operation, direction, facts, (kind) => kinds.get(kind)?.limits);
  const restored = new Set(restore.map(({ id }) => id));
  const done = operation.state === 'holding' ? await doneBy(tx, operation, own) : new Set<string>();
  const isWalked = ({ id, becomes }: StepPlan) => {
    if (becomes === 'drop') return true;
    return direction === 'forward' ? !done.has(id) : restored.has(id);
  };
  const walked = new Set(steps.filter(isWalked).map(({ id }) => id));
  const [from, to] = direction === 'back' ? [own, facts.applied] : [facts.applied, own];
  return {
    steps: steps.map((step) => (walked.has(step.id) ? step : { ...step, becomes: 'keep' })),
    differences: differences(from, to, (kind) => kinds.get(kind) ?? {}).filter(({ stepId }) => walked.has(stepId)),
  };
}

/** What a retry of a hold leaves alone, as `mustRun` of its walk, unless what a step is made from comes out as something else. */
async function doneBy(
  tx: Queryable,
  { id, tenantId }: OperationRow,
  own: readonly Step[],
): Promise<ReadonlySet<string>> {
  const rereading = new Set(own.filter(({ rereads }) => rereads === true).map((step) => step.id));
  const ready = (await listSteps(tx, tenantId)).filter(
    ({ operationId, state, stepId }) => operationId === id && state === 'ready' && !rereading.has(stepId),
  );
  return new Set(ready.map(({ stepId }) => stepId));
}

function statusAfter(
  { status }: TenantRow,
  { operation, verb }: Pick<Seen, 'operation' | 'verb'>,
  direction: Direction,
) {
  const { succeeded, undone, retried } = operationTable[operation.type].tenantStatus;
  if (direction !== 'back') return succeeded;
  const from = verb === 'retry' ? retried : status;
  return undone[from] ?? from;
}

async function viewOf(deps: ClientDeps, previewed: Previewed): Promise<PreviewView> {
  const { verb, operation, before, tenant, status, leftovers = [], steps, differences: found } = previewed;
  const { id: operationId, tenantId, type, state, cell } = operation;
  const effect = effectOf(verb, before, operation);
  const { activatedAt } = before;
  const view = {
    tenantId,
    activatedAt,
    cell,
    operation: type,
    plan: steps,
    differences: found,
    settings: tenant.settings,
  };
  return {
    ...(await previewOf(deps, view)),
    control: { verb, operationId, state, effect, tenantStatus: status, leftovers },
  };
}
