import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const dockerfile = read('Dockerfile');
const manifest = JSON.parse(read('package.json')) as { version: string; dependencies: Record<string, string> };

/** Folders and files that the build copies out of the checkout. */
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
  sources.split(' '),
);

describe('the Dockerfile', () => {
  it('copies what .dockerignore lets in, and no more is let in', () => {
    const letIn = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path = '']) => path);
    expect(copied.map((path) => path.replace(/\/$/, '')).toSorted()).toEqual(letIn.toSorted());
  });

  it('lets nothing in before it is named', () => {
    const rules = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    expect(rules.slice(-3)).toEqual(['**/.*', '**/*.log', '**/node_modules']);
  });

  it('is of the Node version that the checkout names, and of its own version', () => {
    expect(/NODE_VERSION=(\d+)/.exec(dockerfile)?.[1]).toBe(read('.nvmrc').trim());
    expect(/ARG VERSION=(\S+)/.exec(dockerfile)?.[1]).toBe(manifest.version);
  });

  it('ends with an image for any command, after one for each process', () => {
    const stages = [...dockerfile.matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)].map(([, from, name]) => [from, name]);
    expect(stages.slice(-4)).toEqual([
      ['tenantry', 'migrate'],
      ['tenantry', 'worker'],
      ['tenantry', 'api'],
      ['tenantry', undefined],
    ]);
  });
});

describe('what runs in production', () => {
  const files = ['src', 'bin'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|js|cjs)$/.test(file))
      .map((file) => `${folder}/${file}`),
  );

  /** Packages that modules load. */
  const loaded = files.flatMap((file) => {
    const text = read(file);
    const names = [...text.matchAll(/(?:^(?:import|export) (?:(?!type)[^;']* from )?|\bimport\()'([^'.][^']*)'/gm)];
    return names.map(([, name = '']) => ({ file, name: name.split('/', name.startsWith('@') ? 2 : 1).join('/') }));
  });

  it('loads packages of production alone', () => {
    expect(loaded.length).toBeGreaterThan(300);
    const own = (name: string) => name.startsWith('node:') || builtinModules.includes(name) || name === 'tenantry';
    expect(loaded.filter(({ name }) => !own(name) && !(name in manifest.dependencies))).toEqual([]);
  });

  it('reads nothing of the checkout that is not in the image', () => {
    const named = files.flatMap((file) =>
      [...read(file).matchAll(/new URL\(\s*['"`](\.[^'"`$]*)[^)]*import\.meta\.url/g)].map(([, path = '']) =>
        fileURLToPath(new URL(path, new URL(file, root))).slice(fileURLToPath(root).length),
      ),
    );
    const inside = (path: string) =>
      path === '' || copied.some((from) => `${path}/`.startsWith(from.replace(/\/?$/, '/')));
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((path) => !inside(path) && !path.startsWith('dist'))).toEqual([]);
  });
});
