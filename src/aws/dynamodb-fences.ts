import {
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import {
  fenceAttributes,
  fenceKey,
  parseFence,
  type Fence,
  type FenceState,
  type VerifiedRows,
} from '../accounts-router/fence.ts';
import { StepError } from '../contracts/step-error.ts';
import { unlessNowhere, unlessRefused } from './dynamodb-items.ts';
import { fromAttributes, MARK_ATTRIBUTE, markIn, toAttributes, type Item } from './dynamodb-values.ts';
import type { Tags } from './tags.ts';

/** The fence item of an account: by its table, and the account's id. */
export interface FencePlace {
  readonly table: string;
  readonly accountId: string;
}

export interface MarkedFence extends Fence {
  /** Empty without a mark. */
  readonly mark: Tags;
  /** The attempt that may close it. */
  readonly attempt: string | undefined;
}

/** What a fence must be for a change of it. */
export interface FenceCondition {
  readonly moveId: string;
  readonly states: readonly FenceState[];
  /** The attempt that may close it is this one still. */
  readonly attempt?: string | undefined;
  /** Count and checksum of the rows are in it. */
  readonly isVerified?: true;
}

export interface FenceChange {
  readonly state?: FenceState;
  readonly moveId?: string;
  readonly toTable?: string;
  /** Null: none may close it. */
  readonly attempt?: string | null;
  readonly movedAt?: string;
  /** Null takes them off. */
  readonly verified?: VerifiedRows | null;
  readonly mark?: Tags;
  /** Ids of registrations that are taken off. */
  readonly brokenWriters?: readonly string[];
}

/**
 * The items by which routers and the mover of an account agree on its table (src/accounts-router/fence.ts). Each write has a condition, so
 * that one which lands late changes nothing that another attempt made. Every method throws StepError.
 */
export interface Fences {
  /** By a consistent read; undefined when there is none, or no such table. */
  find(place: FencePlace): Promise<MarkedFence | undefined>;
  /** Makes an open one. @returns whether it was made: not where there is an item already */
  create(
    place: FencePlace,
    made: { readonly toTable: string; readonly moveId: string; readonly mark: Tags },
  ): Promise<boolean>;
  /** @returns whether it was changed: not where the fence is another by now */
  change(place: FencePlace, condition: FenceCondition, change: FenceChange): Promise<boolean>;
}

/** The item with the key of a fence, by a consistent read; undefined when there is none, or no such table. */
export async function readAt(
  client: DynamoDBClient,
  { accountId, table: TableName }: FencePlace,
): Promise<Record<string, AttributeValue> | undefined> {
  const Key = toAttributes(fenceKey(accountId));
  return (await unlessNowhere(() => client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))))?.Item;
}

export function createFences(client: DynamoDBClient): Fences {
  return {
    async find(place) {
      const found = await readAt(client, place);
      if (!found) return undefined;
      const { [MARK_ATTRIBUTE]: mark, ...rest } = found;
      const item = fromAttributes(rest);
      return { ...fenceIn(item), mark: markIn(mark), attempt: textIn(item[ATTEMPT]) };
    },

    create: ({ accountId, table: TableName }, { mark, moveId, toTable }) =>
      unlessRefused(() =>
        client.send(
          new PutItemCommand({
            TableName,
            Item: toAttributes({
              ...fenceKey(accountId),
              ...{ [MARK_ATTRIBUTE]: mark, state: 'open', toTable, moveId, writers: {} },
            }),
            ConditionExpression: 'attribute_not_exists(PK)',
          }),
        ),
      ),

    change: ({ accountId, table: TableName }, condition, change) =>
      unlessRefused(() =>
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: toAttributes(fenceKey(accountId)),
            ...updateOf(change, condition),
          }),
        ),
      ),
  };
}

/** The mover's own attribute: routers do not read it. */
const ATTEMPT = 'attempt';

function fenceIn(item: Item): Fence {
  try {
    const fence = parseFence(item);
    if (fence) return fence;
  } catch (cause) {
    throw new StepError('INVALID_REQUEST', cause instanceof Error ? cause.message : String(cause), { cause });
  }
  throw new StepError('INVALID_REQUEST', 'the fence item of the account is empty');
}

function updateOf(change: FenceChange, condition: FenceCondition) {
  const { attempt: closer, brokenWriters = [], mark, verified, ...plain } = change;
  const set: Item = {
    ...plain,
    ...(typeof closer === 'string' && { [ATTEMPT]: closer }),
    ...(mark && { [MARK_ATTRIBUTE]: mark }),
    ...(verified && { [fenceAttributes.count]: verified.count, [fenceAttributes.checksum]: verified.checksum }),
  };
  const dropped = [
    ...(verified === null ? [fenceAttributes.count, fenceAttributes.checksum] : []),
    ...(closer === null ? [ATTEMPT] : []),
  ];
  const assigned = Object.entries(set).map(([name, value], i) => ({ name, value, at: `#s${i}`, of: `:s${i}` }));
  const writers = brokenWriters.map((name, i) => ({ name, at: `#w${i}` }));
  const removed = [...dropped.map((name) => `#${name}`), ...writers.map(({ at }) => `#writers.${at}`)];
  const clauses = [
    ...(assigned.length > 0 ? [`SET ${assigned.map(({ at, of }) => `${at} = ${of}`).join(', ')}`] : []),
    ...(removed.length > 0 ? [`REMOVE ${removed.join(', ')}`] : []),
  ];
  const { attempt, isVerified, moveId, states } = condition;
  const given = states.map((value, i) => ({ value, of: `:state${i}` }));
  const wanted = [
    '#moveId = :moveId',
    `#state IN (${given.map(({ of }) => of).join(', ')})`,
    ...(attempt === undefined ? [] : ['#attempt = :attempt']),
    ...(isVerified ? ['attribute_exists(#checksum)'] : []),
  ];
  return {
    UpdateExpression: clauses.join(' '),
    ConditionExpression: wanted.join(' AND '),
    ExpressionAttributeNames: {
      ...Object.fromEntries([...assigned, ...writers].map(({ at, name }) => [at, name])),
      ...Object.fromEntries(dropped.map((name) => [`#${name}`, name])),
      ...(writers.length > 0 && { '#writers': fenceAttributes.writers }),
      ...(attempt !== undefined && { '#attempt': ATTEMPT }),
      ...(isVerified && { '#checksum': fenceAttributes.checksum }),
      ...{ '#moveId': fenceAttributes.moveId, '#state': fenceAttributes.state },
    },
    ExpressionAttributeValues: toAttributes({
      ...Object.fromEntries([...assigned, ...given].map(({ of, value }) => [of, value])),
      ':moveId': moveId,
      ...(attempt !== undefined && { ':attempt': attempt }),
    }),
  };
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
