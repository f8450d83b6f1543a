/** When drift is repaired without anybody's approval. */
export interface RepairLimits {
  /** Automatic repairs of a cell that are open at once. */
  readonly atOnce: number;
  /** While more operations of a cell that somebody asked for are at work than this, no repair begins. */
  readonly behindMoreThan: number;
  /** Of the tenants of a cell that were looked at: more that drift than this share, and at least `fromTenants`, stop it. */
  readonly share: number;
  readonly fromTenants: number;
  /** So many automatic repairs that failed, or whose drift came back, within the window stop it. */
  readonly failures: number;
}

export const REPAIR_LIMITS: RepairLimits = { atOnce: 2, behindMoreThan: 0, share: 0.2, fromTenants: 3, failures: 2 };

/** In which failed repairs count, in ms. */
export const FAILURE_WINDOW_MS = 24 * 3_600_000;

/** How a cell stands, since an operator let automatic repair go on the last time. */
export interface RepairSituation {
  readonly isStopped: boolean;
  /** Tenants whose last look saw them, and of these the ones that it saw drift. */
  readonly looked: number;
  readonly drifting: number;
  /** Automatic repairs that failed, or whose drift came back. */
  readonly failed: number;
  readonly openRepairs: number;
  readonly openAsked: number;
  /** Tenants that a repair would help and that may be given one, in order. */
  readonly candidates: readonly string[];
}

export type RepairDecision =
  /** Automatic repair stops until an operator lets it go on. */
  | { readonly is: 'stop'; readonly why: string }
  | { readonly is: 'wait'; readonly why: string }
  /** In that order, until so many of them have begun. */
  | { readonly is: 'repair'; readonly atMost: number; readonly tenantIds: readonly string[] };

/** Which tenants of a cell are repaired now. Pure. */
export function decideRepairs(cell: RepairSituation, limits: RepairLimits = REPAIR_LIMITS): RepairDecision {
  if (cell.isStopped) return { is: 'wait', why: 'it was stopped, and nobody has let it go on' };
  if (cell.drifting >= limits.fromTenants && cell.drifting > cell.looked * limits.share) {
    const percent = Math.round(limits.share * 100);
    return { is: 'stop', why: `${cell.drifting} of ${cell.looked} tenants drift at once, more than ${percent} %` };
  }
  if (cell.failed >= limits.failures)
    return { is: 'stop', why: `${cell.failed} of the last repairs failed, or their drift came back` };
  if (cell.openAsked > limits.behindMoreThan) return { is: 'wait', why: `${cell.openAsked} operations go first` };
  const room = Math.max(0, limits.atOnce - cell.openRepairs);
  if (room === 0 && cell.candidates.length > 0) return { is: 'wait', why: `${cell.openRepairs} repairs are open` };
  return { is: 'repair', atMost: room, tenantIds: cell.candidates };
}
