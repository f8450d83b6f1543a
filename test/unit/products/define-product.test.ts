import { fileURLToPath } from 'node:url';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { LoadBalancer } from '../../../src/contracts/platform.ts';
import { slugReservation } from '../../../src/kinds/slug-reservation/kind.ts';
import { tenantActivation } from '../../../src/kinds/tenant-activation/kind.ts';
import { defineProduct, type ProductDefinition, type ProductRequest } from '../../../src/products/define-product.ts';
import { isServed, resolveUnplaced } from '../../../src/products/places.ts';
import type { Place } from '../../../src/products/product.ts';
import { exampleCell } from '../../support/platform.ts';

const tenant = { tenantId: '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11', slug: 'acme' };

/** A product of two steps that notes what it was asked. */
function productOf<const T extends string, const P extends Place>(
  parts: Omit<ProductDefinition<T, P, never>, 'name' | 'blueprint'>,
) {
  const asked: ProductRequest<T, P, never>[] = [];
  const product = defineProduct<T, P>({
    ...parts,
    name: 'notes',
    blueprint: (request) => {
      asked.push(request);
      const { step } = request;
      return [
        step(slugReservation, { id: 'validate', needs: [], spec: { slug: request.tenant.slug, templateServices: [] } }),
        step(tenantActivation, { id: 'finalize', needs: ['validate'], spec: {} }),
      ];
    },
  });
  return { product, asked };
}

