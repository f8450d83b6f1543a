import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedDocuments } from '../../scripts/docs.ts';

describe('documents made from code', () => {
  it.each(Object.entries(generatedDocuments()))('%s says what the code says (npm run docs)', (path, content) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(content);
  });
});
