import { describe, expect, it } from 'vitest';
import {
  fenceKey,
  leaseTimes,
  moveParameterName,
  parseFence,
  parseLeaseSeconds,
} from '../../../src/accounts-router/fence.ts';
import { own, ownId } from './fixture.ts';

const refused = expect.objectContaining({ code: 'ACCOUNT_PARAMETERS_INVALID' }) as Error;
const item = { PK: `${own}#FENCE`, SK: 'FENCE', state: 'open', toTable: 'own', moveId: 'op-1', writers: { a: 1 } };

describe('a fence item', () => {
  it('stands in a partition that is not the account’s rows’', () => {
    expect(fenceKey(ownId)).toEqual({ PK: `${own}#FENCE`, SK: 'FENCE' });
    expect(moveParameterName(ownId)).toBe(`/accounts/${ownId}/move`);
    for (const id of ['*', `${ownId}/x`])
      for (const name of [fenceKey, moveParameterName])
        expect(() => name(id)).toThrow(expect.objectContaining({ code: 'ACCOUNT_ID_INVALID' }) as Error);
  });

  it('is read as it was written, with and without what the move adds', () => {
    expect(parseFence(undefined)).toBeUndefined();
    const open = { state: 'open', toTable: 'own', moveId: 'op-1', writers: { a: 1 } };
    expect(parseFence(item)).toEqual({ ...open, movedAt: undefined, verified: undefined });
    const moved = { ...item, state: 'moved', movedAt: '2026-11-30T12:00:00Z', count: 0, checksum: 'c', writers: {} };
    expect(parseFence(moved)).toMatchObject({ movedAt: moved.movedAt, verified: { count: 0, checksum: 'c' } });
  });

  it('is read by a document client that reads numbers in another way', () => {
    const wrapped = { ...item, writers: { a: { value: '1' }, b: 2n }, count: { value: '3' }, checksum: 'c' };
    expect(parseFence(wrapped)).toMatchObject({ writers: { a: 1, b: 2 }, verified: { count: 3 } });
  });

  it.each([
    { state: 'ajar' },
    { toTable: undefined },
    { moveId: '' },
    { writers: undefined },
    { writers: ['a'] },
    { writers: { a: 'now' } },
    { writers: { a: { value: 'now' } } },
    { movedAt: 5 },
    { count: 1 },
    { checksum: 'c' },
    { count: -1, checksum: 'c' },
    { count: 1.5, checksum: 'c' },
  ])('is refused with %j', (change) => {
    expect(() => parseFence({ ...item, ...change })).toThrow(refused);
  });
});

describe('the lease', () => {
  it('is 600 seconds where no parameter says otherwise, and a whole number of seconds', () => {
    expect([undefined, '1', '3600'].map(parseLeaseSeconds)).toEqual([600, 1, 3_600]);
    for (const value of ['', '0', '3601', '86400', '1.5', '-1', '1e3', ' 60', '60s', '٣'])
      expect(() => parseLeaseSeconds(value)).toThrow(refused);
  });

  it('is longer than what a router trusts, by a slow clock and after an old answer', () => {
    const { useMs, trustMs, settleMs, awaitMs } = leaseTimes(600);
    expect([useMs, trustMs, settleMs, awaitMs]).toEqual([300_000, 450_000, 75_000, 600_000]);
    expect(trustMs * 1.1 + settleMs).toBeLessThan(awaitMs);
  });
});
