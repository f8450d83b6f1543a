import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mutants } from '../mutants/mutants.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe.each(mutants)('the mutant $id', ({ edits, detector }) => {
  it('still fits the code', () => {
    for (const { file, from } of edits) expect(readFileSync(root + file, 'utf8').split(from)).toHaveLength(2);
    expect(readFileSync(root + detector.file, 'utf8')).not.toBe('');
  });
});
