import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../src/client/request-error.ts';
import { createTenantryClient } from '../../src/client/tenantry.ts';
import { tenantWorkflowId } from '../../src/contracts/ids.ts';
import { createCatalog, defaultCatalog } from '../../src/catalog/catalog.ts';
import type { Database } from '../../src/db/database.ts';
import { findBlueprint, listOperationsOf } from '../../src/db/operations.ts';
import type { Product } from '../../src/products/product.ts';
import { parseSlug } from '../../src/products/slug.ts';
import { useControlDatabase } from '../support/database.ts';
import { platformFor, productOf } from '../support/renamed-product.ts';
import { FakeOrchestrator } from './fake-orchestrator.ts';
import { testCaller } from '../support/caller.ts';

let database: Database;
useControlDatabase((db) => (database = db));

const words = fc.constantFrom('notes', 'pro', 'web', 'acme', 'frontend', 'x1');
const joined = (most: number) => fc.array(words, { minLength: 1, maxLength: most }).map((parts) => parts.join('-'));
const request = fc.record({
  product: joined(2),
  slug: joined(3).filter((slug) => parseSlug(slug).ok),
});
const shape = fc.constantFrom('component' as const, 'bare' as const);

const clear = () => database.query('truncate reservations, allocations');

async function createAll(
  requests: readonly { product: string; slug: string }[],
  shapes: Readonly<Record<string, 'component' | 'bare'>>,
  orchestrator = new FakeOrchestrator(database),
) {
  const products = Object.fromEntries(Object.entries(shapes).map(([name, of]) => [name, productOf(name, of)]));
  const client = createTenantryClient({
    database,
    orchestrator,
    platform: platformFor(Object.keys(products)),
    catalog: createCatalog({ products: Object.values(products) }),
    log: pino({ level: 'silent' }),
  });
  try {
    const accepted: { product: string; slug: string; names: string[] }[] = [];
    const refused: { product: string; slug: string; message: string }[] = [];
    for (const { product, slug } of requests) {
      const input = { product, slug, displayName: slug, contactEmail: 'ops@example.com' };
      try {
        const { tenantId } = await client.createTenant(testCaller, input);
        accepted.push({ product, slug, names: await namesOf(tenantId) });
      } catch (error) {
        if (!(error instanceof RequestError) || error.code !== 'SLUG_TAKEN') throw error;
        refused.push({ product, slug, message: error.message });
      }
    }
    return { accepted, refused };
  } finally {
    await client.close();
  }
}

async function namesOf(tenantId: string): Promise<string[]> {
  const [operation] = await listOperationsOf(database, tenantId);
  const { steps } = (await findBlueprint(database, operation!.id)) as ReturnType<Product['resolve']>;
  const ofTenant = ['elbv2:target-group', 'postgres:schema'];
  return steps
    .flatMap((step) => defaultCatalog.kinds.physicalNames(step))
    .filter(({ type }) => !ofTenant.includes(type))
    .map(({ type, name }) => `${type} ${name}`);
}

describe('the physical names of two tenants', () => {
  it('are never the same, whatever their products are called, and no slug is refused without a clash', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(request, { minLength: 2, maxLength: 4, selector: ({ product, slug }) => `${product} ${slug}` }),
        fc.array(shape, { minLength: 4, maxLength: 4 }),
        async (requests, shapes) => {
          const names = [...new Set(requests.map(({ product }) => product))];
          const shapeOf = Object.fromEntries(names.map((name, i) => [name, shapes[i]!]));
          await clear();
          const { accepted, refused } = await createAll(requests, shapeOf);
          const all = accepted.flatMap((tenant) => tenant.names);
          expect(new Set(all).size).toBe(all.length);
          for (const { product, slug, message } of refused) {
            await clear();
            const [alone] = (await createAll([{ product, slug }], shapeOf)).accepted;
            expect(alone!.names.filter((name) => all.includes(name))).not.toEqual([]);
            expect(message).toMatch(/which the tenant ".+" of product .+ has/);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ['notes', 'pro-acme', 'notes-pro', 'acme', 'component', 'component'],
    ['notes', 'acme-web', 'notes-acme', 'web', 'bare', 'bare'],
  ] as const)('%s/%s and %s/%s: the second one is refused, naming the first', async (...given) => {
    const [product, slug, otherProduct, otherSlug, first, second] = given;
    const shapes = { [product]: first, [otherProduct]: second };
    await clear();
    const pair = [
      { product, slug },
      { product: otherProduct, slug: otherSlug },
    ];
    const { accepted, refused } = await createAll(pair, shapes);
    expect(accepted.map((tenant) => tenant.slug)).toEqual([slug]);
    expect(refused[0]?.message).toContain(`the tenant "${slug}" of product ${product}`);
  });

  it('that want the same at once: one gets it', async () => {
    const shapes = { notes: 'component', 'notes-pro': 'component' } as const;
    await clear();
    const answers = await Promise.allSettled([
      createAll([{ product: 'notes', slug: 'pro-acme' }], shapes),
      createAll([{ product: 'notes-pro', slug: 'acme' }], shapes),
    ]);
    const done = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(done.flatMap(({ accepted }) => accepted)).toHaveLength(1);
    expect(done.flatMap(({ refused }) => refused)).toHaveLength(1);
  });

  it('are free again once the tenant that had them is withdrawn', async () => {
    const shapes = { notes: 'component', 'notes-pro': 'component' } as const;
    await clear();
    const orchestrator = new FakeOrchestrator(database);
    orchestrator.startFault = 'before';
    await expect(createAll([{ product: 'notes', slug: 'pro-acme' }], shapes, orchestrator)).rejects.toMatchObject({
      code: 'ORCHESTRATOR_UNAVAILABLE',
    });
    const next = await createAll([{ product: 'notes-pro', slug: 'acme' }], shapes);
    expect(next.accepted).toHaveLength(1);
  });

  it('and their workflow ids differ when product or slug does', () => {
    fc.assert(
      fc.property(request, request, (a, b) => {
        const same = a.product === b.product && a.slug === b.slug;
        expect(tenantWorkflowId(a) === tenantWorkflowId(b)).toBe(same);
      }),
    );
  });
});
