import { z } from 'zod';
import type { TenantEvent } from '../../src/cli/api-client.ts';
import type { Residue } from '../../src/contracts/messages.ts';
import type { InventoryItem } from '../inventory/inventory.ts';

const residues = z.object({
  residues: z.array(
    z.object({ type: z.string(), name: z.string(), reason: z.string(), expiresAt: z.string().nullable() }),
  ),
});

/** What the deprovisioning itself names as staying for a while. */
export function residuesOf(events: readonly TenantEvent[]): Residue[] {
  return events.flatMap(({ type, data }) => {
    const parsed = type === 'step.removed' ? residues.safeParse(data) : undefined;
    return parsed?.success ? parsed.data.residues : [];
  });
}

/** Whether a thing that is left is one of those that AWS keeps for a while, as the oracle sees it, and was named as such. */
export function isResidue(item: InventoryItem, named: readonly Residue[]): boolean {
  if (item.residue === undefined) return false;
  // Of attempts that came to nothing nothing is named.
  if (item.kind === 's3:object') return named.some(({ name }) => item.name?.startsWith(name) === true);
  return named.some(({ name }) => item.name === name || item.id.endsWith(`/${name}`));
}
