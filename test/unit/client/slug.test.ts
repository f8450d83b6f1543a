import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSlug, reservedSlugs } from '../../../src/products/slug.ts';
import { containing } from '../../api/matchers.ts';

describe('parseSlug', () => {
  it.each([
    ['acme', 'acme'],
    ['  ACME-1 ', 'acme-1'],
    ['a1b', 'a1b'],
    ['123', '123'],
    ['a'.repeat(40), 'a'.repeat(40)],
    ['ab-c--d', 'ab-c--d'],
    ['a--b', 'a--b'],
  ])('takes %j as %j', (raw, slug) => {
    expect(parseSlug(raw)).toEqual({ ok: true, slug });
  });

  it.each([
    ['', 'characters'],
    ['ab', 'characters'],
    ['a'.repeat(41), 'characters'],
    ['-acme', 'letters'],
    ['acme-', 'letters'],
    ['ac me', 'letters'],
    ['acme.x', 'letters'],
    ['açme', 'letters'],
    ['acme_1', 'letters'],
    ['acme\nx', 'letters'],
    ['xn--acme', 'third'],
    ['ab--cd', 'third'],
    ['www', 'reserved'],
    [' API ', 'reserved'],
    ['company-x', 'reserved'],
    ['mine', 'reserved'],
  ])('refuses %j', (raw, word) => {
    expect(parseSlug(raw, ['mine'])).toMatchObject({ ok: false, problem: containing(word) });
  });

  it('gives nothing but DNS labels that are not reserved, and the same again for what it gave', () => {
    const raw = fc.oneof(fc.string(), fc.stringMatching(/^[ A-Za-z0-9-]{1,44}$/), fc.constantFrom(...reservedSlugs));
    fc.assert(
      fc.property(raw, (text) => {
        const parsed = parseSlug(text);
        if (!parsed.ok) return;
        expect(parsed.slug).toMatch(/^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$/);
        expect(parsed.slug.slice(2, 4)).not.toBe('--');
        expect(reservedSlugs).not.toContain(parsed.slug);
        expect(parseSlug(parsed.slug)).toEqual(parsed);
      }),
    );
  });
});
