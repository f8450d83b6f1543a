import { createHash } from 'node:crypto';
import type { License } from './settings.ts';

type LicenseId = Pick<License, 'enterpriseId' | 'productId' | 'serviceId'>;

/** Tells the licenses of an account apart. */
export function licenseKey({ enterpriseId, productId, serviceId }: LicenseId): string {
  return `${enterpriseId}#${productId}#${serviceId}`;
}

/**
 * In the ids of a license's steps: by what it is of, and not by its place in the list, so that one that is taken out leaves the steps of the
 * others as they are.
 */
export function licenseHash({ enterpriseId, productId, serviceId }: LicenseId): string {
  return createHash('sha256').update(`${enterpriseId}|${productId}|${serviceId}`).digest('hex').slice(0, 8);
}

/**
 * What keeps a license from being one beside those before it, as a sentence. Two whose steps would have one id are refused rather than told
 * apart by a longer one: an id that depends on the other licenses would change when one of them goes, and with it the step of a row that stays.
 */
export function clashOf(one: LicenseId, before: readonly LicenseId[]): string | undefined {
  const same = before.findIndex((other) => licenseKey(other) === licenseKey(one));
  if (same !== -1)
    return `has the same enterpriseId, productId and serviceId as the license at ${same} (they are counted from 0)`;
  const alike = before.findIndex((other) => licenseHash(other) === licenseHash(one));
  if (alike === -1) return undefined;
  return `cannot be told apart from the license at ${alike} (they are counted from 0): both have the short hash ${licenseHash(one)}. Another serviceId has another one`;
}
