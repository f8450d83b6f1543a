import { describe, expect, it, vi } from 'vitest';
import { sidesOf } from '../../../../src/kinds/account-copy/sides.ts';
import { createCatchUp, untilLittleIsLeft } from '../../../../src/kinds/account-switch/catch-up.ts';

const accountId = '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11';
const sides = sidesOf(accountId, { table: 'shared', toTable: 'own' });

/** @param pages of each look: how many rows of the account changed, and whether that is all for now */
async function catchUpOn(page: (read: number) => { readonly own: number; readonly isCaughtUp: boolean }) {
  let reads = 0;

  const brought: string[] = [];
  const keyOf = (PK: string, i: number) => ({ PK: { S: PK }, SK: { S: String(i) } });
  const catchUp = await createCatchUp({
    sides,
    noted: JSON.stringify({ stream: 's', open: {} }),
    streams: {
      findStream: () => Promise.resolve('s'),
      notePosition: () => Promise.reject(new Error('unused')),
      readFrom: () => ({
        read: () => {
          const { isCaughtUp, own } = page((reads += 1));
          const others = Array.from({ length: 600 }, (_, i) => keyOf('ACCOUNT#other', i));
          const ours = Array.from({ length: own }, (_, i) => keyOf(`ACCOUNT#${accountId}`, i));
          return Promise.resolve({ keys: [...others, ...ours], hasGap: false, isCaughtUp });
        },
      }),
    },
    mover: {
      copy: () => Promise.reject(new Error('unused')),
      isOurs: () => false,
      bringOver: (keys) => Promise.resolve(void brought.push(...keys)),
    },
  });
  if (!catchUp) throw new Error('there is a stream');
  return { catchUp, brought, reads: () => reads };
}

describe('catching up by a stream', () => {
  it('ends on a table that other accounts write to all the time', async () => {
    const { brought, catchUp, reads } = await catchUpOn((read) => ({
      own: read === 1 ? 800 : 1,
      isCaughtUp: read > 1,
    }));
    await untilLittleIsLeft(catchUp, () => undefined);
    // One look that found 801 changes, and one that found one.
    expect([brought.length, reads()]).toEqual([802, 3]);
  });

  it('fails where each look finds much', async () => {
    const { catchUp, reads } = await catchUpOn(() => ({ own: 501, isCaughtUp: true }));
    await expect(untilLittleIsLeft(catchUp, () => undefined)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(reads()).toBe(20);
  });

  it('fails where the stream grows faster than it is read, and ends when it is told to', async () => {
    const { catchUp } = await catchUpOn(() => ({ own: 0, isCaughtUp: false }));
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 60_000));
    await expect(catchUp.next(() => undefined).finally(() => clock.mockRestore())).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('faster than it is read') as string,
    });
    const stop = new Error('stop');
    await expect(
      catchUp.next(() => {
        throw stop;
      }),
    ).rejects.toBe(stop);
  });
});
