import { z } from 'zod';
import { QUARANTINE_DAYS } from '../contracts/slug-quarantine.ts';
import { optionalTime, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf } from './rows.ts';

interface Slug {
  readonly product: string;
  readonly slug: string;
  readonly tenantId: string;
}

/** Takes a slug for a tenant; false when another holds it or its quarantine lasts (409 SLUG_TAKEN). */
export async function reserveSlug(tx: Queryable, { product, slug, tenantId }: Slug): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into reservations as held (product, slug, tenant_id) values ($1, $2, $3)
     on conflict (product, slug) do update
       set tenant_id = excluded.tenant_id, reserved_at = now(), quarantined_until = null
     where held.quarantined_until <= now()`,
    [product, slug, tenantId],
  );
  return rowCount === 1;
}

const holder = z.object({ tenantId: uuid, quarantinedUntil: optionalTime });

/** Who holds a slug; undefined when it is free. */
export async function findSlugHolder(
  db: Queryable,
  key: { product: string; slug: string },
): Promise<z.output<typeof holder> | undefined> {
  return rowOf(
    holder,
    await db.query(
      `select tenant_id as "tenantId", quarantined_until as "quarantinedUntil" from reservations
       where product = $1 and slug = $2 and (quarantined_until is null or quarantined_until > now())`,
      [key.product, key.slug],
    ),
  );
}

/** Frees a slug that this tenant holds. */
export async function releaseSlug(tx: Queryable, { product, slug, tenantId }: Slug): Promise<void> {
  await tx.query('delete from reservations where product = $1 and slug = $2 and tenant_id = $3', [
    product,
    slug,
    tenantId,
  ]);
}

/** Closes a slug that this tenant holds to everybody for {@link QUARANTINE_DAYS} days. */
export async function quarantineSlug(tx: Queryable, { product, slug, tenantId }: Slug): Promise<void> {
  await tx.query(
    `update reservations set quarantined_until = now() + $4 * interval '1 day'
     where product = $1 and slug = $2 and tenant_id = $3 and quarantined_until is null`,
    [product, slug, tenantId, QUARANTINE_DAYS],
  );
}
