import { DeleteParametersCommand } from '@aws-sdk/client-ssm';
import { DeleteCommand, PutCommand, QueryCommand, UpdateCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { accountPartition } from 'tenantry/accounts';
import { fenceKey, leaseTimes, moveParameterName, parseFence, rowMark } from '../../src/accounts-router/fence.ts';
import type { RouterWorld } from './fixture.ts';

export const leaseSeconds = 1;

/** Moves an account step by step, as the contract of the router says (docs/adr/0022-moving-an-account.md). */
export class Mover {
  readonly toTable = `app-prod-account-${randomUUID()}`;
  readonly #world: RouterWorld;
  readonly #accountId: string;

  constructor(world: RouterWorld, accountId: string) {
    this.#world = world;
    this.#accountId = accountId;
  }

  /**
   * The fence is open, and every router knows of it, or acknowledges nothing.
   * @param routers where none was used before, nothing has to be waited for
   */
  async announce(routers: 'old' | 'new' = 'old'): Promise<void> {
    const { dynamodb, sharedTable, makeTable, setParameters } = this.#world;
    await makeTable(this.toTable);
    const fence = {
      state: 'open',
      toTable: this.toTable,
      moveId: randomUUID(),
      writers: {},
      [rowMark]: { of: 'move' },
    };
    await dynamodb.send(new PutCommand({ TableName: sharedTable, Item: { ...fenceKey(this.#accountId), ...fence } }));
    await setParameters({ [moveParameterName(this.#accountId)]: this.toTable });
    if (routers === 'old') await sleep(leaseTimes(leaseSeconds).awaitMs);
  }

  async state(state: 'open' | 'closed' | 'moved'): Promise<void> {
    await this.#update('SET #s = :s', { '#s': 'state' }, { ':s': state });
  }

  async writers(): Promise<string[]> {
    const { dynamodb, sharedTable: TableName } = this.#world;
    const get = new GetCommand({ TableName, Key: fenceKey(this.#accountId), ConsistentRead: true });
    return Object.keys(parseFence((await dynamodb.send(get)).Item)?.writers ?? {});
  }

  /** Takes all writers for ones that stand still. */
  async breakWriters(): Promise<void> {
    for (const id of await this.writers()) await this.#update('REMOVE writers.#id', { '#id': id });
  }

  async makeEqual(): Promise<void> {
    const [from, to] = [await this.#rows(this.#world.sharedTable), await this.#rows(this.toTable)];
    await this.#world.plant(this.toTable, ...from);
    const kept = new Set(from.map(({ SK }) => SK));
    for (const { PK, SK } of to)
      if (!kept.has(SK))
        await this.#world.dynamodb.send(new DeleteCommand({ TableName: this.toTable, Key: { PK, SK } }));
  }

  /** From the closed fence on; who is registered may finish, unless it is taken for one that stands still. */
  async switchOver({ doBreak = false } = {}): Promise<void> {
    await this.state('closed');
    if (doBreak) await this.breakWriters();
    while ((await this.writers()).length > 0) await sleep(20);
    await this.makeEqual();
    await this.#say('private', this.toTable);
    await this.state('moved');
  }

  /** What is left of the move goes, and the old rows with it. */
  async retire(): Promise<void> {
    await this.#forget();
    await this.#delete(this.#world.sharedTable, await this.#rows(this.#world.sharedTable));
    await this.#deleteFence();
  }

  async backOut(): Promise<void> {
    await this.state('open');
    await this.#say('public', this.#world.sharedTable);
    await this.#forget();
    await this.#deleteFence();
  }

  async #say(cloudType: string, tableName: string): Promise<void> {
    const at = `/accounts/${this.#accountId}`;
    await this.#world.setParameters({ [`${at}/cloud-type`]: cloudType, [`${at}/dynamodb/table-name`]: tableName });
  }

  async #forget(): Promise<void> {
    await sleep(leaseTimes(leaseSeconds).settleMs);
    await this.#world.ssm.send(new DeleteParametersCommand({ Names: [moveParameterName(this.#accountId)] }));
  }

  async #deleteFence(): Promise<void> {
    await this.#delete(this.#world.sharedTable, [fenceKey(this.#accountId)]);
  }

  async #delete(TableName: string, rows: readonly Partial<Record<'PK' | 'SK', unknown>>[]): Promise<void> {
    const keys = rows.map(({ PK, SK }) => ({ PK, SK }));
    await Promise.all(keys.map((Key) => this.#world.dynamodb.send(new DeleteCommand({ TableName, Key }))));
  }

  async #rows(TableName: string): Promise<Record<string, unknown>[]> {
    const query = { TableName, KeyConditionExpression: 'PK = :p', ConsistentRead: true };
    const ExpressionAttributeValues = { ':p': accountPartition(this.#accountId) };
    return (await this.#world.dynamodb.send(new QueryCommand({ ...query, ExpressionAttributeValues }))).Items ?? [];
  }

  async #update(
    UpdateExpression: string,
    names: Record<string, string>,
    values?: Record<string, string>,
  ): Promise<void> {
    const update = { Key: fenceKey(this.#accountId), UpdateExpression, ExpressionAttributeNames: names };
    const TableName = this.#world.sharedTable;
    await this.#world.dynamodb.send(
      new UpdateCommand({ TableName, ...update, ...(values && { ExpressionAttributeValues: values }) }),
    );
  }
}
