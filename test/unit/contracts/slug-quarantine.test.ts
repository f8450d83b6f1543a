import { describe, expect, it } from 'vitest';
import { slugReservedUntil } from '../../../src/contracts/slug-quarantine.ts';

const removed = {
  status: 'deleted',
  activatedAt: '2026-01-01T00:00:00.000Z',
  deletedAt: '2026-02-01T03:00:00.000Z',
} as const;
const at = (iso: string) => Date.parse(iso);

describe('the slug of a removed tenant', () => {
  it('is reserved for 30 days when the tenant was ever active, and free afterwards', () => {
    expect(slugReservedUntil(removed, at('2026-02-02T00:00:00Z'))).toBe('2026-03-03T03:00:00.000Z');
    expect(slugReservedUntil(removed, at('2026-03-03T03:00:00Z'))).toBeUndefined();
  });

  it('is free when the tenant was never active, and its own while it is not removed', () => {
    const nowMs = at('2026-02-02T00:00:00Z');
    expect(slugReservedUntil({ ...removed, activatedAt: null }, nowMs)).toBeUndefined();
    expect(slugReservedUntil({ ...removed, status: 'deleting', deletedAt: null }, nowMs)).toBeUndefined();
  });
});
