import { z } from 'zod';
import { id, tenantName, whole, flag, grace } from './fields.ts';
import { listQuery } from './lists.ts';

export const freezeParams = z.strictObject({ freezeId: id });

/** Error codes of every request whose path names a tenant. */
export const tenantCodes = ['TENANT_NOT_FOUND', 'TENANT_NAME_AMBIGUOUS'] as const;

export const tenantParams = z.strictObject({ tenantId: tenantName });

export const operationParams = z.strictObject({ tenantId: tenantName, operationId: id });

export const noQuery = z.strictObject({});

export const dryRunQuery = z.strictObject({
  dryRun: flag.default(false).describe('Answer with what the request would do, and change nothing'),
});

export const historyQuery = z.strictObject({ limit: listQuery.shape.limit, cursor: listQuery.shape.cursor });

export const eventsQuery = z.strictObject({
  after: whole(0, Number.MAX_SAFE_INTEGER, 0).describe('Id of the last event that is known already'),
  limit: whole(1, 500, 100).describe('Of a page; a stream has none'),
});

/** Of pages, and of streams. */
export const eventsOrStreamQuery = eventsQuery.extend({
  ticket: z.string().max(100).optional().describe('In the place of a credential: opens one live stream, by GET'),
});

/** Required, though the schema lets it be left out: the refusal has a code of its own. */
export const deleteQuery = z
  .strictObject({
    confirm: z
      .string()
      .max(100)
      .optional()
      .describe('The slug of the tenant, repeated: its id, where the product gives its tenants those'),
    grace,
    export: dryRunQuery.shape.dryRun.describe('Refuse unless a final dump is kept; it may be handed out'),
    dryRun: dryRunQuery.shape.dryRun,
  })
  .meta({ required: ['confirm'] });
