import { randomUUID } from 'node:crypto';
import type { Caller } from '../contracts/caller.ts';
import { tenantWorkflowId } from '../contracts/ids.ts';
import { DEFAULT_HOLD_MS } from '../contracts/operation-state.ts';
import { operationTable, operationTypeAskedBy } from '../contracts/operation-table.ts';
import type { Settings, TenantMode } from '../contracts/settings.ts';
import type { Queryable } from '../db/database.ts';
import { isWhole } from '../db/applied.ts';
import { findOpenOperation, type OperationRow } from '../db/operations.ts';
import { changeSettings, findDesiredMode } from '../db/settings.ts';
import { changeDetails, type TenantRow } from '../db/tenants.ts';
import { detailsIn } from '../products/detail-settings.ts';
import { nounOf } from '../products/known-product.ts';
import { mergePatch } from '../products/settings.ts';
import { isSameJson } from '../contracts/stable-json.ts';
import {
  choiceOf,
  modeChoice,
  rotationChoice,
  refuseTierChange,
  scalingOf,
  tierChoice,
  type Choice,
  type ModeRequest,
} from './choices.ts';
import { changedFields, changeTenantDetails, detailsAsked, previewDetails, refuseLostDetails } from './details.ts';
import { productOf, refuseUnfitSettings, refuseUnsuspendable, resolveDesired, type Desired } from './desired.ts';
import { chosen } from './chosen.ts';
import { acceptOperation } from './freezing.ts';
import { inProgress } from './in-progress.ts';
import type { Audited, Once } from './once.ts';
import { orUnknown } from './outcome-unknown.ts';
import { refuseOtherTag, tenantTag, type Conditional } from './precondition.ts';
import { inVain, previewOf } from './preview.ts';
import { existingTenant, tenantView } from './reading.ts';
import type {
  ChangeModeInput,
  ChangeTenantInput,
  ClientDeps,
  MigrateTenantInput,
  RotateTenantInput,
  ScaleTenantInput,
} from './requests.ts';
import { reserveOrRefuse } from './resolution.ts';
import { startOrWithdraw } from './starting.ts';
import { DisturbedSignal, lockUndisturbed, refuseUnchangeable, untilUndisturbed } from './undisturbed.ts';
import { acceptance, acceptedView, type ChangeOutcome, type PreviewView } from './views.ts';

/**
 * Accepts other settings of an active tenant: an operation walks to the blueprint that they give; or changes its details at once.
 * @throws RequestError TENANT_NOT_FOUND, TENANT_NOT_CHANGEABLE, OPERATION_IN_PROGRESS, INVALID_INPUT, CHANGE_NOT_POSSIBLE
 */
export async function changeTenant(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: ChangeTenantInput,
  once: Once<ChangeOutcome>,
): Promise<ChangeOutcome> {
  const details = detailsAsked(input);
  const { ifMatch } = input;
  if (details) return changeTenantDetails(deps, caller, { tenantId, details, ifMatch }, once);
  return accept(deps, caller, { tenantId, ifMatch, choiceFor: () => choiceOf(input) }, once);
}

/** Accepts another number of tasks of one service; otherwise as {@link changeTenant}. */
export function scaleTenant(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: ScaleTenantInput,
  once: Once<ChangeOutcome>,
): Promise<ChangeOutcome> {
  return accept(
    deps,
    caller,
    { tenantId, ifMatch: input.ifMatch, choiceFor: (tenant) => scalingOf(deps, tenant, input) },
    once,
  );
}

/**
 * Accepts that an active tenant answers with a notice and runs nothing, or that a suspended one is as it was before; otherwise as
 * {@link changeTenant}. One that is in the mode already stays as it is, unless an abandoned operation left something otherwise: an active
 * one is brought back by an update then, a suspended one is to be resumed first.
 */
export function changeMode(
  deps: ClientDeps,
  caller: Caller,
  { tenantId, request }: { readonly tenantId: string; readonly request: ModeRequest },
  input: ChangeModeInput,
  once: Once<ChangeOutcome>,
): Promise<ChangeOutcome> {
  return accept(deps, caller, { tenantId, ifMatch: input.ifMatch, choiceFor: () => modeChoice(request, input) }, once);
}

/**
 * Accepts that an active tenant's services get new credentials and the ones that they have are revoked; otherwise as
 * {@link changeTenant}. @throws RequestError CHANGE_NOT_POSSIBLE also where the product has no credentials
 */
export function rotateTenant(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: RotateTenantInput,
  once: Once<ChangeOutcome>,
): Promise<ChangeOutcome> {
  return accept(deps, caller, { tenantId, ifMatch: input.ifMatch, choiceFor: () => rotationChoice(input) }, once);
}

/**
 * Accepts that an active tenant is brought to another tier, by steps that exist on the way only; otherwise as {@link changeTenant}.
 * @throws RequestError CHANGE_NOT_POSSIBLE also where the product does not declare that change
 */
