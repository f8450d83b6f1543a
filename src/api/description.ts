import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { describeAccess, securitySchemes } from './access/description.ts';
import { describingKeys } from './idempotency-description.ts';
import { describingPreconditions, describingPreferences } from './header-description.ts';
import { describingLimits } from './limits/description.ts';
import { DOCS_CSP } from './limits/security-headers.ts';
import type { ProductDoor } from './product-doors.ts';
import { answers } from './schemas/answers.ts';
import { noQuery } from './schemas/parameters.ts';

/** Serves the description of the API: `/openapi.json`, and `/docs` for people. To be called before its routes are registered. */
export async function describe(app: FastifyInstance, doors: readonly ProductDoor[]): Promise<void> {
  const transform = describingLimits(
    describingPreferences(describingPreconditions(describingKeys(jsonSchemaTransform))),
  );
  /** Ids of operations whose body may be left out. */
  const optional = new Set<string>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tenantry',
        version: '1',
        description:
          'Tenant control plane. Mutations are accepted with 202 and carried out durably; errors have one shape: ' +
          '`{ error: { code, message, details?, requestId } }`. HEAD is answered wherever GET is. ' +
          'Text that holds NUL or half a surrogate pair is refused anywhere, and so is a field named `__proto__`.',
      },
      components: { securitySchemes },
      servers: [{ url: '/', description: 'This API' }],
      tags: [
        { name: 'tenants', description: 'Create, read, list and remove tenants; act on what is open' },
        { name: 'operations', description: 'What was done to a tenant, and how it went' },
        ...doors.map(({ tag }) => tag),
        { name: 'webhooks', description: 'Tell URLs of what tenants and operations come to' },
        { name: 'operation of the service', description: 'Health, figures, this description, the codec of Temporal' },
      ],
    },
    transform: describeAccess((route) => {
      if (isOptional(route.schema.body)) optional.add(route.schema.operationId ?? '');
      return transform(route);
    }),
    transformObject: (described) => withOptionalBodies(jsonSchemaTransformObject(described), optional),
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_CSP });
  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getDescription',
        summary: 'This description',
        tags: ['operation of the service'],
        querystring: noQuery,
        response: answers({ 200: z.record(z.string(), z.unknown()) }),
      },
    },
    () => ({ ...app.swagger() }),
  );
}

function isOptional(body: unknown): boolean {
  return body instanceof z.ZodType && body.safeParse(undefined).success;
}

type Described = ReturnType<typeof jsonSchemaTransformObject>;

const paths = z.record(z.string(), z.record(z.string(), z.unknown()));
const withBody = z.looseObject({ operationId: z.string(), requestBody: z.looseObject({ required: z.boolean() }) });

/** The plugin calls every body required. */
function withOptionalBodies(description: Described, operationIds: ReadonlySet<string>): Described {
  const corrected = (operation: unknown) => {
    const { data } = withBody.safeParse(operation);
    if (!data || !operationIds.has(data.operationId)) return operation;
    return { ...data, requestBody: { ...data.requestBody, required: false } };
  };
  const of = paths.parse(description.paths ?? {});
  return {
    ...description,
    paths: mapped(of, (methods) => mapped(methods, corrected)),
  };
}

function mapped<A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
}
