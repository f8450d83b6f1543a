import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { listProducts } from '../../src/client/product-list.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { examplePlatform } from '../support/platform.ts';
import { createApiFixture, acme, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

describe('the list of products', () => {
  it('names each product with its tiers, its domains and the fields of a request for a tenant', async () => {
    const answer = await api.app.inject('/api/v1/products');
    expect(answer.statusCode).toBe(200);
    const { products } = answer.json<{ products: { name: string; fields: { name: string; required: boolean }[] }[] }>();
    expect(products).toMatchObject([
      {
        ...{ name: 'accounts', tiers: ['public', 'private'], domains: [] },
        ...{ tierChanges: [{ from: 'public', to: 'private' }], suspendable: false },
      },
      { name: 'moamalat', tiers: [], tierChanges: [], suspendable: true, domains: ['moamalat-pro.com'] },
    ]);
    const [, hosted] = products;
    const required = hosted?.fields.filter((field) => field.required).map(({ name }) => name);
    expect(required?.sort()).toEqual(Object.keys(acme).sort());
    expect(hosted?.fields.map(({ name }) => name)).not.toContain('tier');
  });

  it('gives the tiers of a product that has some, and no domain where no cell serves it', () => {
    const catalog = createCatalog({ products: [{ ...moamalat, name: 'other', tiers: ['small', 'large'] }] });
    expect(listProducts({ catalog, platform: examplePlatform() })).toMatchObject([
      { name: 'other', tiers: ['small', 'large'], domains: [] },
    ]);
  });

  it('is printed by `tenantry products` with the options of `tenants create`', async () => {
    const { url } = await api.listen();
    let said = '';
    const stream = { write: (text: string) => (said += text) } as unknown as NodeJS.WriteStream;
    process.env.TENANTRY_API_URL = url;
    await buildProgram({ terminal: { out: stream, err: stream }, setExitCode: () => undefined }).parseAsync(
      ['products'],
      { from: 'user' },
    );
    delete process.env.TENANTRY_API_URL;
    expect(said).toMatch(/^accounts\n {2}tiers +public, private\n {2}migrates +public to private\n {2}suspends +no\n/m);
    expect(said).toMatch(
      /^moamalat\n {2}tiers +none\n {2}migrates +none\n {2}suspends +yes\n {2}domains +<slug>\.moamalat-pro\.com\n {2}required +--product, --slug, --name, --email\n/m,
    );
  });
});
