import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { expect, it } from 'vitest';
import { assertNeededPackages } from '../../../testing/needed-packages.ts';

const root = new URL('../../../', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Record<
  'dependencies' | 'devDependencies' | 'peerDependencies' | 'peerDependenciesMeta',
  Record<string, unknown>
>;

/** Packages that files which are shipped import. */
function imported(folder: string): string[] {
  const files = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
  const texts = files.filter((f) => f.endsWith('.ts')).map((f) => readFileSync(new URL(`${folder}${f}`, root), 'utf8'));
  const names = texts.flatMap((text) =>
    [...text.matchAll(/^(?:import|export|\}) (?!type).*from '([^'.][^']*)'/gm)].map(([, name = '']) => name),
  );
  return names.filter((name) => !isBuiltin(name)).map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
}

it('every package that testing or the sandbox imports is installed with Tenantry, or an optional peer of it', () => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = manifest;
  const known = { ...dependencies, ...peerDependencies, tenantry: '' };
  const used = [...imported('testing/'), ...imported('sandbox/')];
  expect(used).toContain('vitest');
  expect([...new Set(used)].filter((name) => !Object.hasOwn(known, name))).toEqual([]);
  for (const name of Object.keys(peerDependencies)) expect(peerDependenciesMeta[name]).toEqual({ optional: true });
});

it('what is missing is named, with the command that installs it', () => {
  expect(() => assertNeededPackages()).not.toThrow();
  const without = (...missing: string[]) =>
    assertNeededPackages((name) => {
      if (missing.includes(name)) throw new Error('ERR_MODULE_NOT_FOUND');
    });
  expect(() => without('vitest', '@temporalio/testing')).toThrow(
    /not installed: @temporalio\/testing, vitest\. Install them: npm install --save-dev "@temporalio\/testing@[\d.]+" "vitest@\^[\d.]+"/,
  );
});
