import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../../../src/accounts-router/', import.meta.url);
const packages = ['@aws-sdk/client-dynamodb', '@aws-sdk/client-ssm', '@aws-sdk/lib-dynamodb', 'node:timers/promises'];

it('the router imports itself, the document client and the SSM client, and nothing else', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(15);
  const outside = files.flatMap((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const modules = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(([, module = '']) => module);
    return modules
      .filter((module) => (module.startsWith('.') ? !isInside(file, module) : !packages.includes(module)))
      .map((module) => `${file} imports ${module}`);
  });
  expect(outside).toEqual([]);
});

function isInside(file: string, module: string): boolean {
  return new URL(module, new URL(file, folder)).href.startsWith(folder.href);
}

it('what it imports are dependencies of the package', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', folder), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of packages.filter((each) => !each.startsWith('node:'))) expect(dependencies).toHaveProperty(name);
});
