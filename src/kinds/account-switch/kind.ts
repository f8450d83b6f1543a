import type { MarkedFence } from '../../aws/dynamodb-fences.ts';
import { untilAnswered, untilChanged } from '../../aws/repeats.ts';
import { StepError } from '../../contracts/step-error.ts';
import { readClock } from '../../db/clock.ts';
import { moverPermissions } from '../account-copy/sides.ts';
import { fencePlaceOf, lockPlaceOf, tablesInCell } from '../account-fence/places.ts';
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
    ...moverPermissions,
    'dynamodb:BatchGetItem',
    'dynamodb:DescribeTable',
    'dynamodb:DescribeStream',
    'dynamodb:GetShardIterator',
    'dynamodb:GetRecords',
  ],
  inCell: tablesInCell,
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const { attempt, detail, rows } = await closeVerified(context, context.operation.id);
    return { status: 'ready', outputs: { ...rows, attempt }, detail };
  },

  async observe(context): Promise<Observation> {
    const {
      operation,
      previous,
      removingAt,
      spec: { toTable },
    } = context;
    const fence = await context.aws.fences.find(fencePlaceOf(context));
    const detail = fence ? `the fence is ${fence.state}` : 'there is no fence item';
    if (removingAt)
      return fence?.state === 'closed'
        ? { status: 'ready', detail }
        : { status: 'absent', detail, others: await context.notOurs([]) };
    const isClosed = fence?.state === 'closed' && fence.verified !== undefined;
    if (!isClosed || fence.moveId !== operation.id || fence.attempt !== previous.attempt)
      return { status: 'failed', detail };
    const lock = await context.aws.locks.find(lockPlaceOf(context));
    return lock?.attempt === previous.attempt
      ? { status: 'ready', detail: `${detail}, and ${fence.verified.count} rows are in both tables` }
      : { status: 'failed', detail: `${detail}, and another attempt may write rows into table ${toTable}` };
  },

  differs: () => Promise.resolve([]),

  async remove(context) {
    await (context.isPastCommit === true ? switchOver(context) : open(context));
    return { status: 'removed', others: await context.notOurs([]) };
  },
};

/** THE switch. Where the fence was opened after the commit, what is written since is brought over first. */
async function switchOver(context: SwitchContext): Promise<void> {
  const { aws, db, tenant } = context;
  const place = fencePlaceOf(context);
  for (;;) {
    const fence = await untilAnswered(() => aws.fences.find(place));
    if (!fence)
      throw new StepError('READINESS_LOST', `the fence item of account ${tenant.id} is gone before the switch`, {
        detail:
          'rows may have been written to either table since: compare them by hand, then put the item back (docs/accounts.md)',
      });
    if (fence.state === 'moved') return;
    const { moveId } = fence;
    const attempt = await verifiedBy(context, fence);
    const movedAt = (await readClock(db)).toISOString();
    const condition = { moveId, states: ['closed'], attempt, isVerified: true } as const;
    const move = () => aws.fences.change(place, condition, { state: 'moved', movedAt });
    const isMoved = async () => (await aws.fences.find(place))?.state === 'moved';
    if (await untilChanged(move, isMoved)) return;
    context.signal.throwIfAborted();
  }
}

/**
 * Seals the lock of the own table, from the attempt that compared the rows: nobody has written a row since, nor does from then on. Whoever
 * held it meanwhile, or opened the fence, makes another comparison necessary.
 * @returns the attempt that closed the fence
 */
async function verifiedBy(context: SwitchContext, fence: MarkedFence): Promise<string> {
  const { locks } = context.aws;
  const place = lockPlaceOf(context);
  const { attempt } = fence;
  const isSealed = async (from: string) => {
    const lock = await locks.find(place);
    return lock?.isSealed === true && lock.sealedFrom === from;
  };
  const seal = (from: string) =>
    untilChanged(
      () => locks.seal(place, from),
      () => isSealed(from),
    );
  if (fence.state === 'closed' && fence.verified && attempt !== undefined) {
    if (await seal(attempt)) return attempt;
    // By an attempt of this removal, whose answer was lost.
    if (await untilAnswered(() => isSealed(attempt))) return attempt;
  }
  const closed = await closeVerified(context, fence.moveId);
  if (await seal(closed.attempt)) return closed.attempt;
  throw new StepError(
    'CONFLICT_RETRYABLE',
    `another attempt began to write rows into table ${place.table} before the switch`,
  );
}

async function open(context: SwitchContext): Promise<void> {
  const fence = await context.aws.fences.find(fencePlaceOf(context));
  if (!fence) return;
  refuseMoved(fence, context);
  const { moveId } = fence;
  // Of no attempt: whatever one of them sends late is refused.
  const change = { state: 'open', attempt: null, verified: null } as const;
  if (await context.aws.fences.change(fencePlaceOf(context), { moveId, states: ['open', 'closed'] }, change)) return;
  throw new StepError('CONFLICT_RETRYABLE', `the fence of account ${context.tenant.id} was changed meanwhile`);
}

function refuseMoved({ state, toTable }: MarkedFence, { tenant }: SwitchContext): void {
  if (state !== 'moved') return;
  throw new StepError('PROTECTED', `account ${tenant.id} was moved to table ${toTable}: services write there`, {
    detail: 'an undo does not take them back to the old table',
  });
}
