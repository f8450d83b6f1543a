import { adviceOn, adviceOnFailure } from '../contracts/advice.ts';
import type { Leftover } from '../contracts/messages.ts';
import { isOpen } from '../contracts/operation-state.ts';
import type { OperationRow } from '../db/operations.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { AttentionView, ChoiceView } from './views.ts';

/** Whether an operation waits for a person: it holds, it is stuck, or it was closed with something left. */
export function needsAttention(tenant: TenantRow, operation: OperationRow): boolean {
  if (isOpen(operation.state)) return operation.state === 'holding' || operation.state === 'stuck';
  return tenant.cleanupPending;
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
  const kept = leftovers.flatMap(({ code }) => adviceOn(code ?? '') ?? []);
  const failure = operation.failure ?? tenant.failure;
  // What keeps a thing there is to be mended; why its operation began to take it away is past.
  const advices = kept.length > 0 ? kept : failure ? [adviceOnFailure(failure)] : [];
  return {
    since: since.toISOString(),
    ...(until && { until: until.toISOString() }),
    otherwise: otherwise(operation),
    advice: [...new Map(advices.flatMap((advice) => (advice ? [[advice.code, advice] as const] : []))).values()],
    choices: choicesOf(tenant, operation),
  };
}

/** What happens when nobody does anything. */
function otherwise({ state }: OperationRow): string {
  if (state === 'holding') return 'it rolls back by itself then: all that it made is taken away';
  if (state === 'stuck') return 'it waits, without a limit: nothing is made, nothing is taken away';
  return 'what is left stays, and keeps the slug';
}

function choicesOf(tenant: TenantRow, { state, type }: OperationRow): ChoiceView[] {
  const command = (verb: ChoiceView['verb'], options = '') => `tenantry tenants ${verb} ${tenant.id}${options}`;
  const remove = { verb: 'delete', command: command('delete', ` --confirm ${tenant.slug}`) } as const;
  if (state === 'holding') {
    return [
      { verb: 'retry', command: command('retry'), effect: 'goes on: failed steps run again, what is ready stays' },
      { verb: 'cancel', command: command('cancel'), effect: 'rolls back now' },
    ];
  }
  if (state !== 'stuck') return [{ ...remove, effect: 'removes what is left, and frees the slug' }];
  const rest = type === 'provision' ? 'and ends rolled back' : 'and ends with the tenant deleted';
  return [
    { verb: 'retry', command: command('retry'), effect: `takes what is left away again, ${rest}` },
    { ...remove, effect: 'a new deprovisioning takes over from this operation' },
    {
      verb: 'abandon',
      command: command('abandon', ' --reason "<why>"'),
      effect: 'closes the operation as it is; what is left stays, listed, until a delete',
    },
  ];
}
