import { describe, expect, it } from 'vitest';
import { chooseHolders } from '../../../src/client/tenant-names.ts';

const holder = (tenantId: string, isGone: boolean) => ({ tenantId, isGone });
const chosen = (...holders: ReturnType<typeof holder>[]) => chooseHolders(holders).map(({ tenantId }) => tenantId);

describe('a slug', () => {
  it('of several products means the only one that is there', () => {
    expect(chosen(holder('gone', true), holder('there', false))).toEqual(['there']);
    expect(chosen(holder('gone', true))).toEqual(['gone']);
  });

  it('is ambiguous only when several have it, or several had it last', () => {
    expect(chosen(holder('a', false), holder('x', true), holder('b', false))).toEqual(['a', 'b']);
    expect(chosen(holder('a', true), holder('b', true))).toEqual(['a', 'b']);
    expect(chosen()).toEqual([]);
  });
});
