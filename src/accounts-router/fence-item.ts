import { GetCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isNamed } from './error-names.ts';
import { AccountLookupError } from './errors.ts';
import { fenceAttributes, fencePartition, fenceSortKey, parseFence, type Fence } from './fence.ts';
import type { TableKeys } from './table-keys.ts';

export interface FenceItemOptions {
  readonly client: DynamoDBDocumentClient;
  readonly accountId: string;
  /** The shared table. */
  readonly tableName: string;
  readonly keys: Pick<TableKeys, 'partitionKey' | 'sortKey'>;
  /** How long DynamoDB has to answer. */
  readonly timeoutMs: number;
}

/** Calls on the fence item of an account. @throws AccountLookupError when there is no answer, AccountParametersError when it is no fence */
export class FenceItem {
  readonly #options: FenceItemOptions;
  #reading: Promise<Fence | undefined> | undefined;
  #next: Promise<Fence | undefined> | undefined;

  constructor(options: FenceItemOptions) {
    this.#options = options;
  }

  /** As it is now, or later: one that is being read may have been answered before, so whoever comes meanwhile shares the one after it. */
  read(): Promise<Fence | undefined> {
    if (!this.#reading) return this.#begin();
    const begin = () => this.#begin();
    this.#next ??= this.#reading.then(begin, begin);
    return this.#next;
  }

  /** @returns whether the fence was open, and the registration was made */
  register(id: string): Promise<boolean> {
    return this.#update({
      UpdateExpression: `SET #writers.#id = :now`,
      ConditionExpression: '#state = :open',
      ExpressionAttributeNames: { '#writers': fenceAttributes.writers, '#id': id, '#state': fenceAttributes.state },
      ExpressionAttributeValues: { ':now': Date.now(), ':open': 'open' },
    });
  }

  /** @returns whether it was there */
  deregister(id: string): Promise<boolean> {
    return this.#update({
      UpdateExpression: `REMOVE #writers.#id`,
      // Without it the item would be made.
      ConditionExpression: 'attribute_exists(#writers.#id)',
      ExpressionAttributeNames: { '#writers': fenceAttributes.writers, '#id': id },
    });
  }

  #begin(): Promise<Fence | undefined> {
    this.#next = undefined;
    const reading = this.#get();
    this.#reading = reading;
    const end = () => {
      if (this.#reading === reading) this.#reading = undefined;
    };
    reading.then(end, end);
    return reading;
  }

  async #get(): Promise<Fence | undefined> {
    const { Item } = await this.#send((client, key, options) =>
      client.send(new GetCommand({ ...key, ConsistentRead: true }), options),
    );
    return parseFence(Item);
  }

  async #update(fields: Omit<UpdateCommand['input'], 'TableName' | 'Key'>): Promise<boolean> {
    try {
      await this.#send((client, key, options) => client.send(new UpdateCommand({ ...key, ...fields }), options));
      return true;
    } catch (error) {
      if (isNamed(error, 'ConditionalCheckFailedException')) return false;
      throw error;
    }
  }

  async #send<A>(
    send: (
      client: DynamoDBDocumentClient,
      key: Pick<UpdateCommand['input'], 'TableName' | 'Key'>,
      options: { readonly abortSignal: AbortSignal },
    ) => Promise<A>,
  ): Promise<A> {
    const { client, accountId, tableName: TableName, keys, timeoutMs } = this.#options;
    const Key = { [keys.partitionKey]: fencePartition(accountId), [keys.sortKey]: fenceSortKey };
    try {
      return await send(client, { TableName, Key }, { abortSignal: AbortSignal.timeout(timeoutMs) });
    } catch (cause) {
      if (isNamed(cause, 'ConditionalCheckFailedException', 'ResourceNotFoundException')) throw cause;
      throw new AccountLookupError(`DynamoDB did not answer which table account ${accountId} is in while it is moved`, {
        cause,
      });
    }
  }
}
