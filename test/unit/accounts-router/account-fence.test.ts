import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, type GetCommand, type UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AccountFence } from '../../../src/accounts-router/account-fence.ts';
import { defaultTableKeys } from '../../../src/accounts-router/table-keys.ts';
import { own, ownId } from './fixture.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

interface Sent {
  readonly input: GetCommand['input'] & UpdateCommand['input'];
  readonly answer: (output?: object) => Promise<void>;
  readonly fail: (name: string) => Promise<void>;
}

/** Answers come when the test gives them. */
function open() {
  const sent: Sent[] = [];
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }));
  client.send = ({ input }: { readonly input: object }) =>
    new Promise<never>((resolve, reject) => {
      sent.push({
        input: input as Sent['input'],
        answer: (output = {}) => {
          resolve(output as never);
          return flushed();
        },
        fail: (name) => {
          reject(Object.assign(new Error(name), { name }));
          return flushed();
        },
      });
    });
  const options = { client, accountId: ownId, tableName: 'shared', keys: defaultTableKeys, timeoutMs: 5_000 };
  return { sent, fence: new AccountFence(options) };
}

async function flushed(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
}

const item = (state: string, ...writers: string[]) => ({
  Item: { state, toTable: 'own', moveId: 'm', writers: Object.fromEntries(writers.map((id) => [id, 1])) },
});
const idOf = ({ input }: Sent) => input.ExpressionAttributeNames?.['#id'] ?? '';

describe('a look at the fence', () => {
  it('is consistent, at its own key, and never one that was under way before', async () => {
    const { sent, fence } = open();
    const first = fence.read();
    const others = [fence.read(), fence.read()];
    expect(sent.map(({ input }) => input)).toEqual([
      { TableName: 'shared', Key: { PK: `${own}#FENCE`, SK: 'FENCE' }, ConsistentRead: true },
    ]);
    await sent[0]?.answer(item('open'));
    expect(await first).toMatchObject({ state: 'open' });
    expect(sent).toHaveLength(2);
    await sent[1]?.answer(item('moved'));
    expect((await Promise.all(others)).map((each) => each?.state)).toEqual(['moved', 'moved']);
    expect(sent).toHaveLength(2);
    expect(fence.movedTo).toBe('own');
  });

  it('that fails is no reason for the next to fail', async () => {
    const { sent, fence } = open();
    const [first, second] = [fence.read(), fence.read()];
    const failed = expect(first).rejects.toMatchObject({ code: 'ACCOUNT_LOOKUP_FAILED' });
    await sent[0]?.fail('TimeoutError');
    await failed;
    await sent[1]?.answer();
    expect(await second).toBeUndefined();
  });
});

