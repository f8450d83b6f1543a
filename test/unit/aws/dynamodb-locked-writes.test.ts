import {
  DynamoDBClient,
  TransactionCanceledException,
  type CancellationReason,
  type TransactWriteItem,
  type TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { writeLocked } from '../../../src/aws/dynamodb-locked-writes.ts';
import { createRowLocks } from '../../../src/aws/dynamodb-locks.ts';
import { bytesOfRow } from '../../../src/aws/row-size.ts';
import type { Row } from '../../../src/aws/row-checksum.ts';
import { StepError } from '../../../src/contracts/step-error.ts';

const accountId = '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11';
const place = { table: 'own', accountId };
const check = { Key: { PK: { S: 'lock' } }, ConditionExpression: '#attempt = :attempt' };
const notOf = { installationId: 'installation', tenantId: accountId };
const rowsOf = (count: number, text = ''): Row[] =>
  Array.from({ length: count }, (_, i) => ({ PK: { S: 'A' }, SK: { S: String(i) }, text: { S: text } }));

/**
 * Locks whose client never sends anything.
 * @param reasons for which the table cancels a transaction, or what becomes of it, by its number; undefined: it takes it
 */
function table(reasons: (call: number) => readonly string[] | Error | undefined = () => undefined) {
  const client = new DynamoDBClient({ region: 'us-east-1' });
  const calls: TransactWriteItem[][] = [];
  const tokens: (string | undefined)[] = [];
  const answer = (_next: unknown) => (args: { input: TransactWriteItemsCommandInput }) => {
    tokens.push(args.input.ClientRequestToken);
    const codes = reasons(calls.push(args.input.TransactItems ?? []));
    if (codes instanceof Error) return Promise.reject(codes);
    const CancellationReasons = codes?.map((Code): CancellationReason => ({ Code }));
    return CancellationReasons
      ? Promise.reject(new TransactionCanceledException({ message: 'canceled', $metadata: {}, CancellationReasons }))
      : Promise.resolve({ output: { $metadata: {} } });
  };
  client.middlewareStack.add(answer as never, { step: 'initialize', name: 'table' } as never);
  const endOf = (written: Promise<void>) =>
    written.then(
      () => 'written',
      (error: unknown) => error,
    );
  const write = (put: readonly Row[], remove: readonly Row[] = []) =>
    endOf(createRowLocks(client).write(place, 'mine', { put, remove, notOf }));
  const giveUp = (rounds: number) =>
    endOf(writeLocked(client, 'own', check, { put: rowsOf(1), remove: [], notOf }, rounds));
  return { calls, giveUp, tokens, write };
}

describe('writing rows under a lock', () => {
  it('sends the lock with each part, and no more rows than a transaction takes', async () => {
    const { calls, write } = table();
    expect(await write(rowsOf(120), rowsOf(30))).toBe('written');
    expect(calls.map((items) => items.length)).toEqual([100, 52]);
    for (const [first, ...rows] of calls) {
      expect(first?.ConditionCheck).toMatchObject({
        Key: { PK: { S: `ACCOUNT#${accountId}#FENCE` }, SK: { S: 'FENCE' } },
        ExpressionAttributeValues: { ':attempt': { S: 'mine' } },
      });
      expect(rows.every(({ Delete, Put }) => (Put ?? Delete)?.TableName === 'own')).toBe(true);
    }
  });

  it('sends less than 4 MB at once, and nothing where there is nothing', async () => {
    const { calls, write } = table();
    expect(await write(rowsOf(12, 'x'.repeat(390_000)))).toBe('written');
    for (const items of calls)
      expect(items.reduce((sum, { Put }) => sum + bytesOfRow(Put?.Item ?? {}), 0)).toBeLessThan(4_000_000);
    expect(calls.flatMap((items) => items.slice(1))).toHaveLength(12);
    expect(await write([])).toBe('written');
    expect(calls.every((items) => items.length > 1)).toBe(true);
  });

  it.each([['TransactionConflict'], ['ThrottlingError'], ['ProvisionedThroughputExceeded']])(
    'tries again after %s',
    async (code) => {
      const { calls, write } = table((call) => (call === 1 ? ['None', code] : undefined));
      expect(await write(rowsOf(1))).toBe('written');
      expect(calls).toHaveLength(2);
    },
  );

  it('sends what nobody knows the outcome of again as the same transaction, so that a late one does nothing', async () => {
    const conflict = ['None', 'TransactionConflict'];
    const ends = [conflict, new StepError('UNCLEAR', 'cut'), conflict, undefined];
    const { calls, tokens, write } = table((call) => ends[call - 1]);
    expect(await write(rowsOf(1))).toBe('written');
    expect(calls.slice(1)).toEqual(calls.slice(0, -1));
    const [first, unclear, ...after] = tokens;
    expect(unclear).toMatch(/./);
    expect(first).not.toBe(unclear);
    expect(after).toEqual([unclear, unclear]);
    expect(await write(rowsOf(1))).toBe('written');
    expect(tokens.at(-1)).not.toBe(unclear);
  });

  it.each([
    ['the lock is another attempt’s', ['ConditionalCheckFailed', 'None'], 'another attempt writes rows'],
    ['also where something else keeps it too', ['ConditionalCheckFailed', 'TransactionConflict'], 'another attempt'],
    ['a row bears a mark', ['None', 'ConditionalCheckFailed'], "control plane's mark"],
  ])('ends at once, with what comes after it unsent: %s', async (_why, codes, message) => {
    const { calls, write } = table(() => codes);
    expect(await write(rowsOf(150))).toMatchObject({
      code: 'CONFLICT_RETRYABLE',
      message: expect.stringContaining(message) as string,
    });
    expect(calls).toHaveLength(1);
  });

  it('ends with what DynamoDB says where trying again does not help, or never does', async () => {
    const refused = table(() => ['None', 'ValidationError']);
    expect(await refused.write(rowsOf(1))).toBeInstanceOf(TransactionCanceledException);
    expect(refused.calls).toHaveLength(1);
    const busy = table(() => ['TransactionConflict', 'None']);
    expect(await busy.giveUp(2)).toBeInstanceOf(TransactionCanceledException);
    expect(busy.calls).toHaveLength(2);
  });
});

describe('the bytes of a row', () => {
  it('are those of its names and values', () => {
    expect(bytesOfRow({ PK: { S: 'é' }, n: { N: '12' }, b: { B: Buffer.alloc(7) } })).toBe(2 + 2 + 1 + 3 + 1 + 7);
    expect(bytesOfRow({ l: { L: [{ BOOL: true }, { M: { a: { SS: ['x', 'yz'] } } }] } })).toBe(
      1 + 3 + (1 + 1) + (1 + 3 + 1 + 1 + 3),
    );
  });
});
