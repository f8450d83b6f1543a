import pg from 'pg';
import { sortItems, type Facts, type InventoryItem, type Owner } from '../item.ts';
import { ownerOfMarker } from '../ownership.ts';
import { inventoryQuery } from './queries.ts';

interface Row {
  readonly kind: string;
  readonly id: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly marker: string | null;
  readonly subjects: readonly (string | null)[];
}

/**
 * What is in PostgreSQL: databases, roles, memberships and settings of the whole server; schemas and rights on
 * everything in them of the database that the URL names. A superuser sees all; any login sees nearly all.
 * @throws Error when the server cannot be reached or does not answer within 10 s.
 */
export async function listPostgres(url: string): Promise<InventoryItem[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tenantry-inventory',
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  // A server that goes down under the query fails the query, too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Row>(inventoryQuery);
    return sortItems(itemsOf(rows));
  } catch (cause) {
    throw new Error(`PostgreSQL at ${new URL(url).host} gave no inventory`, { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What other things hang on. */
const ownerKinds = ['postgres:login', 'postgres:role', 'postgres:schema'];

function itemsOf(rows: readonly Row[]): InventoryItem[] {
  const owners = new Map<string, Owner>();
  for (const { kind, id, marker } of rows) {
    const owner = ownerOfMarker(marker ?? '');
    if (owner && ownerKinds.includes(kind)) owners.set(id, owner);
  }
  return rows.map((row) => {
    const hangsOn = row.subjects.find((subject) => subject !== null && owners.has(subject));
    const owner = ownerOfMarker(row.marker ?? '') ?? owners.get(hangsOn ?? '');
    const settings = row.marker === null ? undefined : { comment: row.marker };
    return {
      kind: row.kind,
      id: row.id,
      detail: factsOf(row.detail),
      ...(settings && { settings }),
      ...(owner && { owner }),
    };
  });
}

/** What is null is not said. */
function factsOf(detail: Row['detail']): Facts {
  return Object.fromEntries(
    Object.entries(detail)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, String(value)]),
  );
}
