import type { FencePlace, MarkedFence } from '../../aws/dynamodb-fences.ts';
import { StepError } from '../../contracts/step-error.ts';
import { readClock } from '../../db/clock.ts';
import type { Kind, Observation } from '../framework/kind.ts';
import { closeVerified } from './closing.ts';
import {
  switchLimits,
  switchOutputs,
  switchSpec,
  type SwitchContext,
  type SwitchOutputs,
  type SwitchSpec,
} from './spec.ts';

/**
 * Closes the fence of an account for its writers once both tables hold the same rows, which it proves. Its removal past the commit of the move is
 * the switch: from then on the account's own table counts. In an undo its removal opens the fence again.
 */
export const accountSwitch: Kind<SwitchSpec, SwitchOutputs, never> = {
  name: 'account-switch',
  spec: switchSpec,
  outputs: switchOutputs,
  limits: switchLimits,
  types: {},
  permissions: [
    'dynamodb:GetItem',
    'dynamodb:UpdateItem',
    'dynamodb:DescribeTable',
    'dynamodb:DescribeStream',
    'dynamodb:GetShardIterator',
    'dynamodb:GetRecords',
    'dynamodb:Query',
    'dynamodb:BatchGetItem',
    'dynamodb:BatchWriteItem',
    'dynamodb:DeleteItem',
  ],
  inCell: ({ table, toTable }, within) => [...within.table(table), ...within.tenantId(toTable)],
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const { attempt, detail, rows } = await closeVerified(context, context.operation.id);
    return { status: 'ready', outputs: { ...rows, attempt }, detail };
  },

  async observe(context): Promise<Observation> {
    const { operation, previous, removingAt } = context;
    const fence = await context.aws.fences.find(placeOf(context));
    const detail = fence ? `the fence is ${fence.state}` : 'there is no fence item';
    if (removingAt)
      return fence?.state === 'closed'
        ? { status: 'ready', detail }
        : { status: 'absent', detail, others: await context.notOurs([]) };
    const isClosed = fence?.state === 'closed' && fence.verified !== undefined;
    return isClosed && fence.moveId === operation.id && fence.attempt === previous.attempt
      ? { status: 'ready', detail: `${detail}, and ${fence.verified.count} rows are in both tables` }
      : { status: 'failed', detail };
  },

  differs: () => Promise.resolve([]),

  async remove(context) {
    await (context.isPastCommit === true ? switchOver(context) : open(context));
    return { status: 'removed', others: await context.notOurs([]) };
  },
};

function placeOf({ spec: { table }, tenant }: SwitchContext): FencePlace {
  return { table, accountId: tenant.id };
}

/** THE switch. Where the fence was opened after the commit, what is written since is brought over first. */
async function switchOver(context: SwitchContext): Promise<void> {
  const { aws, db, tenant } = context;
  const place = placeOf(context);
  for (;;) {
    const fence = await aws.fences.find(place);
    if (!fence)
      throw new StepError('READINESS_LOST', `the fence item of account ${tenant.id} is gone before the switch`, {
        detail:
          'rows may have been written to either table since: compare them by hand, then put the item back (docs/accounts.md)',
      });
    if (fence.state === 'moved') return;
    if (fence.state === 'open' || !fence.verified) await closeVerified(context, fence.moveId);
    const movedAt = (await readClock(db)).toISOString();
    const condition = { moveId: fence.moveId, states: ['closed'], isVerified: true } as const;
    if (await aws.fences.change(place, condition, { state: 'moved', movedAt })) return;
    context.signal.throwIfAborted();
  }
}

async function open(context: SwitchContext): Promise<void> {
  const fence = await context.aws.fences.find(placeOf(context));
  if (!fence) return;
  refuseMoved(fence, context);
  const { moveId } = fence;
  // Of no attempt: whatever one of them sends late is refused.
  const change = { state: 'open', attempt: null, verified: null } as const;
  if (await context.aws.fences.change(placeOf(context), { moveId, states: ['open', 'closed'] }, change)) return;
  throw new StepError('CONFLICT_RETRYABLE', `the fence of account ${context.tenant.id} was changed meanwhile`);
}

function refuseMoved({ state, toTable }: MarkedFence, { tenant }: SwitchContext): void {
  if (state !== 'moved') return;
  throw new StepError('PROTECTED', `account ${tenant.id} was moved to table ${toTable}: services write there`, {
    detail: 'an undo does not take them back to the old table',
  });
}
