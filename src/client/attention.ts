import { adviceOnFailure, adviceWhenOver } from '../contracts/advice.ts';
import { cancelRefusal, isAcceptable, retryRefusal } from '../contracts/applicability.ts';
import type { Failure } from '../contracts/errors.ts';
import type { Leftover } from '../contracts/messages.ts';
import { isOpen, type OperationState } from '../contracts/operation-state.ts';
import { operationTable, operationTypeAskedBy, removingStateOf } from '../contracts/operation-table.ts';
import { QUARANTINE_DAYS } from '../contracts/slug-quarantine.ts';
import { isInUse } from '../contracts/tenant-status.ts';
import { graceOf, isWaiting } from '../db/grace.ts';
import type { OperationRow } from '../db/operations.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { AttentionView, ChoiceView } from './views.ts';

/** Whether an operation waits for a person: it holds, it is stuck, or it was closed with something left or not as it was applied. */
export function needsAttention(tenant: TenantRow, operation: OperationRow): boolean {
  if (isOpen(operation.state)) return operation.state === 'holding' || operation.state === 'stuck';
  return tenant.cleanupPending;
}

/** States in which what happened before says nothing of what goes on: it is at work (again), or it has succeeded. */
const statesWithoutFailure: readonly OperationState[] = ['running', 'committing', 'succeeded'];

/**
 * Why an operation is in its state. A success, and an operation that goes on, carry no failure of what was before; one that
 * did not create the tenant none that the tenant had before it.
 */
export function currentFailure(
  tenant: Pick<TenantRow, 'failure'>,
  { type, state, failure }: Pick<OperationRow, 'type' | 'state' | 'failure'>,
): Failure | null {
  // Why no worker could begin it yet.
  if (state === 'accepted') return failure;
  if (statesWithoutFailure.includes(state)) return null;
  return failure ?? (operationTable[type].createsTenant ? tenant.failure : null);
}

/**
 * What an operation that {@link needsAttention} waits for, and what a person can do about it.
 * @param since when it came into its state
 */
export function attentionOf(
  tenant: TenantRow,
  operation: OperationRow,
  leftovers: readonly Leftover[],
  since: Date,
): AttentionView {
  const until = operation.state === 'holding' ? new Date(since.getTime() + operation.holdMs) : undefined;
  const kept = leftovers.flatMap(({ code }) => adviceWhenOver(code ?? '') ?? []);
  const failure = currentFailure(tenant, operation);
  // What keeps a thing there is to be fixed; why its operation began to remove it is past. What is behind does not know what is left.
  const advices =
    kept.length > 0 && failure?.code !== 'DATABASE_BEHIND' ? kept : failure ? [adviceOnFailure(failure)] : [];
  return {
    since: since.toISOString(),
    ...(until && { until: until.toISOString() }),
    otherwise: otherwise(tenant, operation),
    advice: [...new Map(advices.flatMap((advice) => (advice ? [[advice.code, advice] as const] : []))).values()],
    choices: choicesOf(tenant, operation),
  };
}

/** What happens when nobody does anything. */
function otherwise(tenant: TenantRow, { state, type }: OperationRow): string {
  if (state === 'holding') return `at that time it ${rollback(type)}`;
  if (state === 'stuck') return 'it waits without a time limit: nothing is created or removed';
  if (isInUse(tenant.status)) return 'the tenant stays as it is';
  return hasOwnSlug(tenant) ? 'what is left stays, and the slug stays taken' : 'what is left stays';
}

function rollback(type: OperationRow['type']): string {
  const { rolledBackTo } = operationTable[type].words;
  return rolledBackTo === undefined ? 'rolls back' : `rolls back: ${rolledBackTo}`;
}

/** Only what the API would accept in this state. */
function choicesOf(tenant: TenantRow, operation: OperationRow): ChoiceView[] {
  return Object.entries(effectsOf(tenant, operation)).flatMap(([verb, effect]) =>
    isVerb(verb) && applies(verb, tenant, operation) ? [{ verb, command: commandOf(verb, tenant), effect }] : [],
  );
}

type ChoiceVerb = ChoiceView['verb'];

/** What a request does to the open operation of a tenant, for people. */
export function effectOf(verb: 'retry' | 'cancel' | 'abandon', tenant: TenantRow, operation: OperationRow): string {
  const effect = effectsOf(tenant, operation)[verb];
  if (effect !== undefined) return effect;
  return operation.state === 'accepted' || isWaiting(operation)
    ? 'ends the operation, which has made and removed nothing'
    : `${rollback(operation.type)}, as soon as the steps under way have ended`;
}

