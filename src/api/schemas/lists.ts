import { z } from 'zod';
import { openOperationStates } from '../../contracts/operation-state.ts';
import {
  DEFAULT_TENANT_SORT,
  driftFilters,
  healthFilters,
  LONGEST_SEARCH,
  tenantSorts,
} from '../../contracts/tenant-list.ts';
import { tenantStatuses } from '../../contracts/tenant-status.ts';
import { normalSlug } from '../../products/slug.ts';
import { whole, flag, severalOf, cursor, nextCursor } from './fields.ts';
import { tenantAnswer, drift, outcome, deletesAt, unsettled, openOperation } from './tenants.ts';

export const listQuery = z.strictObject({
  product: z.string().min(1).max(40).optional(),
  slug: z.string().min(1).max(100).transform(normalSlug).optional(),
  status: severalOf(tenantStatuses).optional().describe('One of several: repeated, or with commas between'),
  operation: z.enum(openOperationStates).optional().describe('Only tenants whose open operation is in this state'),
  text: z
    .string()
    .min(1)
    .max(LONGEST_SEARCH)
    .refine((text) => !/\p{Cc}/u.test(text), 'must have no control characters')
    .meta({ pattern: String.raw`^[^\u0000-\u001f\u007f-\u009f]*$` })
    .optional()
    .describe(
      'Only tenants with this text somewhere in their slug, display name or e-mail address (`contactEmail`): letter by letter, ' +
        'in upper or lower case; no character stands for others',
    ),
  health: severalOf(healthFilters)
    .optional()
    .describe('Only tenants whose `health.status` is one of these; `none`: `health` is null. As `status`, several'),
  drift: z
    .enum(driftFilters)
    .optional()
    .describe(
      'Whether tenants are not as they were applied: `yes` and `no` are `drift.state` `drift` and `none`; `unknown`: it is `unknown`, or nobody has looked',
    ),
  includeGone: flag
    .optional()
    .describe(
      'Whether to list tenants of which nothing is left too (`deleted`, or `failed` and rolled back). By default they are ' +
        'left out, unless `status` or `slug` is given',
    ),
  sort: z
    .enum(tenantSorts)
    .default(DEFAULT_TENANT_SORT)
    .describe('`-`: descending. Slugs are in the order of the database. Equals are in the order of their ids'),
  limit: whole(1, 200, 50),
  cursor,
});

const listedTenant = tenantAnswer.extend({ outcome, unsettled, deletesAt, openOperation, drift });

export const tenantsAnswer = z
  .object({ tenants: z.array(listedTenant), nextCursor })
  .meta({ id: 'TenantPage', description: 'A page of tenants' });

/** Fields that a list of tenants may be asked for. */
export const listedTenantFields: readonly string[] = listedTenant.keyof().options;

export const sparseTenantsAnswer = z
  .object({ tenants: z.array(listedTenant.partial().required({ tenantId: true })), nextCursor })
  .meta({ id: 'SparseTenantPage', description: 'A page of tenants, with the fields that were asked for' });

export const tenantsQuery = listQuery.extend({
  fields: severalOf(listedTenantFields)
    .optional()
    .describe('Only these fields of each tenant, and `tenantId`: repeated, or with commas between. Default: all'),
});
