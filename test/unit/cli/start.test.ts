import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const statics = /^(?:import|export) (?!type\b)(?:[^'";]*? from )?'([^']+)';/gm;

/** The packages that are loaded before a command runs: those of static imports, followed through our own files. */
function packagesOf(entries: readonly string[]): string[] {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const visit = (url: URL) => {
    if (files.has(url.href)) return;
    files.add(url.href);
    for (const [statement, from = ''] of readFileSync(url, 'utf8').matchAll(statics)) {
      if (!from.startsWith('.')) packages.add(from);
      // Nothing but types: gone when it runs.
      else if (!/^import \{(?:\s*type \w+,?)+\s*\}/.test(statement)) visit(new URL(from, url));
    }
  };
  for (const entry of entries) visit(new URL(entry, root));
  return [...packages].filter((name) => !name.startsWith('node:')).sort();
}

describe('the command line', () => {
  it('loads no SDK, no driver and no server before it knows the command: only what parses and checks', () => {
    const services = /import\('\.\/([^']+)'\)/g;
    const program = readFileSync(new URL('src/cli/program.ts', root), 'utf8');
    const lazy = [...program.matchAll(services)].map(([, file = '']) => `src/cli/${file}`);
    expect(lazy.length).toBeGreaterThan(4);
    const sandbox = existsSync(new URL('sandbox/cli.ts', root)) ? ['sandbox/cli.ts'] : [];
    expect(packagesOf(['src/cli/main.ts', ...lazy, ...sandbox])).toEqual([
      '@temporalio/envconfig',
      'commander',
      // One list of countries.
      'validator/lib/isISO31661Alpha2.js',
      'zod',
    ]);
  });
});
