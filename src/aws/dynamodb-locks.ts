import { DeleteItemCommand, PutItemCommand, UpdateItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { fenceKey } from '../accounts-router/fence.ts';
import { readAt, type FencePlace } from './dynamodb-fences.ts';
import { unlessNowhere, unlessRefused } from './dynamodb-items.ts';
import { writeLocked, type RowChanges } from './dynamodb-locked-writes.ts';
import { fromAttributes, MARK_ATTRIBUTE, markIn, toAttribute, toAttributes } from './dynamodb-values.ts';
import type { Tags } from './tags.ts';

/** Who may write an account's rows into the table that they are moved to. */
export interface RowLock {
  /** Of the attempt that may: each is used once. */
  readonly attempt: string;
  /** The account is switched to that table, or about to be: no attempt may take the lock on the way forward. */
  readonly isSealed: boolean;
  /** The attempt that held it when it was sealed. */
  readonly sealedFrom: string | undefined;
  readonly mark: Tags;
}

/**
 * The item of an account's own table by which the mover of its rows keeps out attempts that it superseded: whatever writes a row there does
 * so on the condition that the lock is its own still, so that a write which lands late does nothing. It has the key of the fence, which is in
 * the other table. Every method throws StepError.
 */
export interface RowLocks {
  /** By a consistent read; undefined when there is none, or no such table. */
  find(place: FencePlace): Promise<RowLock | undefined>;
  /** Makes one that no attempt holds, unless there is one. */
  create(place: FencePlace, mark: Tags): Promise<void>;
  /** @param from the attempt that holds it. @returns whether it was taken: not where another one has taken it meanwhile, or it is gone */
  take(place: FencePlace, from: string, attempt: string): Promise<boolean>;
  /** Takes it for none, for good. @returns as {@link take} */
  seal(place: FencePlace, from: string): Promise<boolean>;
  /** Deletes the one with this mark; a missing one, or table, is done. */
  remove(place: FencePlace, mark: Tags): Promise<void>;
  /**
   * Makes these changes, some at a time: each either with all of its part, or not at all.
   * @throws StepError CONFLICT_RETRYABLE when another attempt has the lock; nothing is changed from then on
   */
  write(place: FencePlace, attempt: string, changes: RowChanges): Promise<void>;
}

/** Of a part of the rows: some five minutes. */
const ROUNDS = 60;

const ATTEMPT = 'attempt';
/** The attempt that held it before; '' where it is not sealed. */
const SEALED = 'sealedFrom';

export function createRowLocks(client: DynamoDBClient): RowLocks {
  const hand = ({ accountId, table }: FencePlace, from: string, attempt: string, sealedFrom: string) =>
    unlessRefused(() =>
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: toAttributes(fenceKey(accountId)),
          UpdateExpression: 'SET #attempt = :attempt, #sealed = :sealed',
          ConditionExpression: '#attempt = :from',
          ExpressionAttributeNames: { '#attempt': ATTEMPT, '#sealed': SEALED },
          ExpressionAttributeValues: toAttributes({ ':attempt': attempt, ':sealed': sealedFrom, ':from': from }),
        }),
      ),
    );
  return {
    async find(place) {
      const found = await readAt(client, place);
      if (!found) return undefined;
      const { [ATTEMPT]: attempt, [SEALED]: sealed } = fromAttributes(found);
      return {
        attempt: typeof attempt === 'string' ? attempt : '',
        ...(typeof sealed === 'string' && sealed !== ''
          ? { isSealed: true, sealedFrom: sealed }
          : { isSealed: false, sealedFrom: undefined }),
        mark: markIn(found[MARK_ATTRIBUTE]),
      };
    },

    async create({ accountId, table: TableName }, mark) {
      const Item = toAttributes({ ...fenceKey(accountId), [MARK_ATTRIBUTE]: mark, [ATTEMPT]: randomUUID() });
      await unlessRefused(() =>
        client.send(new PutItemCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(PK)' })),
      );
    },

    take: (place, from, attempt) => hand(place, from, attempt, ''),

    seal: (place, from) => hand(place, from, randomUUID(), from),

    async remove({ accountId, table: TableName }, mark) {
      await unlessNowhere(() =>
        unlessRefused(() =>
          client.send(
            new DeleteItemCommand({
              TableName,
              Key: toAttributes(fenceKey(accountId)),
              ConditionExpression: '#mark = :mark',
              ExpressionAttributeNames: { '#mark': MARK_ATTRIBUTE },
              ExpressionAttributeValues: { ':mark': toAttribute(mark) },
            }),
          ),
        ),
      );
    },

    write: ({ accountId, table }, attempt, changes) => {
      const lock = {
        Key: toAttributes(fenceKey(accountId)),
        ConditionExpression: '#attempt = :attempt',
        ExpressionAttributeNames: { '#attempt': ATTEMPT },
        ExpressionAttributeValues: toAttributes({ ':attempt': attempt }),
      };
      return writeLocked(client, table, lock, changes, ROUNDS);
    },
  };
}
