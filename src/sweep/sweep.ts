import type { Caller } from '../contracts/caller.ts';
import type { MarkVerdict, SweepReport } from '../contracts/sweep.ts';
import { listRemovals, listReports, type RemovalRow } from '../db/sweep-reports.ts';
import { cellById } from '../platform.ts';
import { approve, existingReport, type ApprovalRequest } from './approval.ts';
import { SweepNotFoundError, type SweepDeps } from './dependencies.ts';
import { adoptLedger, checkMark } from './ledger-mark.ts';
import { remove, type RemovalAnswer, type RemovalRequest } from './removal.ts';
import { makeReport } from './report.ts';

/**
 * The sweep: compares what exists in a cell with what the ledger holds, in both directions. It reports; it takes away only what
 * somebody approved, a few things at a time, each looked at again. `docs/adr/0005-sweep.md` says why it is as it is.
 */
export interface Sweep {
  /** Looks at one cell and stores what it found. @throws SweepNotFoundError when the platform has no such cell */
  report(caller: Caller, request: { cell: string; by: string; onProgress?: () => void }): Promise<SweepReport>;
  /** Newest first. */
  list(limit?: number): Promise<SweepReport[]>;
  /** @throws SweepNotFoundError */
  show(reportId: string): Promise<{ readonly report: SweepReport; readonly removals: readonly RemovalRow[] }>;
  /** @throws SweepNotFoundError, SweepRefusedError */
  approve(caller: Caller, request: ApprovalRequest): Promise<SweepReport>;
  /** @throws SweepNotFoundError, SweepRefusedError */
  remove(caller: Caller, request: RemovalRequest): Promise<RemovalAnswer>;
  /** How the ledger stands to the cell's mark. */
  checkMark(cell: string): Promise<MarkVerdict>;
  /** Takes this ledger for the true one, whatever the mark says: audited. @throws Error */
  adoptLedger(caller: Caller, request: { cell: string; by: string; reason: string }): Promise<MarkVerdict>;
  /** Cells of the platform, by id. */
  cells(): string[];
}

export function createSweep(deps: SweepDeps): Sweep {
  const cellOf = (id: string) => {
    try {
      return cellById(deps.platform, id);
    } catch (cause) {
      throw new SweepNotFoundError(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  };
  return {
    report: (caller, { cell, by, onProgress }) => makeReport(deps, { cell: cellOf(cell), by, caller, onProgress }),
    list: (limit = 20) => listReports(deps.database, limit),
    show: async (id) => ({
      report: await existingReport(deps, id),
      removals: await listRemovals(deps.database, id),
    }),
    approve: (caller, request) => approve(deps, caller, request),
    remove: (caller, request) => remove(deps, caller, request),
    checkMark: (cell) => checkMark(deps, cellOf(cell).id),
    adoptLedger: (caller, { cell, by, reason }) => adoptLedger(deps, cellOf(cell).id, { by, reason, caller }),
    cells: () => deps.platform.cells.map(({ id }) => id),
  };
}
