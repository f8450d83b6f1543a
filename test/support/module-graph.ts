import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const atLoad = /^\s*(?:import|export)\s(?!type\b)[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gms;
const later = /import\('([^']+)'\)/g;

/** Which imports count: those that load with the module (`atLoad`), or what it may load later with `import()` too (`ever`). */
type Imports = 'atLoad' | 'ever';

function importsOf(file: string, which: Imports): string[] {
  const source = readFileSync(file, 'utf8');
  const patterns = which === 'ever' ? [atLoad, later] : [atLoad];
  return patterns.flatMap((p) => [...source.matchAll(p)].map((m) => m[1] ?? m[2] ?? ''));
}

/** Files of this repository (from its root) and packages that a file reaches by its imports; types alone do not count. */
export function moduleGraph(entry: string, which: Imports = 'ever'): { files: string[]; packages: string[] } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const name of importsOf(file, which)) {
      if (name.startsWith('.')) visit(resolve(dirname(file), name));
      else packages.add(name);
    }
  };
  visit(resolve(root, entry));
  return { files: [...files].map((f) => f.slice(root.length)), packages: [...packages] };
}
