import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { checkProducts } from '../../src/doctor/product-checks.ts';
import { dnsRecord } from '../../src/kinds/dns-record/kind.ts';
import { listenerRule } from '../../src/kinds/listener-rule/kind.ts';
import { postgresSchema } from '../../src/kinds/postgres-schema/kind.ts';
import { slugReservation } from '../../src/kinds/slug-reservation/kind.ts';
import { tenantActivation } from '../../src/kinds/tenant-activation/kind.ts';
import { defineProduct } from '../../src/products/define-product.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import type { Place } from '../../src/products/product.ts';
import type { MakeStep } from '../../src/products/step.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { exampleCell, examplePlatform } from '../support/platform.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

/** A schema and nothing else: no host, no load balancer. */
const ledger = defineProduct({
  name: 'ledger',
  places: [],
  blueprint: ({ tenant, step }) => [
    step(slugReservation, { id: 'validate', needs: [], spec: { slug: tenant.slug, templateServices: [] } }),
    step(postgresSchema, {
      id: 'create_schema',
      needs: ['validate'],
      spec: { database: 'primary', migrations: 'moamalat', connectionLimit: 5 },
    }),
    step(tenantActivation, { id: 'finalize', needs: ['create_schema'], spec: {} }),
  ],
});

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture({
    catalog: createCatalog({ products: [moamalat, ledger] }),
    platform: examplePlatform({ products: ['ledger'] }),
  });
});
afterAll(() => api.close());

const post = (payload: object) => api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
const get = async (url: string) => (await api.app.inject({ method: 'GET', url })).json<Record<string, unknown>>();
const placesOf = async (tenantId: string) =>
  (
    await api.database.query<{ kind: string }>('select kind from allocations where tenant_id = $1', [tenantId])
  ).rows.map(({ kind }) => kind);

describe('a product without a host', () => {
  it('has tenants without an address, in every answer', async () => {
    const created = await post({ ...acme, product: 'ledger', slug: 'no-address' });
    expect(created.statusCode).toBe(202);
    const { tenantId, tenantUrl } = created.json<{ tenantId: string; tenantUrl: unknown }>();
    expect(tenantUrl).toBeNull();
    const at = `/api/v1/tenants/${tenantId}`;
    expect(await get(at)).toMatchObject({ tenantUrl: null });
    expect(await get(`${at}/status`)).toMatchObject({ tenantUrl: null });
    expect(await get('/api/v1/tenants?product=ledger&slug=no-address')).toMatchObject({
      tenants: [{ tenantId, tenantUrl: null }],
    });
  });

  it('reserves neither host nor load balancer, and is told of none', async () => {
    const { tenantId } = (await post({ ...acme, product: 'ledger', slug: 'no-place' })).json<{ tenantId: string }>();
    expect(await placesOf(tenantId)).toEqual([]);
    const { rows } = await api.database.query<{ blueprint: string }>(
      'select blueprint::text from operations where tenant_id = $1',
      [tenantId],
    );
    expect(rows[0]?.blueprint).toContain('create_schema');
    expect(rows[0]?.blueprint).not.toMatch(/moamalat-pro\.com|loadbalancer/);
  });

  it('is listed with the cells that serve it and no domain', async () => {
    const { products } = (await get('/api/v1/products')) as { products: object[] };
    expect(products).toEqual([
      expect.objectContaining({ name: 'ledger', places: [], cells: ['default'], domains: [] }),
      expect.objectContaining({ name: 'moamalat', places: ['host', 'load-balancer'], domains: ['moamalat-pro.com'] }),
    ]);
  });

  it('keeps its slugs apart as every product does', async () => {
    await post({ ...acme, product: 'ledger', slug: 'one-only' });
    const second = await post({ ...acme, product: 'ledger', slug: 'one-only' });
    expect(second.json()).toMatchObject({ error: { code: 'SLUG_TAKEN' } });
  });
});

it('reserves host and load balancer for a product that declares them', async () => {
  const { tenantId } = (await post({ ...acme, slug: 'placed' })).json<{ tenantId: string }>();
  expect((await placesOf(tenantId)).filter((kind) => kind !== 'resource-name').sort()).toEqual([
    'host-name',
    'load-balancer',
  ]);
});

const cell = exampleCell();
const [first] = cell.loadBalancers;
const second = { ...first!, arn: `${first!.arn}-second`, dnsName: 'second.example' };

/** Products whose last step but one uses what they may not. */
const greedy = (name: string, places: readonly Place[], middle: (make: MakeStep, host: string) => Step) =>
  defineProduct({
    name,
    places,
    blueprint: ({ tenant, step }) => [
      step(slugReservation, { id: 'validate', needs: [], spec: { slug: tenant.slug, templateServices: [] } }),
      { ...middle(step, `${tenant.slug}.moamalat-pro.com`), id: 'takes', needs: ['validate'] },
      step(tenantActivation, { id: 'finalize', needs: ['takes'], spec: {} }),
    ],
  });
const rule = (loadBalancerArn: string) => (step: MakeStep, host: string) =>
  step(listenerRule, {
    id: 'takes',
    needs: [],
    spec: {
      loadBalancerArn,
      host,
      paths: [],
      targetGroupArn: 'arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/a/1',
    },
  });
const record = (zoneId: string) => (step: MakeStep, host: string) =>
  step(dnsRecord, {
    id: 'takes',
    needs: [],
    spec: { zoneId, host, loadBalancerArn: 'arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/elsewhere/1' },
  });
const refused = [
  greedy('rule-alone', ['host'], rule(first!.arn)),
  greedy('wrong-balancer', ['host', 'load-balancer'], rule(second.arn)),
  greedy('record-alone', [], record(cell.hostedZone.id)),
];

describe('a product whose steps use what nothing reserves for its tenants', () => {
  let own: ApiFixture;
  beforeAll(async () => {
    const products = refused.map(({ name }) => name);
    const domains = Object.fromEntries([...products.slice(0, 2), 'other'].map((name) => [name, 'moamalat-pro.com']));
    own = await createApiFixture({
      catalog: createCatalog({ products: refused }),
      platform: examplePlatform({ products, domains, loadBalancers: [first!, second] }),
    });
  });
  afterAll(() => own.close());

  it.each([
    ['rule-alone', `step "takes" names the load balancer ${first!.dnsName}`, 'declare the place `load-balancer`'],
    ['wrong-balancer', `names the load balancer ${second.dnsName}`, `the tenant is placed on ${first!.dnsName}`],
    ['record-alone', 'step "takes" names the host', 'declare the place `host`'],
  ])('%s is refused, told which place to declare, and nothing of it is kept', async (product, what, remedy) => {
    const payload = { ...acme, product, slug: 'greedy' };
    const answer = await own.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
    const { error } = answer.json<{ error: { code: string; message: string } }>();
    expect([answer.statusCode, error.code]).toEqual([400, 'UNKNOWN_PRODUCT']);
    expect(error.message).toContain(what);
    expect(error.message).toContain(remedy);
    const { rows } = await own.database.query('select from tenants union all select from allocations');
    expect(rows).toEqual([]);
    const domains = product === 'record-alone' ? { other: 'moamalat-pro.com' } : { [product]: 'moamalat-pro.com' };
    const described = exampleCell({ products: ['record-alone'], domains, loadBalancers: [first!, second] });
    const findings = checkProducts(described, createCatalog({ products: refused }));
    expect(findings.find(({ subject }) => subject.endsWith(product))).toMatchObject({
      verdict: 'problem',
      detail: expect.stringContaining(remedy) as unknown,
    });
  });
});