export function migrateTenant(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: MigrateTenantInput,
  once: Once<ChangeOutcome>,
): Promise<ChangeOutcome> {
  return accept(
    deps,
    caller,
    { tenantId, ifMatch: input.ifMatch, choiceFor: (tenant) => tierChoice(deps, tenant, input) },
    once,
  );
}

/** What {@link migrateTenant} would do. */
export function previewMigration(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: MigrateTenantInput,
): Promise<PreviewView> {
  return preview(deps, caller, {
    tenantId,
    ifMatch: input.ifMatch,
    choiceFor: (tenant) => tierChoice(deps, tenant, input),
  });
}

/** What {@link rotateTenant} would do. */
export function previewRotation(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: RotateTenantInput,
): Promise<PreviewView> {
  return preview(deps, caller, { tenantId, ifMatch: input.ifMatch, choiceFor: () => rotationChoice(input) });
}

/** What {@link changeMode} would do. */
export function previewMode(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  request: ModeRequest,
  input: ChangeModeInput,
): Promise<PreviewView> {
  return preview(deps, caller, { tenantId, ifMatch: input.ifMatch, choiceFor: () => modeChoice(request, input) });
}

/** What {@link changeTenant} would do. */
export async function previewChange(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: ChangeTenantInput,
): Promise<PreviewView> {
  const details = detailsAsked(input);
  const { ifMatch } = input;
  if (details) return previewDetails(deps, caller, { tenantId, details, ifMatch });
  return preview(deps, caller, { tenantId, ifMatch, choiceFor: () => choiceOf(input) });
}

/** What {@link scaleTenant} would do. */
export function previewScaling(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  input: ScaleTenantInput,
): Promise<PreviewView> {
  return preview(deps, caller, {
    tenantId,
    ifMatch: input.ifMatch,
    choiceFor: (tenant) => scalingOf(deps, tenant, input),
  });
}

async function preview(deps: ClientDeps, caller: Caller, asked: Asked): Promise<PreviewView> {
  const { tenantId } = asked;
  const request = { ...asked, caller, operationId: randomUUID() };
  const { tenant, operation, settings, desired } = await untilUndisturbed(() =>
    inVain(deps.database, (tx) => write(deps, tx, request)),
  );
  const { plan, differences } = desired;
  const { activatedAt, cell } = tenant;
  const type = operation?.type ?? null;
  return previewOf(deps, { tenantId, activatedAt, cell, operation: type, plan, differences, settings });
}

async function accept(
  deps: ClientDeps,
  caller: Caller,
  asked: Asked,
  once: Once<ChangeOutcome>,
): Promise<ChangeOutcome> {
  const { tenantId } = asked;
  const noun = nounOf(deps.catalog.products, await existingTenant(deps.database, tenantId));
  const operationId = randomUUID();
  // What nothing has to be carried out for is changed without an operation.
  const attempted = { what: `the change of ${noun} ${tenantId} was accepted`, shownBy: 'status' } as const;
  const request = { ...asked, caller, operationId };
  const outcomeOf = changeOutcome;
  const keptOf = (written: Written) => ({
    outcome: outcomeOf(written),
    operationId: written.operation?.id,
    audit: changeFacts(written),
  });
  const written = await orUnknown({ ...attempted, tenantId, operationId }, () =>
    untilUndisturbed(() => deps.database.transaction((tx) => once.write(tx, () => write(deps, tx, request), keptOf))),
  );
  if (written.operation) await startOrWithdraw(deps, written.tenant, written.operation);
  return outcomeOf(written);
}

function changeFacts({ before, tenant, operation, choice: { tier, request, reason } }: Written): Audited {
  if (!operation && isSameJson(chosen(before), chosen(tenant))) return 'unchanged';
  return {
    tenantId: tenant.id,
    before: chosen(before),
    after: { ...chosen(tenant), tier: tier ?? tenant.tier },
    data: { request, reason },
  };
}

function changeOutcome({ before, tenant, operation }: Written): ChangeOutcome {
  if (!operation) return { done: true, tenant: tenantView(tenant), changed: changedFields(before, tenant) };
  const { settingsVersion } = tenant;
  const view = acceptedView(tenant, operation, acceptance('the change'));
  return { done: false, accepted: { ...view, settingsVersion } };
}

interface Asked extends Conditional {
  readonly tenantId: string;
  readonly choiceFor: (tenant: TenantRow) => Choice;
}

interface Request extends Asked {
  readonly caller: Caller;
  readonly operationId: string;
}

interface Written {
  readonly before: TenantRow;
  readonly tenant: TenantRow;
  /** Undefined: there was nothing to carry out. */
  readonly operation: OperationRow | undefined;
  readonly settings: Settings;
  readonly desired: Desired;
  readonly choice: Choice;
}

