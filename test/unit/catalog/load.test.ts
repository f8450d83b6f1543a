import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import { CatalogError, loadCatalog } from '../../../src/catalog/load.ts';

const config = (name: string) => fileURLToPath(new URL(`./configs/${name}.ts`, import.meta.url));

describe('the catalog of an installation', () => {
  it('has what comes with Tenantry where no file is given', async () => {
    expect(await loadCatalog(undefined)).toBe(defaultCatalog);
  });

  it('has the products that the file names and no other, and its kinds beside our own', async () => {
    const { products, kinds } = await loadCatalog(config('two-products'));
    expect(Object.keys(products)).toEqual(['moamalat', 'notes']);
    expect(products['notes']?.tiers).toEqual(['free', 'team']);
    expect([...kinds.kinds.keys()]).toEqual([...defaultCatalog.kinds.kinds.keys(), 'nothing-at-all']);
  });

  it("takes an example's own file, with its kind and its migrations", async () => {
    const { products, kinds, migrations } = await loadCatalog('examples/notes/tenantry.config.ts');
    expect(products['notes']?.tiers).toEqual(['free', 'team']);
    expect(kinds.kinds.has('sqs-queue')).toBe(true);
    expect(migrations['notes']).toMatch(/examples\/notes\/migrations\/$/);
  });

  it.each([
    ['nowhere', /there is no file .*correct TENANTRY_CONFIG/],
    ['product-twice', /given twice: product moamalat/],
    ['kind-twice', /kind "log-group" is given twice/],
    ['no-lists', /its default export must be defineConfig\(.*\): lacks products \(list\)/],
    ['misspelled', /there is no field "kind" \(there are: products, kinds\)/],
    ['undefined-product', /products holds something that is undefined/],
  ])('is refused with the file and the reason: %s', async (name, why) => {
    const error: unknown = await loadCatalog(config(name)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CatalogError);
    expect((error as CatalogError).message).toMatch(why);
    expect((error as CatalogError).message).toContain(config(name));
  });
});