describe('a product', () => {
  it('gets its steps wrapped in a blueprint that names product, tier and cell', () => {
    const { product } = productOf({ tiers: ['free', 'team'], places: [] });
    const blueprint = resolveUnplaced(product, exampleCell(), { ...tenant, tier: 'team' });
    expect(blueprint).toMatchObject({ version: 1, product: 'notes', tier: 'team', cell: 'default' });
    expect(blueprint.steps.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      'validate slug-reservation',
      'finalize tenant-activation',
    ]);
  });

  it('is told of the places that it declares, and of no other', () => {
    const cell = exampleCell({ domains: { notes: 'notes.example.com' } });
    const both = productOf({ places: ['host', 'load-balancer'] });
    resolveUnplaced(both.product, cell, { ...tenant, tier: null });
    expect(both.asked[0]).toMatchObject({
      host: 'acme.notes.example.com',
      url: 'https://acme.notes.example.com',
      loadBalancer: cell.loadBalancers[0],
    });
    const none = productOf({ places: [] });
    resolveUnplaced(none.product, cell, { ...tenant, tier: null });
    expect(Object.keys(none.asked[0] ?? {}).sort()).toEqual([
      'cameFrom',
      'cell',
      'isMoving',
      'mode',
      'parameter',
      'settings',
      'step',
      'template',
      'tenant',
      'tier',
    ]);
    expectTypeOf<ProductRequest<never, 'load-balancer'>>().toHaveProperty('loadBalancer').toEqualTypeOf<LoadBalancer>();
    expectTypeOf<ProductRequest<never, 'load-balancer'>>().not.toHaveProperty('host');
    expectTypeOf<ProductRequest<never, never>>().not.toHaveProperty('loadBalancer');
    expectTypeOf<ProductRequest<'free' | 'team', never>['tier']>().toEqualTypeOf<'free' | 'team'>();
    expectTypeOf<ProductRequest<never, never>['tier']>().toEqualTypeOf<null>();
  });

  it('is served by a cell with a domain for it; without hosts by one that lists it', () => {
    const hosted = productOf({ places: ['host'] }).product;
    const hostless = productOf({ places: ['load-balancer'] }).product;
    const withDomain = exampleCell({ domains: { notes: 'notes.example.com' } });
    const listing = exampleCell({ products: ['notes'] });
    expect([isServed(withDomain, hosted), isServed(listing, hosted)]).toEqual([true, false]);
    expect([isServed(withDomain, hostless), isServed(listing, hostless)]).toEqual([false, true]);
  });

  it('reads SSM parameters of its cell, and is refused where one that it needs is not given', () => {
    const name = '/platform/notes/queue';
    const { product, asked } = productOf({ places: [], ssmParameters: [name, '/platform/notes/topic'] });
    const cell = exampleCell({ ssmParameters: { [name]: 'notes-queue', '/platform/notes/topic': 'notes' } });
    resolveUnplaced(product, cell, { ...tenant, tier: null });
    expect([asked[0]?.parameter(name), asked[0]?.parameter('/platform/other')]).toEqual(['notes-queue', undefined]);
    const lacking = exampleCell({ ssmParameters: { [name]: 'notes-queue' } });
    expect(() => resolveUnplaced(product, lacking, { ...tenant, tier: null })).toThrow(
      'cell "default" gives no value for /platform/notes/topic, which notes needs: add to its `ssmParameters`',
    );
  });

  it('brings its migrations by a file URL', () => {
    const migrations = new URL('./migrations/', import.meta.url);
    expect(productOf({ places: [], migrations }).product.migrations).toBe(fileURLToPath(migrations));
  });

  it('hands its tenants settings as its schema reads them, by cell and tier', () => {
    const product = defineProduct({
      name: 'notes',
      tiers: ['free', 'team'],
      places: [],
      settings: ({ cell, tier }) =>
        z.strictObject({
          region: z.literal(cell.region).default(cell.region),
          seats: z
            .int()
            .max(tier === 'free' ? 1 : 9)
            .default(1),
        }),
      blueprint: ({ settings, mode, step, tenant }) => {
        expectTypeOf(settings).toEqualTypeOf<{ region: string; seats: number }>();
        const slug = `${tenant.slug} ${settings.region} ${settings.seats} ${mode}`;
        return [step(slugReservation, { id: 'validate', needs: [], spec: { slug, templateServices: [] } })];
      },
    });
    const slugOf = (tier: string, settings?: Record<string, unknown>) =>
      resolveUnplaced(product, exampleCell({ region: 'eu-west-1' }), { ...tenant, tier, settings }).steps[0]?.spec.slug;
    expect(slugOf('free')).toBe('acme eu-west-1 1 active');
    expect(slugOf('team', { seats: 9 })).toBe('acme eu-west-1 9 active');
    expect(() => slugOf('free', { seats: 9 })).toThrow('settings.seats: must be at most 1');
  });

  it('is refused with all that is wrong with it', () => {
    const define = () =>
      defineProduct({
        name: 'Notes_',
        tiers: ['free', 'free', 'A'],
        places: ['host', 'host', 'moon' as Place],
        templates: { 'A b': { containerPort: 80 } },
        migrations: new URL('https://example.com/migrations/'),
        settings: z.strictObject({ seats: z.int() }),
        ssmParameters: ['platform/notes'],
        blueprint: () => [],
        tierChanges: [
          { from: 'free', to: 'huge' as 'free' },
          { from: 'free', to: 'free' },
          { from: 'free', to: 'free' },
        ],
        slugs: 'given' as 'chosen',
        noun: 'Note!',
        details: { displayName: 'owner..name' },
        ...{ size: 'large' },
      });
    expect(define).toThrow(RangeError);
    for (const said of [
      'product "Notes_"',
      'there is no field "size" (there are: name, tiers, ',
      'its name must be lower case letters',
      'slugs must be one of chosen, tenant-id',
      'noun must be lower case words',
      'details names "owner..name", which is no path of a setting',
      'tier "free" is given twice',
      'tierChanges names tier "huge"',
      'tierChanges leads from "free" to itself',
      'the change of tier from free to free is given twice',
      '"A" is no name for a tier',
      'there is no place "moon" (there are: host, load-balancer)',
      'place "host" is given twice',
      'template "A b" has no name for a component',
      'migrations must be a file URL',
      '"platform/notes" is no name of an SSM parameter, such as /platform/name',
      'settings must be valid when none are given: seats is required',
    ])
      expect(define).toThrow(said);
  });

  it.each([
    [{}, 'product without a name: lacks name (string), places (list), blueprint (function)'],
    [
      { name: 'notes', places: 'host', tiers: 'free', blueprint: () => [] },
      'product "notes": lacks tiers (list), places (list)',
    ],
    [
      { name: 'notes', palces: [] },
      'lacks places (list), blueprint (function); there is no field "palces" (there are: name, ',
    ],
    [undefined, 'product without a name: it is no object'],
    [
      { name: 'notes', places: [], blueprint: () => [], details: { owner: 'name' } },
      'details: there is no field "owner" (there are: displayName, contactEmail)',
    ],
  ])('written without types is told all that it lacks: %o', (given, said) => {
    expect(() => defineProduct(given as unknown as Parameters<typeof defineProduct>[0])).toThrow(said);
  });
});