/** The operation before the tenant, as everywhere: the one that is open keeps all others out. */
async function write(deps: ClientDeps, tx: Queryable, request: Request): Promise<Written> {
  const { caller, tenantId } = request;
  const read = await readChange(deps, tx, request);
  const { tenant, settings, desired, mode, credentials, choice } = read;
  // Another mode is another status, also where nothing runs that it changes.
  const isThere = desired.isThere && choice.request === undefined;
  const { isSameSettings = isSameJson } = productOf(deps.catalog, tenant);
  if (read.isInMode || (isThere && isSameSettings(settings, tenant.settings))) return leave(tx, request, read);
  const operation = isThere ? undefined : await insertChange(deps, tx, request, read);
  const before = await lockUndisturbed(tx, tenant, operation, request);
  await changeSettings(tx, { tenantId, settings, mode, credentials, operationId: operation?.id, caller });
  const held = detailsIn(productOf(deps.catalog, tenant), settings);
  const now = await changeDetails(tx, tenantId, held, { caller, operationId: operation?.id });
  return { before, tenant: now, operation, settings, desired, choice };
}

/** Nothing is to be changed. Locked all the same: what is answered is as it is then. */
async function leave(
  tx: Queryable,
  request: Request,
  { tenant, settings, desired, choice }: ReadChange,
): Promise<Written> {
  const now = await lockUndisturbed(tx, tenant, undefined, request);
  return { before: now, tenant: now, operation: undefined, settings, desired, choice };
}

interface ReadChange {
  readonly tenant: TenantRow;
  /** All that are desired then. */
  readonly settings: Settings;
  readonly mode: TenantMode;
  readonly credentials: number;
  /** It was asked to be in the mode that it is in. */
  readonly isInMode: boolean;
  readonly choice: Choice;
  readonly desired: Desired;
}

/** What a request would change, from what is there now. @throws RequestError when it is not accepted */
async function readChange(
  deps: Pick<ClientDeps, 'catalog' | 'platform'>,
  db: Queryable,
  { tenantId, choiceFor, ifMatch }: Asked,
): Promise<ReadChange> {
  const open = await findOpenOperation(db, tenantId);
  const tenant = await existingTenant(db, tenantId);
  // What was seen before that is no help either: the caller has to look again.
  refuseOtherTag(ifMatch, tenantTag(tenant), `${nounOf(deps.catalog.products, tenant)} ${tenantId}`);
  const asked = choiceFor(tenant);
  if (open) {
    // What waiting does not help comes first.
    refuseUnfitSettings(deps, tenant, mergePatch(tenant.settings, asked.patch), asked.fieldOf);
    throw inProgress(open, nounOf(deps.catalog.products, tenant));
  }
  const hasMode = asked.mode === tenant.status;
  // What an abandoned operation left otherwise says that it is not in the mode that its status names.
  const isInMode = hasMode && (await isWhole(db, tenantId));
  const choice: Choice = hasMode && !isInMode && asked.mode === 'active' ? { ...asked, request: 'change' } : asked;
  if (!isInMode) refuseUnchangeable(deps.catalog.products, tenant, choice.request ?? 'change');
  if (choice.tier !== undefined) refuseTierChange(deps, tenant, choice.tier);
  if (choice.request === 'suspend') refuseUnsuspendable(productOf(deps.catalog, tenant), tenant);
  const settings = mergePatch(tenant.settings, choice.patch);
  refuseLostDetails(productOf(deps.catalog, tenant), tenant.settings, settings, choice.fieldOf);
  const mode = choice.mode ?? (await findDesiredMode(db, tenantId));
  const credentials = tenant.credentials + (choice.rotates ? 1 : 0);
  const { restoresKept } = operationTable[operationTypeAskedBy(choice.request ?? 'change')];
  const { refresh, rotates, tier } = choice;
  const wanted = { settings, mode, credentials, rotates, tier, restoresKept, refresh };
  const desired = await resolveDesired(deps, db, tenant, wanted, choice.fieldOf);
  return { tenant, settings, mode, credentials, isInMode, choice, desired };
}

async function insertChange(
  { catalog }: ClientDeps,
  tx: Queryable,
  { caller, operationId }: Request,
  {
    tenant,
    choice: { onFailure = 'rollback', reason, refresh, request = 'change' },
    desired: { blueprint },
  }: ReadChange,
): Promise<OperationRow> {
  const { id: tenantId, cell, product, slug } = tenant;
  await reserveOrRefuse(tx, catalog.kinds, blueprint, { cell, tenantId, slug });
  const operation = await acceptOperation(tx, {
    id: operationId,
    tenantId,
    cell,
    type: operationTypeAskedBy(request),
    reason,
    refreshes: refresh,
    onFailure,
    holdMs: DEFAULT_HOLD_MS,
    workflowId: tenantWorkflowId({ product, slug }),
    blueprint,
    caller,
  });
  if (!operation) throw new DisturbedSignal();
  return operation;
}