function effectsOf(tenant: TenantRow, operation: OperationRow): Partial<Record<ChoiceVerb, string>> {
  const { state, type } = operation;
  // What was seen last may be live: nothing is offered that would remove it.
  if (currentFailure(tenant, operation)?.code === 'DATABASE_BEHIND')
    return { abandon: 'closes the operation in this database; nothing is removed, and what exists stays as it is' };
  if (state === 'holding')
    return {
      retry: 'continues, once the cause is fixed: failed steps run again, what is ready stays',
      cancel: `${rollback(type)}; then another request is accepted${operationTable[type].createsTenant ? '' : ', such as one with other settings'}`,
    };
  if (state === 'stuck' && isWaiting(operation)) return effectsWhileWaiting(operation.graceUntil);
  if (isInUse(tenant.status)) return effectsInUse(tenant, operation);
  if (state !== 'stuck') return { delete: `removes what is left${slugAfterwards(tenant)}` };
  return {
    retry: `tries again to remove what is left, ${operationTable[type].words.retried}`,
    delete: 'a new deprovisioning takes over from this operation',
    abandon: 'closes the operation without finishing it; what is left stays, and is listed, until a delete',
  };
}

/** What the tenant lacks is to be brought back; whoever deletes it deletes what serves. The order is that of the choices. */
function effectsInUse(tenant: TenantRow, operation: OperationRow): Partial<Record<ChoiceVerb, string>> {
  const { state } = operation;
  const what = hasOwnSlug(tenant) ? 'its address, its services and its data' : 'its data';
  const deletes = `deletes the tenant, with ${what}${slugAfterwards(tenant)}`;
  if (state !== 'stuck') {
    return {
      repair: 'brings back what is missing or not as it was applied, and removes what is left',
      delete: deletes,
    };
  }
  const { retried } = operationTable[operation.type].words;
  return {
    retry: `tries again to ${isMadeAlready(operation) ? 'remove what is left' : 'bring back what is not as it was applied'}, ${retried}`,
    abandon:
      'closes the operation without finishing it; the tenant stays as it is, and what is amiss is listed, until a repair',
    delete: `${deletes}. A new deprovisioning takes over from this operation`,
  };
}

/** One whose slug is its id: nobody chose it, and nobody could have it next. */
function hasOwnSlug({ id, slug }: TenantRow): boolean {
  return slug !== id;
}

function slugAfterwards(tenant: TenantRow): string {
  if (!hasOwnSlug(tenant)) return '';
  return `; the slug ${tenant.activatedAt === null ? 'is free again' : `stays reserved for ${QUARANTINE_DAYS} days`} afterwards`;
}

/** It only removes what its target does not hold. */
function isMadeAlready(operation: OperationRow): boolean {
  return operationTable[operation.type].target !== 'applied' && removingStateOf(operation) === 'committing';
}

/** Nothing was removed yet. */
function effectsWhileWaiting(graceUntil: Date): Partial<Record<ChoiceVerb, string>> {
  const back = 'the tenant is as it was before the deletion';
  return {
    retry: `continues the deletion: nothing is removed before ${graceUntil.toISOString()}`,
    cancel: `ends the deletion; ${back}`,
    delete: 'a new deprovisioning takes over from this operation, with a grace period of its own',
    abandon: `closes the operation without finishing it; ${back}`,
  };
}

const options: Readonly<Record<ChoiceVerb, (tenant: TenantRow) => string>> = {
  retry: () => '',
  cancel: () => '',
  repair: () => '',
  abandon: () => ' --reason "<why>"',
  delete: ({ slug }) => ` --confirm ${slug}`,
};

function isVerb(text: string): text is ChoiceVerb {
  return text in options;
}

function commandOf(verb: ChoiceVerb, tenant: TenantRow): string {
  return `tenantry tenants ${verb} ${tenant.id}${options[verb](tenant)}`;
}

function applies(verb: ChoiceVerb, { status }: TenantRow, operation: OperationRow): boolean {
  const { type, state } = operation;
  switch (verb) {
    case 'retry':
      return retryRefusal(state) === undefined;
    case 'cancel':
      return cancelRefusal(type, state, graceOf(operation)) === undefined;
    case 'abandon':
      return state === 'stuck';
    case 'repair':
    case 'delete':
      return isAcceptable(operationTypeAskedBy(verb), { status, open: isOpen(state) ? state : undefined });
  }
}
