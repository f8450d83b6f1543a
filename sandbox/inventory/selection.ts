import type { InventoryDifference } from './difference.ts';
import type { InventoryItem } from './item.ts';

export type ItemFilter = (item: InventoryItem) => boolean;

/** The part of a difference (or of a list of items) that passes; a change passes when either of its sides does. */
export function only(items: readonly InventoryItem[], filter: ItemFilter): InventoryItem[];
export function only(diff: InventoryDifference, filter: ItemFilter): InventoryDifference;
export function only(
  given: readonly InventoryItem[] | InventoryDifference,
  filter: ItemFilter,
): InventoryItem[] | InventoryDifference {
  if (!('added' in given)) return given.filter(filter);
  return {
    added: given.added.filter(filter),
    removed: given.removed.filter(filter),
    changed: given.changed.filter((change) => filter(change.before) || filter(change.after)),
  };
}

/** What a tenant's things are found by, besides the marks that they carry. */
export interface TenantTraces {
  readonly tenantId: string;
  /** Found as a part of names: `acme` in `moamalat-acme-backend`, not in `moamalat-acmeville`. */
  readonly slug?: string | undefined;
  /** Other texts that only this tenant's things hold (hashed names, host names). */
  readonly texts?: readonly string[] | undefined;
}

/** The part of a difference that concerns one tenant, so that tenants who live side by side do not disturb each other. */
export function ofTenant(diff: InventoryDifference, tenant: TenantTraces): InventoryDifference {
  return only(diff, isOfTenant(tenant));
}

/**
 * Whether a thing is a tenant's: by its owner; by the tenant id (with or without hyphens), the slug or another text
 * anywhere in its id, name, detail or tags. A thing marked as another tenant's is not.
 */
export function isOfTenant({ tenantId, slug, texts = [] }: TenantTraces): ItemFilter {
  const mentionsId = mentions(tenantId, tenantId.replaceAll('-', ''), ...texts);
  const mentionsSlug = slug === undefined ? undefined : new RegExp(`(?<![a-z0-9])${escape(slug)}(?![a-z0-9])`, 'i');
  return (item) => {
    if (item.owner) return item.owner.tenantId === tenantId;
    return mentionsId(item) || (mentionsSlug?.test(textOf(item)) ?? false);
  };
}

/** Whether a thing holds one of these texts anywhere: rules and records are found by the host in them. */
export function mentions(...texts: readonly string[]): ItemFilter {
  const wanted = texts.filter((text) => text !== '').map((text) => text.toLowerCase());
  return (item) => {
    const text = textOf(item).toLowerCase();
    return wanted.some((t) => text.includes(t));
  };
}

/** Without what AWS keeps for a while though it was removed. */
export function withoutResidues(diff: InventoryDifference): InventoryDifference {
  return {
    added: diff.added.filter((item) => item.residue === undefined),
    removed: diff.removed.filter((item) => item.residue === undefined),
    changed: diff.changed.filter(({ before, after }) => before.residue === undefined || after.residue === undefined),
  };
}

function textOf({ id, name, detail, settings, tags }: InventoryItem): string {
  return [id, name ?? '', ...[detail, settings, tags].flatMap((facts) => Object.values(facts ?? {}))].join('\n');
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
