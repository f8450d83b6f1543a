import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import { checkProducts } from '../../src/doctor/product-checks.ts';
import { logGroup } from '../../src/kinds/log-group/kind.ts';
import { slugReservation } from '../../src/kinds/slug-reservation/kind.ts';
import { tenantActivation } from '../../src/kinds/tenant-activation/kind.ts';
import { defineProduct, type ProductRequest } from '../../src/products/define-product.ts';
import { serviceSteps, type ServiceRequest } from '../../src/products/service-steps.ts';
import { blueprintOfProduct } from '../../testing/sagas/blueprints.ts';
import { exampleCell, examplePlatform } from '../support/platform.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

/** A product without places, whose steps in the middle are wrong. */
const unfit = (name: string, middle: (request: ProductRequest<never, never, never>) => readonly Step[]) =>
  defineProduct({
    name,
    places: [],
    blueprint: (request) => {
      const { tenant, step } = request;
      const steps = middle(request);
      return [
        step(slugReservation, { id: 'validate', needs: [], spec: { slug: tenant.slug, templateServices: [] } }),
        ...steps,
        step(tenantActivation, { id: 'finalize', needs: ['validate', ...steps.map(({ id }) => id)], spec: {} }),
      ];
    },
  });

const group = (name: string): Pick<Step, 'kind' | 'spec'> => ({ kind: 'log-group', spec: { name, retentionDays: 30 } });
const needs = ['validate'];
const products = [
  unfit('misspelled', () => [{ id: 'create_topic', kind: 'sns-topik', needs, spec: {} }]),
  unfit('misnamed', () => [{ id: 'log', needs, ...group('/ecs/other-events') }]),
  unfit('misreferred', ({ tenant, step }) => [
    step(logGroup, { id: 'log', needs, spec: { name: `/ecs/misreferred-${tenant.slug}`, retentionDays: 30 } }),
    { id: 'second', kind: 'task-definition', needs: ['log'], spec: taskOf(tenant.slug, { ref: 'log.arn' }) },
  ]),
  // As written without types.
  unfit('unplaced', (request) =>
    serviceSteps(request as unknown as ServiceRequest<never>, {
      ...{ component: 'app' as never, name: 'unplaced-app', port: 80, healthPath: '/', environment: {} },
      ...{ needs: { all: ['validate'] }, record: 'create_dns' },
    }),
  ),
  unfit('throwing', () => [(undefined as unknown as { make: () => Step }).make()]),
];

function taskOf(slug: string, logGroupName: unknown): Step['spec'] {
  const spec = { family: `misreferred-${slug}`, templateService: 'template', environment: {}, secrets: {} };
  return { ...spec, logGroup: logGroupName };
}

const catalog = createCatalog({ products });
const cell = { products: products.map(({ name }) => name), domains: {} };
let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture({ catalog, platform: examplePlatform(cell) });
});
afterAll(() => api.close());

it.each([
  [
    'misspelled',
    /step "create_topic" is of kind "sns-topik", which this installation does not have: it has .*log-group.*; list it in `kinds` of tenantry\.config\.ts/,
  ],
  ['misnamed', /step "log": name "\/ecs\/other-events" is not derived from the tenant/],
  ['misreferred', /step "second" refers to "log\.arn", and kind "log-group" has no output "arn": it has name/],
  [
    'unplaced',
    /its blueprint reads `host`, which nothing reserves: declare the place `host` \(`places` of the product unplaced\)/,
  ],
  ['throwing', /Cannot read properties of undefined \(reading 'make'\)/],
])('a product that is %s is refused alike by API, doctor and `tenantry test`', async (product, said) => {
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, product } });
  const { error } = answer.json<{ error: { code: string; message: string } }>();
  expect([answer.statusCode, error.code]).toEqual([400, 'UNKNOWN_PRODUCT']);
  expect(error.message).toMatch(said);
  const { rows } = await api.database.query('select from tenants union all select from allocations');
  expect(rows).toEqual([]);
  const findings = checkProducts(exampleCell(cell), catalog);
  expect(findings.find(({ subject }) => subject.endsWith(product))).toMatchObject({
    verdict: 'problem',
    detail: expect.stringMatching(said) as unknown,
  });
  expect(() => blueprintOfProduct(catalog.products[product]!, null, catalog)).toThrow(said);
});
