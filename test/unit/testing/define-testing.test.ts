import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defineTesting, loadTesting } from '../../../testing/define-testing.ts';
import { listOwn } from '../../../testing/own-listers.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tenantry-testing-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('takes what the file beside the configuration says, and nothing without one', async () => {
  const config = join(directory, 'tenantry.config.ts');
  expect([await loadTesting(undefined), await loadTesting(config)]).toEqual([{}, {}]);
  writeFileSync(
    join(directory, 'tenantry.testing.ts'),
    `export default { demandedBeside: { 'sns:CreateTopic': [] } };`,
  );
  expect(await loadTesting(config)).toEqual({ demandedBeside: { 'sns:CreateTopic': [] } });
});

it('refuses a file without a default export', async () => {
  writeFileSync(join(directory, 'tenantry.testing.ts'), 'export const listers = {};');
  await expect(loadTesting(join(directory, 'tenantry.config.ts'))).rejects.toThrow(
    /tenantry\.testing\.ts cannot be used: its default export must be defineTesting/,
  );
});

it('takes the owner of what a lister of others shows from its tags', async () => {
  const at = { endpointUrl: '', region: '', accountId: '', credentials: { accessKeyId: '', secretAccessKey: '' } };
  const tags = { 'tenantry:installation': 'i', 'tenantry:tenant-id': 't' };
  const listed = await listOwn({ 'sns:topic': () => Promise.resolve([{ id: 'arn:1', name: 'a', tags }]) }, at);
  expect(listed).toMatchObject([
    { kind: 'sns:topic', id: 'arn:1', name: 'a', owner: { installation: 'i', tenantId: 't' } },
  ]);
});

it('refuses a field that there is none of', () => {
  const misspelled = { lister: {} } as object;
  expect(() => defineTesting(misspelled)).toThrow(
    'there is no field "lister" (there are: listers, demandedBeside, samples)',
  );
});
