import { z } from 'zod';

/** How a request names a tenant: by its id, or by its slug, which the product's name before a `~` makes one product's. */
export type TenantName = { readonly id: string } | SlugName;

export interface SlugName {
  readonly slug: string;
  /** Undefined: of any product. */
  readonly product: string | undefined;
}

/**
 * Stands between product and slug. No name of either holds it, and it is unreserved in URIs (RFC 3986, 2.3), so that no client or proxy
 * writes it otherwise in a path, as they do with a slash.
 */
export const PRODUCT_SEPARATOR = '~';

/** A tenant's name in requests, for the description. It holds for ids, too. */
export const tenantNamePattern = `^([a-z0-9-]{1,40}${PRODUCT_SEPARATOR})?[A-Za-z0-9][A-Za-z0-9-]{1,38}[A-Za-z0-9]$`;

const slugName = new RegExp(
  `^(?:(?<product>[a-z0-9-]{1,40})${PRODUCT_SEPARATOR})?(?<slug>[a-z0-9][a-z0-9-]{1,38}[a-z0-9])$`,
);
const idForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text has the form of an id: it names a tenant by its id then, and by nothing else. */
export function hasIdForm(text: string): boolean {
  return idForm.test(text);
}

/** Undefined: the text names none, in whatever way. Upper and lower case are the same. */
export function parseTenantName(text: string): TenantName | undefined {
  const name = text.toLowerCase();
  const id = z.uuid().safeParse(name).data;
  if (id !== undefined) return { id };
  if (hasIdForm(name)) return undefined;
  const { product, slug } = slugName.exec(name)?.groups ?? {};
  return slug === undefined ? undefined : { product, slug };
}

/** As requests have it. */
export function tenantNameText({ product, slug }: SlugName): string {
  return product === undefined ? slug : `${product}${PRODUCT_SEPARATOR}${slug}`;
}
