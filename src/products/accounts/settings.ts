// ECMAScript's own data (Intl.DisplayNames) names codes that ISO 3166-1 has not assigned, such as EU, UK and XK.
import { CountryCodes } from 'validator/lib/isISO31661Alpha2.js';
import { z } from 'zod';
import type { Settings } from '../../contracts/settings.ts';
import { isSameJson } from '../../contracts/stable-json.ts';
import { plainText, typedEmailAddress } from '../../formats.ts';
import { clashOf, licenseKey } from './licenses.ts';

/** Of an account: it has a row for each. */
export const MOST_LICENSES = 25;
const MOST_ADDRESSES = 10;
/** All but the licenses is one row, and the spec of a step has 4 KiB; in bytes of its JSON. */
const LARGEST_PROFILE = 2_800;

const NO_COUNTRY = 'must be two letters in upper case that ISO 3166-1 has assigned to a country, such as GB';

/** As it is stored: an earlier release took any two letters for a country. */
export const storedAddress = z.strictObject({
  type: plainText(40).describe('Such as `billing`'),
  line1: plainText(120),
  line2: plainText(120).optional(),
  city: plainText(80),
  region: plainText(80).optional(),
  postalCode: plainText(20).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: NO_COUNTRY, abort: true })
    .meta({ examples: ['DE'] }),
});

const countries: ReadonlySet<string> = CountryCodes;

/** Requirement U-27. */
export const address = storedAddress.extend({
  country: storedAddress.shape.country
    .refine((code) => countries.has(code), NO_COUNTRY)
    .meta({ description: 'Two letters of ISO 3166-1', enum: [...countries] }),
});

export const technicalUser = z.strictObject({
  name: plainText(200),
  email: typedEmailAddress,
  username: plainText(100).optional(),
});

/** Part of a key, whose parts `#` separates. */
const id = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be 1 to 64 letters, digits, _, . or -');
const day = z.iso.date({ error: 'must be a day of the calendar, as YYYY-MM-DD' });

export const license = z
  .strictObject({
    enterpriseId: id,
    productId: id,
    serviceId: id,
    startDate: day,
    endDate: day,
    contactFullName: plainText(200),
    contactEmail: typedEmailAddress,
  })
  .refine(({ endDate, startDate }) => endDate >= startDate, {
    path: ['endDate'],
    message: 'must not be before startDate',
  });

export const accountName = plainText(200).describe('Such as `ACME Corporation`');
export const masterAccountName = plainText(100).describe('Such as `acme-master`; several accounts may have it');
export const addresses = z.array(address).max(MOST_ADDRESSES);
export const licenses = z
  .array(license)
  .max(MOST_LICENSES)
  .superRefine((list, context) => {
    for (const [i, one] of list.entries()) {
      const message = clashOf(one, list.slice(0, i));
      if (message !== undefined) context.addIssue({ code: 'custom', path: [i], message });
    }
  });

const fields = z.strictObject({
  name: accountName.optional(),
  masterAccountName: masterAccountName.optional(),
  addresses: addresses.optional(),
  technicalUser: technicalUser.optional(),
  licenses: licenses.optional(),
});

/** Settings of an account that exists. */
export const storedAccountSettings = fields.extend({ addresses: z.array(storedAddress).optional() });

/** Of an account, whatever its tier. None at all is valid: the door of accounts asks for more. */
export const accountSettings = fields.superRefine((settings, context) => {
  const bytes = profileBytes(settings);
  if (bytes > LARGEST_PROFILE)
    context.addIssue({
      code: 'custom',
      path: [settings.addresses ? 'addresses' : 'technicalUser'],
      message: `must be shorter: names, addresses and technical user have ${bytes} bytes together, and may have ${LARGEST_PROFILE}`,
    });
});

export type Address = z.output<typeof storedAddress>;
export type TechnicalUser = z.output<typeof technicalUser>;
export type License = z.output<typeof license>;
export type AccountSettings = z.output<typeof accountSettings>;

/** Whether two settings are of accounts that are alike: licenses have no order, and none is an empty list. */
export function isSameAccount(one: Settings, other: Settings): boolean {
  return isSameJson(inOrder(one), inOrder(other));
}

function inOrder(settings: Settings): Settings {
  const read = storedAccountSettings.safeParse(settings);
  if (!read.success) return settings;
  const { licenses: list = [], ...rest } = read.data;
  return { ...rest, licenses: Object.fromEntries(list.map((one) => [licenseKey(one), one])) };
}

function profileBytes({ addresses: list, masterAccountName: master, name, technicalUser: user }: AccountSettings) {
  return Buffer.byteLength(JSON.stringify([name, master, list, user]));
}
