import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCatalog } from '../../../src/catalog/load.ts';
import { create } from '../../../testing/create/create.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tenantry-create-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const read = (file: string) => readFileSync(join(directory, file), 'utf8');
const example = (file: string) => readFileSync(new URL(`../../../examples/${file}`, import.meta.url), 'utf8');

describe('the first version of a product', () => {
  it('is the example under its name, with a configuration that names it', () => {
    const { files, toAdd } = create('product', 'acme-notes', directory);
    expect(files).toEqual([
      'acme-notes/product.ts',
      'acme-notes/migrations/0001_items.sql',
      'tenantry.config.ts',
      'tsconfig.json',
    ]);
    expect(toAdd).toEqual([]);
    const renamed = example('first-product/product.ts')
      .replaceAll('firstProduct', 'acmeNotes')
      .replaceAll('first-product', 'acme-notes');
    expect(read('acme-notes/product.ts')).toBe(renamed);
    expect(read('tenantry.config.ts')).toBe(
      example('first-product/tenantry.config.ts')
        .replaceAll('firstProduct', 'acmeNotes')
        .replace('./product.ts', './acme-notes/product.ts'),
    );
  });

  it('leaves a configuration that is there as it is, and says what to add', () => {
    writeFileSync(join(directory, 'tenantry.config.ts'), 'mine');
    const { toAdd } = create('product', 'acme', directory);
    expect(read('tenantry.config.ts')).toBe('mine');
    expect(toAdd).toEqual(["import { acme } from './acme/product.ts';", 'products: [acme]']);
  });

  it('takes the place of no file: then nothing is written', () => {
    create('product', 'acme', directory);
    rmSync(join(directory, 'tenantry.config.ts'));
    expect(() => create('product', 'acme', directory)).toThrow(
      'nothing was written: acme/product.ts, acme/migrations/0001_items.sql is there already',
    );
    expect(readdirSync(directory)).toEqual(['acme', 'tsconfig.json']);
  });
});

it('the first version of a kind is the example under its name', () => {
  const { files, toChange } = create('kind', 'job-queue', directory);
  expect(files).toEqual(['job-queue.ts', 'tenantry.config.ts', 'tsconfig.json']);
  const lines = read('job-queue.ts').split('\n');
  for (const line of toChange) {
    const [, at = '', text = ''] = /^job-queue\.ts:(\d+): (.*)$/.exec(line) ?? [];
    expect(lines[Number(at) - 1]?.trim()).toBe(text);
  }
  expect(toChange.map((line) => line.replace(/^\S+ /, ''))).toEqual([
    "} from '@aws-sdk/client-sqs';",
    "const type = 'sqs:queue';",
    "const missing = ['QueueDoesNotExist'];",
    "noun: 'queue',",
    "errors: { retryable: ['QueueDeletedRecently'], missing },",
    'permissions: [',
  ]);
  expect(read('job-queue.ts')).toBe(
    example('notes/sqs-queue.ts').replaceAll('sqsQueue', 'jobQueue').replaceAll('sqs-queue', 'job-queue'),
  );
});

it('a second kind of the same type is swept as the first, and both are loaded', async () => {
  // Inside the repository, where `tenantry` and the SDK are found.
  const inside = mkdtempSync(fileURLToPath(new URL('./.created-', import.meta.url)));
  try {
    for (const name of ['job-queue', 'mail-queue']) create('kind', name, inside);
    const config = readFileSync(join(inside, 'tenantry.config.ts'), 'utf8');
    const added = config.replace('kinds: [jobQueue]', 'kinds: [jobQueue, mailQueue]');
    writeFileSync(join(inside, 'tenantry.config.ts'), `import { mailQueue } from './mail-queue.ts';\n${added}`);
    const { kinds } = await loadCatalog(join(inside, 'tenantry.config.ts'));
    expect([...kinds.kinds.keys()]).toEqual(expect.arrayContaining(['job-queue', 'mail-queue']));
    expect(readFileSync(join(inside, 'mail-queue.ts'), 'utf8')).toContain("import { swept } from './job-queue.ts';");
  } finally {
    rmSync(inside, { recursive: true, force: true });
  }
});

it.each(['Acme', '1st', 'a--b', 'a-', '../x', 'class', 'x'.repeat(41), ''])('%s is no name', (name) => {
  expect(() => create('product', name, directory)).toThrow(/is no name/);
  expect(readdirSync(directory)).toEqual([]);
});

it('leaves a tsconfig.json that is there as it is', () => {
  writeFileSync(join(directory, 'tsconfig.json'), '{}');
  expect(create('product', 'acme', directory).files).not.toContain('tsconfig.json');
  expect(read('tsconfig.json')).toBe('{}');
});
