/** How long the slug of a removed tenant that was ever active stays reserved, in days. */
export const QUARANTINE_DAYS = 30;

const DAY_MS = 86_400_000;

/** What the reservation of a slug depends on; times are ISO 8601. */
export interface SlugOwner {
  /** A tenant's status; of a later release's API any word. */
  readonly status: string;
  readonly activatedAt: string | null;
  readonly deletedAt: string | null;
}

/** Until when the slug of a removed tenant is reserved, as ISO 8601; undefined: it is not removed, or its slug is free. */
export function slugReservedUntil({ status, activatedAt, deletedAt }: SlugOwner, nowMs: number): string | undefined {
  if (status !== 'deleted' || activatedAt === null || deletedAt === null) return undefined;
  const untilMs = Date.parse(deletedAt) + QUARANTINE_DAYS * DAY_MS;
  return untilMs > nowMs ? new Date(untilMs).toISOString() : undefined;
}
