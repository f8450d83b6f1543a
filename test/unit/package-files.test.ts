import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const { files, exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  files: string[];
  exports: Record<string, { readonly 'tenantry-source': string; readonly types: string; readonly default: string }>;
};
/** npm packs these whatever `files` says. */
const always = ['package.json', 'README.md', 'LICENSE'];
/** Made by `prepack`. */
const built = ['dist/types/'];
const isPacked = (path: string) => always.includes(path) || files.some((folder) => `${path}/`.startsWith(folder));

function sources(): URL[] {
  const folders = files.filter((folder) => !built.includes(folder)).map((folder) => new URL(folder, root));
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|js|mjs|cjs)$/.test(file))
      .map((file) => new URL(file, folder)),
  );
}

/** Paths, from the repository's root, that a file names by where it is: modules, and files that it reads. */
function namedBy(file: URL): string[] {
  const text = readFileSync(file, 'utf8');
  const modules = [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)];
  const read = [...text.matchAll(/new URL\(\s*['"`](\.[^'"`$]*)[^)]*import\.meta\.url/g)];
  return [...modules, ...read].map(([, path = '']) => decodeURI(new URL(path, file).href.slice(root.href.length)));
}

it('the package holds all that its commands import and read', () => {
  const missing = sources().flatMap((file) =>
    namedBy(file)
      .filter((path) => path !== '' && !isPacked(path))
      .map((path) => `${file.href.slice(root.href.length)} uses ${path}`),
  );
  expect(missing).toEqual([]);
});

it('each entry of the package is a module in it, whose types are built', () => {
  const { files: typed } = JSON.parse(readFileSync(new URL('tsconfig.types.json', root), 'utf8')) as {
    files: string[];
  };
  const sourcesOfEntries = Object.values(exports).map(({ default: source }) => source.replace('./', ''));
  expect(sourcesOfEntries.sort()).toEqual(typed.sort());
  for (const entry of Object.values(exports)) {
    expect(entry['tenantry-source']).toBe(entry.default);
    expect(entry.types).toBe(entry.default.replace('./', './dist/types/').replace(/\.ts$/, '.d.ts'));
    expect(isPacked(entry.default.slice(2)) && statSync(fileURLToPath(new URL(entry.default, root))).isFile()).toBe(
      true,
    );
  }
});

it('what the package is said to hold is there', () => {
  for (const folder of files.filter((one) => !built.includes(one)))
    expect(statSync(fileURLToPath(new URL(folder, root))).isDirectory(), folder).toBe(true);
});
