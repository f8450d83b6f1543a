/** Whom a thing belongs to, as far as its own tags or its marker tell. */
export interface Owner {
  readonly installation: string;
  readonly tenantId: string;
  readonly product?: string;
  readonly operationId?: string;
  readonly step?: string;
}

/** One thing that exists: in AWS, in PostgreSQL, or as a process of this machine. Plain data, as JSON holds it. */
export interface InventoryItem {
  /** `<service>:<type>`, such as `ecs:service`, `postgres:role`, `process`. */
  readonly kind: string;
  /** Unique in its kind and the same in every inventory while the thing lives: an ARN where there is one. */
  readonly id: string;
  /** What people call it; the id when absent. */
  readonly name?: string;
  /** What is shown with it. */
  readonly detail?: Facts;
  /** What is compared, but shown only where it changed. */
  readonly settings?: Facts;
  readonly tags?: Facts;
  readonly owner?: Owner;
  /** Why it is there though it was removed, and nobody can do more about it (an INACTIVE revision, a secret in its recovery window). */
  readonly residue?: string;
}

export type Facts = Readonly<Record<string, string>>;

/** What an inventory covers: the services that a tenant's own things are in, or all that there are. */
export type InventoryScope = 'tenants' | 'all';

/** What two inventories know a thing by. */
export function keyOf({ kind, id }: Pick<InventoryItem, 'kind' | 'id'>): string {
  return `${kind} ${id}`;
}

/** By kind, then name, then id. */
export function sortItems(items: Iterable<InventoryItem>): InventoryItem[] {
  return [...items].sort(
    (a, b) => compare(a.kind, b.kind) || compare(a.name ?? a.id, b.name ?? b.id) || compare(a.id, b.id),
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
