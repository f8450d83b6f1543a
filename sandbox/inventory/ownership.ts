// Reads the marks that design rule 3 describes. Written anew from that text, not shared with the code that sets them.
import type { Facts, Owner } from './item.ts';

const prefix = 'tenantry:';
const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const marker = new RegExp(`tenantry:(${uuid}):(${uuid}):([a-z0-9-]+):(${uuid}):([^"\\s]+)`);

/** The owner that tags name; undefined when they name no tenant. */
export function ownerOfTags(tags: Facts | undefined): Owner | undefined {
  const [installation, tenantId] = [tags?.[`${prefix}installation`], tags?.[`${prefix}tenant-id`]];
  if (!tags || !installation || !tenantId) return undefined;
  return {
    installation,
    tenantId,
    ...optional('product', tags[`${prefix}product`]),
    ...optional('operationId', tags[`${prefix}operation-id`]),
    ...optional('step', tags[`${prefix}step`]),
  };
}

/** The owner that a marker names (a comment in PostgreSQL, a TXT record); undefined when the text holds none. */
export function ownerOfMarker(text: string | undefined): Owner | undefined {
  const [, installation, tenantId, product, operationId, step] = marker.exec(text ?? '') ?? [];
  if (!installation || !tenantId) return undefined;
  return {
    installation,
    tenantId,
    ...optional('product', product),
    ...optional('operationId', operationId),
    ...optional('step', step),
  };
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value ? ({ [key]: value } as Record<K, string>) : {};
}
