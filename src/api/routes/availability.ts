import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { unavailableReasons } from '../../contracts/availability.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import { answers } from '../schemas/answers.ts';

const params = z.strictObject({
  slug: z.string().min(1).max(100).describe('Compared as a creation would: without space around it, in lower case'),
});
const query = z.strictObject({
  product: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe('Default: all products of this installation whose slugs are chosen; it must be free in each'),
});

export const availabilityAnswer = z
  .object({
    slug: z.string().describe('As it would be stored'),
    products: z.array(z.string()).describe('For which it was asked'),
    available: z.boolean().describe('True is no reservation: the next request may take it'),
    reason: z
      .enum(unavailableReasons)
      .optional()
      .describe(
        'Why it is not. `taken`: by a tenant, or kept for one that was removed; whose is not said. `reserved`: nobody gets it. `invalid`: it is no slug, or none can be chosen',
      ),
    detail: z.string().optional().describe('The reason, a sentence for people'),
    suggestion: z.string().optional().describe('A similar one that is available'),
  })
  .meta({ id: 'Availability', description: 'Whether a tenant of the slug could be created' });

/** Requirement U-03. */
export const availabilityRoutes: FastifyPluginCallbackZod<{ client: Pick<TenantryClient, 'availability'> }> = (
  app,
  { client },
  done,
) => {
  app.get(
    '/api/v1/subdomains/:slug/availability',
    {
      schema: {
        operationId: 'getAvailability',
        summary: 'Whether a slug can be had',
        description:
          'Decides as a creation does, by the rule of slugs, reserved words, other tenants and their host names. Nothing is reserved: a ' +
          'creation may still be refused with SLUG_TAKEN.',
        tags: ['tenants'],
        params,
        querystring: query,
        response: answers({ 200: availabilityAnswer }, ['UNKNOWN_PRODUCT', 'FEATURE_DISABLED', 'CELL_CLOSED']),
      },
    },
    async (request) => client.availability(callerOf(request), request.params.slug, request.query.product),
  );
  done();
};
