import { describe, expect, it } from 'vitest';
import { sendWholeBatch } from '../../../src/accounts-router/batches.ts';

const retry = { attempts: 4, baseDelayMs: 1, maxDelayMs: 2 };

/** DynamoDB that takes so many of a batch at a time. */
function taking(many: readonly number[], sent: number[][] = []) {
  const send = async (part: readonly number[]) => {
    const most = many[sent.length] ?? 0;
    sent.push([...part]);
    return { left: part.slice(most), items: part.slice(0, most), answer: part.length };
  };
  return { sent, send };
}

describe('a batch', () => {
  it('is sent until nothing of it is left', async () => {
    const { sent, send } = taking([1, 0, 2]);
    expect(await sendWholeBatch([1, 2, 3], retry, send, undefined)).toEqual({ items: [1, 2, 3], answers: [3, 2, 2] });
    expect(sent).toEqual([
      [1, 2, 3],
      [2, 3],
      [2, 3],
    ]);
  });

  it('of which something is left in the end fails with that, and with what was read', async () => {
    const { sent, send } = taking([1, 1]);
    const failed = sendWholeBatch([1, 2, 3], retry, send, undefined);
    await expect(failed).rejects.toMatchObject({ code: 'BATCH_UNPROCESSED', unprocessed: [3], items: [1, 2] });
    expect(sent).toHaveLength(4);
  });

  it('whose first attempt fails throws what it threw; a later one says what is left as well', async () => {
    const down = new Error('throttled');
    await expect(sendWholeBatch([1], retry, () => Promise.reject(down), undefined)).rejects.toBe(down);
    const { sent, send } = taking([1]);
    const once = (part: readonly number[]) => (sent.length === 0 ? send(part) : Promise.reject(down));
    const failed = sendWholeBatch([1, 2], retry, once, undefined);
    await expect(failed).rejects.toMatchObject({
      code: 'BATCH_UNPROCESSED',
      unprocessed: [2],
      items: [1],
      cause: down,
    });
  });

  it('that is ended while it waits says what is left', async () => {
    const { send } = taking([1]);
    const slow = { ...retry, baseDelayMs: 600_000, maxDelayMs: 600_000 };
    const failed = sendWholeBatch([1, 2], slow, send, AbortSignal.timeout(20));
    await expect(failed).rejects.toMatchObject({ code: 'BATCH_UNPROCESSED', unprocessed: [2] });
  });
});