describe('a registration', () => {
  it('is shared by writes of a time, and ends half a second after the last', async () => {
    const { sent, fence } = open();
    const entering = [fence.enter(), fence.enter()];
    await sent[0]?.answer();
    const registrations = await Promise.all(entering);
    expect(registrations[0]).toBe(registrations[1]);
    expect(sent[0]?.input).toMatchObject({ ConditionExpression: '#state = :open' });
    registrations[0]?.leave();
    await vi.advanceTimersByTimeAsync(550);
    expect(sent).toHaveLength(1);
    registrations[1]?.leave();
    await vi.advanceTimersByTimeAsync(400);
    const later = await fence.enter();
    expect(later).toBe(registrations[0]);
    later?.leave();
    await vi.advanceTimersByTimeAsync(500);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.input).toMatchObject({
      ...{ UpdateExpression: 'REMOVE #writers.#id', ConditionExpression: 'attribute_exists(#writers.#id)' },
      ExpressionAttributeNames: { '#id': later?.id },
    });
  });

  it('stays while a write is under way, and ends at once after it when the fence is closed', async () => {
    const { sent, fence } = open();
    const entering = fence.enter();
    await sent[0]?.answer();
    const registration = await entering;
    const look = fence.read();
    await sent[1]?.answer(item('closed', idOf(sent[0]!)));
    await look;
    expect(sent).toHaveLength(2);
    registration?.leave();
    await flushed();
    expect(sent[2]?.input.UpdateExpression).toBe('REMOVE #writers.#id');
    expect(idOf(sent[2]!)).toBe(registration?.id);
  });

  it.each([
    ['by the clock on the wall', () => void vi.setSystemTime(Date.now() + 1_001)],
    ['by the monotonic clock', () => void vi.advanceTimersByTime(1_001)],
  ])('that was not seen for a second, %s, begins no write: another is asked for', async (_clock, passTime) => {
    const { sent, fence } = open();
    const entering = fence.enter();
    await sent[0]?.answer();
    const first = await entering;
    passTime();
    const later = fence.enter();
    expect(idOf(sent[1]!)).not.toBe(first?.id);
    await sent[1]?.fail('ConditionalCheckFailedException');
    expect(await later).toBeUndefined();
    // The write that is under way by the first leaves it.
    first?.leave();
    await flushed();
    expect(sent[2]?.input).toMatchObject({ UpdateExpression: 'REMOVE #writers.#id' });
    expect(idOf(sent[2]!)).toBe(first?.id);
  });

  it('that a look at the fence has confirmed is used from then on', async () => {
    const { sent, fence } = open();
    const entering = fence.enter();
    await sent[0]?.answer();
    const registration = await entering;
    vi.advanceTimersByTime(900);
    const look = fence.read();
    vi.advanceTimersByTime(600);
    await sent[1]?.answer(item('open', idOf(sent[0]!)));
    await look;
    expect(await fence.enter()).toBe(registration);
    vi.advanceTimersByTime(500);
    // A second has passed since it was asked for.
    void fence.enter();
    expect(idOf(sent[2]!)).not.toBe(registration?.id);
  });

  it('whose answer comes too late is none, and gives up after some', async () => {
    const { sent, fence } = open();
    const entering = fence.enter();
    const failed = expect(entering).rejects.toMatchObject({ code: 'ACCOUNT_LOOKUP_FAILED' });
    const answered: string[] = [];
    for (;;) {
      const next = sent.find(
        (each) => each.input.ConditionExpression === '#state = :open' && !answered.includes(idOf(each)),
      );
      if (!next) break;
      answered.push(idOf(next));
      vi.advanceTimersByTime(1_000);
      await next.answer();
    }
    await failed;
    expect(new Set(answered).size).toBe(3);
    const takenBack = sent.filter(({ input }) => input.UpdateExpression?.startsWith('REMOVE'));
    expect(takenBack.map(idOf)).toEqual(answered);
  });

  it('that the mover removed is not used any more', async () => {
    const { sent, fence } = open();
    const entering = fence.enter();
    await sent[0]?.answer();
    await entering;
    const look = fence.read();
    await sent[1]?.answer(item('open'));
    await look;
    void fence.enter();
    expect(idOf(sent[2]!)).not.toBe(idOf(sent[0]!));
  });

  it('whose answer was lost is not trusted: the next has another id, and the first is taken back', async () => {
    const { sent, fence } = open();
    const entering = fence.enter();
    const failed = expect(entering).rejects.toMatchObject({ code: 'ACCOUNT_LOOKUP_FAILED' });
    await sent[0]?.fail('TimeoutError');
    await failed;
    void fence.enter();
    await flushed();
    const ids = sent.map(idOf);
    expect(ids[1]).not.toBe(ids[2]);
    expect(ids.filter((id) => id === ids[0])).toHaveLength(2);
  });

  it('is none while the fence is not open, and takes nothing back', async () => {
    const { sent, fence } = open();
    const entering = fence.enter();
    await sent[0]?.fail('ConditionalCheckFailedException');
    expect(await entering).toBeUndefined();
    await flushed();
    expect(sent).toHaveLength(1);
  });
});
