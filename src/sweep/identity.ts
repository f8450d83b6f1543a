import { createHash } from 'node:crypto';
import type { SweepFinding } from '../contracts/sweep.ts';
import { contentHash } from '../naming.ts';

/** A finding before it is known since when it is seen. */
export type Draft = Omit<SweepFinding, 'id' | 'firstSeenAt'>;

/** The same for the same thing, whatever is seen of it, in every report of its cell. */
export function findingId(draft: Pick<Draft, 'class' | 'type' | 'physicalId' | 'name' | 'owner'>): string {
  const { class: of, type, physicalId, name, owner } = draft;
  const identity = JSON.stringify([of, type, physicalId, name, owner.tenantId ?? null]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 12);
}

/** Of all that was seen of a thing. */
export function fingerprintOf(seen: unknown): string {
  return contentHash(seen);
}
