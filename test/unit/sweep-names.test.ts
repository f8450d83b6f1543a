import { expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { logGroup } from '../../src/kinds/log-group/kind.ts';
import { slugReservation } from '../../src/kinds/slug-reservation/kind.ts';
import { tenantActivation } from '../../src/kinds/tenant-activation/kind.ts';
import { defineProduct } from '../../src/products/define-product.ts';
import { namesOf } from '../../src/sweep/names.ts';
import { exampleCell } from '../support/platform.ts';

/** No host, but a thing that is named by its slug. */
const quiet = defineProduct({
  name: 'quiet',
  places: [],
  blueprint: ({ tenant, step }) => [
    step(slugReservation, { id: 'validate', needs: [], spec: { slug: tenant.slug, templateServices: [] } }),
    step(logGroup, { id: 'logs', needs: ['validate'], spec: { name: `/ecs/quiet-${tenant.slug}`, retentionDays: 1 } }),
    step(tenantActivation, { id: 'finalize', needs: ['logs'], spec: {} }),
  ],
});

it('knows the names of a product without hosts in a cell that lists it, and in no other', () => {
  const catalog = createCatalog({ products: [quiet] });
  const listing = namesOf(exampleCell({ domains: {}, products: ['quiet'] }), catalog);
  expect(listing.problems).toEqual([]);
  expect(listing.read('logs:log-group', '/ecs/quiet-acme')).toEqual({ product: 'quiet', slug: 'acme' });
  const other = namesOf(exampleCell({ domains: {} }), catalog);
  expect(other.read('logs:log-group', '/ecs/quiet-acme')).toBeUndefined();
});
