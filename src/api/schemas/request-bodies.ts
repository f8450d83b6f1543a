import { z } from 'zod';
import { plainText } from '../../formats.ts';
import { parseSlug } from '../../products/slug.ts';
import { slugFormat, displayName, contactEmail } from './fields.ts';

/** Each product has its own: what is wrong with one is said by field all the same. */
export const settings = z.record(z.string(), z.unknown());

export const createTenantBody = z.strictObject({
  product: z.string().min(1).max(40).describe('Name of the product, such as `moamalat`'),
  tier: z.string().min(1).max(40).optional().describe('Size inside the product, where the product has tiers'),
  slug: z
    .string()
    .max(100, { abort: true })
    .superRefine((text, context) => {
      const parsed = parseSlug(text);
      if (!parsed.ok) context.addIssue(parsed.problem);
    })
    .meta({ ...slugFormat, examples: ['acme'] })
    .optional()
    .describe(
      'DNS label, unique in its product: 3 to 40 of a-z, 0-9 and hyphen. Required, but refused where the product gives its tenants their ids for slugs',
    ),
  displayName,
  contactEmail,
  onFailure: z
    .enum(['hold', 'rollback'])
    .default('hold')
    .describe('`hold`: wait for an operator for a bounded time before rolling back; `rollback`: at once'),
  settings: settings.optional().describe('What an operator chooses; the product says what it takes'),
  cell: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe('Id of the cell that the tenant must be in; by default the first that serves the product and has room'),
});

/** Undoing at once is the default: an active tenant is in use meanwhile. */
const onFailureOfChange = z
  .enum(['hold', 'rollback'])
  .default('rollback')
  .describe('`rollback`: bring back at once what was; `hold`: wait for an operator for a bounded time before');

/** Details are changed in a request of their own. */
const detailsBesideOthers = ['displayName', 'contactEmail'].flatMap((detail) => [
  { required: [detail, 'settings'] },
  { required: [detail, 'refresh'], properties: { refresh: { const: true } } },
]);

export const changeTenantBody = z
  .strictObject({
    displayName: displayName.optional().describe('Changed at once, in a request without `settings` and `refresh`'),
    contactEmail: contactEmail.optional().describe('As `displayName`'),
    settings: settings.optional().describe('Merged into what is desired (RFC 7396): null takes a choice back'),
    refresh: z
      .boolean()
      .optional()
      .describe('Clone from the template services as they are now, and bring tenant migrations up to date'),
    onFailure: onFailureOfChange,
  })
  .meta({ not: { anyOf: detailsBesideOthers } });

export const scaleTenantBody = z.strictObject({
  service: z.string().min(1).max(40).optional().describe('A service of the product; may be left out where it has one'),
  count: z.int().min(0).max(1_000).describe('How many tasks it is to have; the product says how many it may have'),
  onFailure: onFailureOfChange,
});

/** Body of `suspend`, `resume` and `rotate`. */
export const changeModeBody = z
  .strictObject({
    reason: plainText(500).optional().describe('Why, for the audit trail'),
    onFailure: onFailureOfChange,
  })
  .nullish();

/** Body of `migrate`. */
export const migrateBody = z.strictObject({
  tier: z.string().min(1).max(40).describe('To which the product declares a change from the one that the tenant is in'),
  reason: plainText(500).optional().describe('Why, for the audit trail'),
  onFailure: onFailureOfChange,
});

/** Body of `repair`. */
export const repairBody = z
  .strictObject({ reason: plainText(500).optional().describe('Why, for the audit trail') })
  .nullish();

/** Body of a freeze. */
export const freezeBody = z.strictObject({
  product: z.string().min(1).max(40).optional().describe('Default: any product of the cell'),
  cell: z.string().min(1).max(40).optional().describe('Default: any cell'),
  reason: plainText(500).describe('Why: shown to whoever asks for an operation meanwhile'),
});

/** Body of an isolation. */
export const isolateBody = z.strictObject({
  reason: plainText(500).describe('Why, for the audit trail and for whoever looks at the tenant'),
});

/** Body of `abandon`. */
export const abandonBody = z.strictObject({
  reason: plainText(500).describe('Why, for the audit trail'),
  by: plainText(200).optional().describe('Who, for the audit trail, as the caller says it'),
});
