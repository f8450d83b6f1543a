import { createCatalog, defaultCatalog } from '../../../src/catalog/catalog.ts';
import { describe, expect, it } from 'vitest';
import type { Product } from '../../../src/products/product.ts';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { checkProducts, checkSwitches } from '../../../src/doctor/product-checks.ts';
import { ledger } from '../../../examples/ledger/product.ts';
import type { Step } from '../../../src/contracts/blueprint.ts';
import { careless, folders } from '../../support/folders.ts';
import { accountsInExample, exampleCell } from '../../support/platform.ts';

/** Moamalat with another set of tenant migrations. */
function withMigrations(migrations: string): Product {
  return {
    ...moamalat,
    resolve: (request) => {
      const blueprint = moamalat.resolve(request);
      const steps = blueprint.steps.map((step) =>
        step.kind === 'postgres-schema' ? { ...step, spec: { ...step.spec, migrations } } : step,
      );
      return { ...blueprint, steps };
    },
  };
}

describe('the check of products', () => {
  it('finds a product in order whose set of tenant migrations can be read', () => {
    const [finding] = checkProducts(exampleCell(), createCatalog({ products: [withMigrations('moamalat')] }));
    expect(finding).toMatchObject({ verdict: 'ok' });
  });

  it('names a set of tenant migrations that is not there, before the first tenant does', () => {
    const [finding] = checkProducts(exampleCell(), createCatalog({ products: [withMigrations('nobodys')] }));
    expect(finding).toMatchObject({
      verdict: 'problem',
      detail: 'there is no set of tenant migrations "nobodys"',
    });
  });

  it('resolves each change of tier, and says why tenants could not be brought through it', () => {
    const cell = exampleCell({ domains: {}, products: ['folders', 'careless', 'fickle'] });
    const fickle: Product = {
      ...folders,
      name: 'fickle',
      resolve: (request) => {
        const { steps, ...blueprint } = folders.resolve(request);
        const days = (step: Step) =>
          request.isMoving === true ? step : { ...step, spec: { ...step.spec, retentionDays: 3 } };
        return { ...blueprint, steps: steps.map((step) => (step.id === 'table' ? days(step) : step)) };
      },
    };
    const found = checkProducts(cell, createCatalog({ products: [folders, careless, fickle] }));
    expect(found.find(({ subject }) => subject.endsWith('folders'))).toMatchObject({ verdict: 'ok' });
    const why = (name: string) => found.find(({ subject }) => subject.endsWith(name))?.detail;
    expect(why('careless')).toContain(
      `from shared to own: the step "rows" cannot be taken away: it holds the tenant's data`,
    );
    expect(why('fickle')).toContain('isMoving makes another of step "table", which stays');
  });

  it('finds a product without hosts in order where the cell lists it', () => {
    const cell = exampleCell({ domains: {}, products: ['ledger'] });
    expect(checkProducts(cell, createCatalog({ products: [ledger] }))).toMatchObject([
      { subject: 'cell default: product ledger', verdict: 'ok', detail: 'can be resolved' },
    ]);
  });

  it.each([
    [
      'a domain for one whose tenants have no host',
      { domains: { ledger: 'a.example' } },
      /no host: list it in `products`/,
    ],
    ['a list entry for one whose tenants have hosts', { domains: {}, products: ['moamalat'] }, /give it a domain/],
    ['one that is not installed', { domains: {}, products: ['other'] }, /this installation has no such product/],
  ])('warns of %s', (_, parts, said) => {
    const found = checkProducts(exampleCell(parts), createCatalog({ products: [moamalat, ledger] }));
    expect(found).toMatchObject([{ verdict: 'warning', detail: expect.stringMatching(said) as string }]);
  });

  it('calls a cell that serves no product a problem', () => {
    const found = checkProducts(exampleCell({ domains: {} }), createCatalog({ products: [ledger] }));
    expect(found).toMatchObject([
      { verdict: 'problem', detail: expect.stringContaining('serves no product') as string },
    ]);
  });

  it('names every declared template that the cell lacks, also one that no step clones yet', () => {
    const product = { ...moamalat, templates: { ...moamalat.templates, mailer: { containerPort: 25 } } };
    const [finding] = checkProducts(exampleCell(), createCatalog({ products: [product] }));
    expect(finding).toMatchObject({
      verdict: 'problem',
      detail: 'cell "default" names no mailer template service for moamalat',
    });
  });
});

describe('a product whose provisioning is switched off', () => {
  const switchedOff = { accounts: 'TENANTRY_ENABLE_ACCOUNT_PROVISIONING' };
  const serving = exampleCell({ ...accountsInExample, products: ['accounts'] });

  it('is warned of where the cell serves it', () => {
    expect(checkSwitches(serving, defaultCatalog, switchedOff)).toMatchObject([
      {
        verdict: 'warning',
        subject: 'cell default: product accounts is switched off',
        detail: expect.stringContaining('TENANTRY_ENABLE_ACCOUNT_PROVISIONING is not true') as string,
      },
    ]);
  });

  it('is not told of elsewhere, nor once it is switched on', () => {
    expect(checkSwitches(serving, defaultCatalog, {})).toEqual([]);
    expect(checkSwitches(exampleCell(), defaultCatalog, switchedOff)).toEqual([]);
    expect(checkSwitches(serving, createCatalog({ products: [ledger] }), switchedOff)).toEqual([]);
  });
});
