import { z } from 'zod';
import { fencePartition, fenceSortKey } from '../../accounts-router/fence.ts';
import type { MarkedFence } from '../../aws/dynamodb-fences.ts';
import { isOwnedBy, ownerOf, type Tags } from '../../aws/tags.ts';
import { StepError } from '../../contracts/step-error.ts';
import { dynamodbTableName } from '../../formats.ts';
import { itemName } from '../../naming.ts';
import { itemType } from '../dynamodb-item/type.ts';
import { changedFields } from '../framework/differences.ts';
import { defineKind } from '../framework/define-kind.ts';
import type { StepContext } from '../framework/kind.ts';
import { fencePlaceOf, lockPlaceOf, tablesInCell } from './places.ts';

/** `table`: the one that the account's rows are in, and its fence with them. `toTable`: the account's own, which they move to. */
const spec = z.strictObject({ table: dynamodbTableName, toTable: dynamodbTableName });
/** `moveId`: of the operation. */
const outputs = z.strictObject({ name: z.string(), table: z.string(), toTable: z.string(), moveId: z.string() });

type FenceSpec = z.output<typeof spec>;
type FenceOutputs = z.output<typeof outputs>;
type Context = StepContext<FenceSpec, FenceOutputs>;
type Found = MarkedFence & { readonly physicalId: string; readonly tags: Tags };

/**
 * The item by which routers and the mover of an account agree on its table (docs/adr/0022-moving-an-account.md). It is made open, and deleted
 * when no router asks for it any more.
 */
export const accountFence = defineKind({
  name: 'account-fence',
  type: 'dynamodb:item',
  noun: 'fence',
  swept: itemType,
  spec,
  outputs,
  permissions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
  inCell: tablesInCell,
  namedBy: ({ table }) => itemName(table, '', fenceSortKey),
  nameOf: ({ spec: { table }, tenant }) => itemName(table, fencePartition(tenant.id), fenceSortKey),
  find,
  async create(context, name): Promise<Found> {
    const {
      aws,
      operation,
      spec: { toTable },
      tags,
    } = context;
    // First, so that no fence is without one.
    await aws.locks.create(lockPlaceOf(context), tags);
    await aws.fences.create(fencePlaceOf(context), { toTable, moveId: operation.id, mark: tags });
    // Made by this attempt, by one without an answer, or by somebody else: a look tells.
    const there = await find(context, name);
    if (there && isOwnedBy(there.tags, ownerOf(tags))) return there;
    throw new StepError('CONFLICT_RETRYABLE', `fence ${name} was made by somebody else meanwhile, or went`);
  },
  async converge(context, found) {
    const {
      aws,
      operation,
      spec: { toTable },
      tags,
    } = context;
    const isOfThis = isOfThisMove(context, found);
    if (!isOfThis) refuseMoved(found);
    if (found.state !== 'moved') await aws.locks.create(lockPlaceOf(context), tags);
    if (isOfThis) return;
    // What an earlier move left: nobody works on it any more.
    const isTaken = await aws.fences.change(
      fencePlaceOf(context),
      { moveId: found.moveId, states: ['open', 'closed'] },
      { state: 'open', moveId: operation.id, toTable, attempt: null, verified: null, mark: tags },
    );
    if (!isTaken)
      throw new StepError('CONFLICT_RETRYABLE', `fence ${found.physicalId} was changed, or went, meanwhile`);
  },
  status: (context, found) =>
    isOfThisMove(context, found)
      ? { status: 'ready', detail: `the fence is ${found.state}` }
      : { status: 'failed', detail: `the fence is of move ${found.moveId} to table ${found.toTable}` },
  differs: ({ operation, spec: { toTable } }, found) =>
    changedFields({ moveId: [operation.id, found.moveId], toTable: [toTable, found.toTable] }),
  outputsOf: ({ operation, spec: { table, toTable } }, { physicalId: name }) => ({
    ...{ name, table, toTable, moveId: operation.id },
  }),
  idIn: ({ name }) => name,
  removalStatus: (_context, { physicalId }) => ({ status: 'ready', detail: `fence ${physicalId} is there` }),
  async remove(context, name) {
    const {
      aws,
      spec: { table },
      tags,
      tenant,
    } = context;
    const found = await find(context, name);
    if (!found || !isOwnedBy(found.tags, ownerOf(tags))) return;
    if (found.state === 'moved' && context.isPastCommit !== true) throw movedAlready(found);
    const address = {
      table,
      partitionKey: { name: 'PK', value: fencePartition(tenant.id) },
      sortKey: { name: 'SK', value: fenceSortKey },
    };
    await removeLock(context);
    if (await aws.items.removeItem(address, found.tags)) return;
    throw new StepError('CONFLICT_RETRYABLE', `fence ${name} lost its mark, or went, while it was removed`);
  },
});

/** Once the fence may go nobody is to write a row by the lock: without one nobody does. */
async function removeLock(context: Context): Promise<void> {
  const { aws, tags } = context;
  const place = lockPlaceOf(context);
  const lock = await aws.locks.find(place);
  if (!lock) return;
  if (!isOwnedBy(lock.mark, ownerOf(tags)))
    throw new StepError(
      'STILL_PRESENT',
      `the lock of account ${place.accountId} in table ${place.table} lost its mark`,
      {
        detail: 'put its mark back, or delete it by hand, then retry',
      },
    );
  await aws.locks.remove(place, lock.mark);
}

async function find(context: Context, name: string): Promise<Found | undefined> {
  const fence = await context.aws.fences.find(fencePlaceOf(context));
  return fence && { ...fence, physicalId: name, tags: fence.mark };
}

function isOfThisMove({ operation, spec: { toTable } }: Context, fence: MarkedFence): boolean {
  return fence.moveId === operation.id && fence.toTable === toTable;
}

function refuseMoved(fence: Found): void {
  if (fence.state === 'moved') throw movedAlready(fence);
}

function movedAlready({ moveId, physicalId, toTable }: Found): StepError {
  return new StepError('PROTECTED', `fence ${physicalId} says that the account was moved to table ${toTable}`, {
    detail: `by move ${moveId}: services write there, so neither the fence nor that table is taken away by an undo`,
  });
}
