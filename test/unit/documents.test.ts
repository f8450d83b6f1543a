import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedDocuments } from '../../scripts/docs.ts';

describe('documents made from code', () => {
  it.each(Object.entries(generatedDocuments()))('%s says what the code says (npm run docs)', (path, content) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(content);
  });
});

describe('the path of one ensure', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const [, section = ''] = read('docs/architecture.md').split('### The path of one `ensure`');
  const path = [...section.split('\n### ')[0]!.matchAll(/^\d+\. `(src\/[^`]+)`(, given)?/gm)].map(
    ([, file = '', given]) => ({ file, isGiven: given !== undefined }),
  );

  it('leads through fewer than 22 files, each imported by one before it unless it is given otherwise', () => {
    expect(path.length).toBeGreaterThan(10);
    expect(path.length).toBeLessThan(22);
    const imported = new Set<string>(path.slice(0, 1).map(({ file }) => file));
    for (const { file, isGiven } of path) {
      if (!isGiven) expect([...imported]).toContain(file);
      for (const [, from = ''] of read(file).matchAll(/from '(\.[^']+)'/g))
        imported.add(new URL(from, `file:///${file}`).pathname.slice(1));
    }
  });
});
