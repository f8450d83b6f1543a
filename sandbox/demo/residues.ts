import { z } from 'zod';
import type { EventView } from '../../src/client/views.ts';
import type { Residue } from '../../src/contracts/messages.ts';
import type { InventoryItem } from '../stack/inventory.ts';

const residues = z.object({
  residues: z.array(
    z.object({ type: z.string(), name: z.string(), reason: z.string(), expiresAt: z.string().nullable() }),
  ),
});

/** What the deprovisioning itself names as staying for a while. */
export function residuesOf(events: readonly EventView[]): Residue[] {
  return events.flatMap(({ type, data }) => {
    const parsed = type === 'step.removed' ? residues.safeParse(data) : undefined;
    return parsed?.success ? parsed.data.residues : [];
  });
}

/** Whether a thing that is left is one that was named: the oracle's id ends with the name, or holds it. */
export function isResidue(item: InventoryItem, named: readonly Residue[]): boolean {
  return named.some(({ name }) => item.id === name || item.id.endsWith(`/${name}`) || item.id.includes(name));
}
