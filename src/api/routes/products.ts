import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ProductView } from '../../client/product-list.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { places, slugRules } from '../../products/product.ts';
import { callerOf } from '../caller.ts';
import { answers } from '../schemas/answers.ts';
import { createTenantBody } from '../schemas/request-bodies.ts';
import { noQuery } from '../schemas/parameters.ts';

const field = z.object({
  name: z.string(),
  required: z.boolean(),
  values: z.array(z.string()).optional().describe('The only values that are accepted'),
  description: z.string().optional(),
});

/** Answer of `GET /api/v1/products`. */
export const productsAnswer = z
  .object({
    products: z.array(
      z.object({
        name: z.string(),
        tiers: z.array(z.string()).describe('Empty: the product has no tiers'),
        // Some are optional for clients: an API of an earlier release does not give them.
        tierChanges: z
          .array(z.object({ from: z.string(), to: z.string() }))
          .optional()
          .describe('From which tier to which a tenant may be moved (`POST /tenants/{id}/migrate`); empty: from none'),
        suspendable: z.boolean().optional().describe('Whether a tenant can be suspended'),
        places: z
          .array(z.enum(places))
          .optional()
          .describe('What is reserved for a tenant: it has these, and no other'),
        cells: z
          .array(z.string())
          .optional()
          .describe('Cells that serve the product and take tenants; empty: no tenant can be created'),
        domains: z.array(z.string()).describe('Domains of its tenants, of every cell that serves the product'),
        slugs: z
          .enum(slugRules)
          .optional()
          .describe('`tenant-id`: a tenant has its id for a slug, and a request that chooses one is refused'),
        reservedSlugs: z.array(z.string()),
        fields: z.array(field).describe('What a request for a tenant of the product carries'),
      }),
    ),
  })
  .meta({ id: 'ProductList', description: 'The products of this installation' });

/** The products whose tenants can be created, and what a request for one carries. */
export const productRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.get(
    '/api/v1/products',
    {
      schema: {
        operationId: 'listProducts',
        summary: 'List the products and what a tenant of each asks for',
        tags: ['tenants'],
        querystring: noQuery,
        response: answers({ 200: productsAnswer }),
      },
    },
    (request) => ({
      products: client.products(callerOf(request)).map((product) => ({
        ...product,
        tiers: [...product.tiers],
        tierChanges: product.tierChanges.map(({ from, to }) => ({ from, to })),
        places: [...product.places],
        cells: [...product.cells],
        domains: [...product.domains],
        reservedSlugs: [...product.reservedSlugs],
        fields: fieldsOf(product),
      })),
    }),
  );
  done();
};

/** The fields of the request's schema; the tier only where the product has tiers. */
function fieldsOf({ name: product, slugs, tiers }: ProductView): z.infer<typeof field>[] {
  return Object.entries(createTenantBody.shape).flatMap(([name, schema]) => {
    if (name === 'tier' && tiers.length === 0) return [];
    if (name === 'slug' && slugs === 'tenant-id') return [];
    const described = { name, required: !schema.safeParse(undefined).success, description: schema.description };
    if (name === 'slug') return [{ ...described, required: true }];
    if (name === 'tier') return [{ ...described, required: true, values: [...tiers] }];
    return [name === 'product' ? { ...described, values: [product] } : described];
  });
}
