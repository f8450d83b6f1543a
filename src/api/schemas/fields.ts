import { z } from 'zod';
import { plainText, typedEmailAddress } from '../../formats.ts';
import { durationPattern } from '../../contracts/durations.ts';
import { graceMsOf, graceProblem, LONGEST_GRACE_DAYS } from '../../contracts/grace.ts';
import { parseTenantName, tenantNamePattern } from '../../contracts/tenant-name.ts';

/** What the description says of a slug; `parseSlug` says better what is wrong. A product may reserve more. */
export const slugFormat = {
  pattern: String.raw`^\s*(?!..--)[A-Za-z0-9][A-Za-z0-9\-]{1,38}[A-Za-z0-9]\s*$`,
  minLength: 3,
};

export const displayName = plainText(200);

export const contactEmail = typedEmailAddress.describe('Where the welcome mail goes');

/** Ids are compared as text further in, and PostgreSQL writes them in lower case. */
export const id = z.uuid().toLowerCase();

/** The guard has put the id in the place of a slug by the time that this is checked. */
export const tenantName = z
  .string()
  .max(100)
  .transform((text, context) => {
    const name = parseTenantName(text);
    if (name && 'id' in name) return name.id;
    context.addIssue("must be a tenant's id, its slug, or product~slug");
    return z.NEVER;
  })
  .describe(
    'Id of the tenant, or its slug: that means the tenant that has it now, else the one that had it last. `product~slug` where several ' +
      'products have one. What has the form of an id is an id',
  )
  .meta({ pattern: tenantNamePattern, examples: ['acme', 'moamalat~acme', '8f14e45f-ceea-467f-ab70-4a1b9b3f8a1e'] });

/** A parameter in decimal digits; `Number` would also take nothing at all, `0x10` and `1e2`. */
export const whole = (min: number, max: number, initial: number) =>
  z
    .preprocess(
      (text) => (typeof text === 'string' && /^-?\d+$/.test(text) ? Number(text) : text),
      z.int().min(min).max(max),
    )
    .default(initial);

/** `true` or `false`. */
export const flag = z.preprocess((text) => (text === 'true' ? true : text === 'false' ? false : text), z.boolean());

/** A parameter that takes several of these values: repeated, or with commas between. In order, so that the same choice is the same list. */
export function severalOf<T extends string>(values: readonly T[]) {
  const isKnown = (text: string): text is T => values.some((value) => value === text);
  return z
    .preprocess(
      (given) =>
        typeof given === 'string' ? given.split(',') : Array.isArray(given) ? given.flatMap(splitText) : given,
      z.array(z.string()).transform((given, context): T[] => {
        const known = given.filter(isKnown);
        if (known.length === given.length) return [...new Set(known)].sort();
        const unknown = given.filter((text) => !isKnown(text)).map((text) => `"${oneLine(text)}"`);
        context.addIssue(`must be one or several of ${values.join(', ')}, not ${unknown.join(', ')}`);
        return z.NEVER;
      }),
    )
    .meta({ items: { type: 'string', enum: [...values] } });
}

function splitText(given: unknown): unknown[] {
  return typeof given === 'string' ? given.split(',') : [given];
}

/** What is repeated of a parameter is no longer than a line. */
function oneLine(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

export const cursor = z
  .string()
  .max(600)
  .optional()
  .describe(
    '`nextCursor` of the page before, as it came: opaque. INVALID_INPUT when no page of the list ended with it, or with other filters or another order than that page had',
  );

export const grace = z
  .string()
  .max(20)
  .transform((text, context) => {
    const ms = graceMsOf(text);
    if (ms === undefined) context.addIssue(graceProblem);
    return ms ?? 0;
  })
  .optional()
  .describe(
    'How long it waits before anything is removed; `cancel` leaves the tenant as it is meanwhile. `0`, or a number of seconds, ' +
      'minutes, hours or days: `90s`, `30m`, `12h`, `7d` (90 days at most). By default as the installation has it',
  )
  .meta({ pattern: durationPattern(LONGEST_GRACE_DAYS), examples: ['2d'] });

export const time = z.iso.datetime({ offset: true });

/** Formats that the description gives; what is stored was checked when it came in. */
export const tenantUrl = z
  .string()
  .nullable()
  .meta({ format: 'uri', description: "Null: the product's tenants have no address" });

export const email = z.string().meta({ format: 'email' });

export const nextCursor = z
  .string()
  .nullable()
  .describe('Give it as `cursor` for the next page; null: this is the last one');
