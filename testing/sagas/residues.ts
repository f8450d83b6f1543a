import type { Residue } from '../../src/contracts/messages.ts';
import type { Queryable } from '../../src/db/database.ts';

/** What stays of a tenant for a while by design, each with its expiry. */
export async function listResidues(db: Queryable, tenantId: string): Promise<Residue[]> {
  const { rows } = await db.query<{ residues: Residue[] }>(
    `select residues from ledger where tenant_id = $1 and residues is not null
     union all select residues from steps where tenant_id = $1 and residues is not null`,
    [tenantId],
  );
  return rows.flatMap((row) => row.residues);
}
