import { randomUUID } from 'node:crypto';
import type { Caller } from '../contracts/caller.ts';
import type { Cell } from '../contracts/platform.ts';
import type { MarkVerdict, SweepReport } from '../contracts/sweep.ts';
import { listDoubtfulAllocations, listHeldEntries } from '../db/sweep-ledger.ts';
import { insertReport, recordSightings } from '../db/sweep-reports.ts';
import { lookAtCell, lookAtThing, type CellLook } from './cell-look.ts';
import { classifyItems, type SweepRecords } from './classification.ts';
import type { SweepDeps } from './dependencies.ts';
import { ownerIn } from '../naming.ts';
import { findingId, type Draft } from './identity.ts';
import { ledgerView, sweptNameOf } from './ledger-view.ts';
import {
  findAbsences,
  leftEntries,
  lostRunDraft,
  staleAllocationDraft,
  staleness,
  type Absence,
} from './ledger-findings.ts';
import { advanceMark } from './ledger-mark.ts';
import { namesOf } from './names.ts';
import { sweepContextOf } from './sweep-context.ts';

export interface ReportRequest {
  readonly cell: Cell;
  /** Who or what asks. */
  readonly by: string;
  readonly caller: Caller;
  /** Called often while it goes on. */
  readonly onProgress?: (() => void) | undefined;
}

type Problem = SweepReport['problems'][number];

/**
 * Compares a cell's inventory with the ledger in both directions, and stores what it found. Takes nothing away.
 * @throws DatabaseUnavailableError; what AWS does not answer is among the report's problems
 */
export async function makeReport(
  deps: SweepDeps,
  { cell, by, caller, onProgress }: ReportRequest,
): Promise<SweepReport> {
  const names = namesOf(cell, deps.catalog);
  // Before the inventory, so that what is missing was wanted all along; after it, so that what was made meanwhile has its row.
  const before = await listHeldEntries(deps.database);
  const look = await lookAtCell(deps, cell, ledgerView(before, deps.catalog.kinds), onProgress ?? (() => undefined));
  const around = await deps.database.snapshot((at) => sweepContextOf(deps, at, cell, names, look.items));
  const classified = classifyItems(look.items, around);
  const mark = await markFor(deps, cell, look, around);
  const problems: Problem[] = [...look.problems, ...names.problems];
  const attempt = collector(problems);
  const drafts: Draft[] = [
    ...(await attempt(
      'what Temporal knows of unknown tenants',
      () => withTemporalObjections(deps, classified.drafts, around),
      [],
    )),
    ...(await attempt('what the ledger misses', () => missingDrafts(deps, cell, before, look, around), [])),
    ...leftEntries({ cell: cell.id, after: around.ledger.entries, tenants: around.tenants }),
    ...(await attempt('runs in Temporal', () => lostRunDrafts(deps, cell), [])),
    ...(await attempt('allocations', () => staleAllocationDrafts(deps, cell), [])),
  ];
  const { tooYoung, counts } = classified;
  return store(deps, { cell, by, caller, mark, drafts, tooYoung, counts, problems });
}

type Stored = Pick<SweepReport, 'by' | 'caller' | 'mark' | 'tooYoung' | 'counts' | 'problems'> & {
  readonly cell: Cell;
  readonly drafts: readonly Draft[];
};

function store(deps: SweepDeps, { cell, drafts, mark, ...rest }: Stored): Promise<SweepReport> {
  const withIds = drafts.map((draft) => ({ ...draft, id: findingId(draft) }));
  const unique = [...new Map(withIds.map((finding) => [finding.id, finding])).values()];
  return deps.database.transaction(async (tx) => {
    const since = await recordSightings(
      tx,
      cell.id,
      unique.map(({ id }) => id),
      // What could not be looked at this time may still be there.
      () => rest.problems.length > 0,
    );
    const findings = unique.map((finding) => ({
      ...finding,
      removable: finding.removable && mark.state === 'intact',
      firstSeenAt: (since.get(finding.id) ?? new Date()).toISOString(),
    }));
    return insertReport(tx, { id: randomUUID(), cell: cell.id, mark, findings, ...rest });
  });
}

/** The mark is moved on with each report, so that a removal that follows stands on a fresh one. */
async function markFor(deps: SweepDeps, cell: Cell, look: CellLook, around: SweepRecords): Promise<MarkVerdict> {
  return (await advanceMark(deps, cell.id, () => Promise.resolve(mayBeginMark(look, around)))).verdict;
}

/**
 * Whether a first mark may be made: when AWS holds nothing of this installation that the ledger has never heard of. An old ledger
 * whose mark was lost as well would know fewer tenants than AWS does.
 */
export function mayBeginMark(look: CellLook, around: SweepRecords): { may: boolean; why: string } {
  const [problem] = look.problems;
  if (problem) return { may: false, why: `${problem.what} could not be listed` };
  const stranger = look.items.find(({ tags }) => {
    const owner = ownerIn(tags ?? {});
    return owner.installationId === around.installationId && !around.tenants.has(owner.tenantId ?? '');
  });
  if (!stranger) return { may: true, why: '' };
  return { may: false, why: `${stranger.type} ${stranger.name} is of a tenant that this ledger does not know` };
}

function collector(problems: Problem[]) {
  return async <T>(what: string, find: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await find();
    } catch (error) {
      problems.push({ what, message: error instanceof Error ? error.message : String(error) });
      return otherwise;
    }
  };
}

/** Temporal does not go back with a restored database: a tenant that it remembers was one, whatever the ledger says. */
async function withTemporalObjections(
  deps: SweepDeps,
  drafts: readonly Draft[],
  around: SweepRecords,
): Promise<Draft[]> {
  const checked: Draft[] = [];
  for (const draft of drafts) {
    const objection = draft.removable ? await temporalObjection(deps, draft.owner.tenantId, around) : undefined;
    if (objection === undefined) checked.push(draft);
    else {
      const remedy = `look at it by hand; the sweep does not take it away: ${objection}`;
      checked.push({ ...draft, removable: false, remedy });
    }
  }
  return checked;
}

/** Why a leak of this tenant may be none, as Temporal tells; undefined when it has nothing to say. Never throws. */
export async function temporalObjection(
  { temporalRuns }: Pick<SweepDeps, 'temporalRuns'>,
  tenantId: string | undefined,
  around: Pick<SweepRecords, 'tenants'>,
): Promise<string | undefined> {
  if (tenantId === undefined || around.tenants.has(tenantId)) return undefined;
  try {
    if (!(await temporalRuns.knowsTenant(tenantId))) return undefined;
    return 'Temporal remembers runs of its tenant, which the ledger does not know: the ledger has lost it';
  } catch (error) {
    return `Temporal could not be asked whether it knows the tenant: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Lists may be stale: each absence is confirmed by a look at the thing itself. */
async function missingDrafts(
  deps: SweepDeps,
  cell: Cell,
  before: Awaited<ReturnType<typeof listHeldEntries>>,
  look: CellLook,
  around: SweepRecords,
): Promise<Draft[]> {
  const { kinds, tenants, now, ledger } = around;
  const { items, listed } = look;
  const absences = findAbsences({ cell: cell.id, before, after: ledger.entries, tenants, items, kinds, listed, now });
  const confirmed: Draft[] = [];
  for (const absence of absences) if (!(await isThere(deps, cell, absence))) confirmed.push(absence.draft);
  return confirmed;
}

async function isThere(deps: SweepDeps, cell: Cell, { entry }: Absence): Promise<boolean> {
  const { kinds } = deps.catalog;
  const { type, name } = sweptNameOf(kinds, entry);
  if (!kinds.sweptTypes.has(type)) return true;
  const found = await lookAtThing(deps, cell, { type, name, physicalId: entry.physicalId ?? name });
  return found !== undefined && found.passing === undefined && ownerIn(found.tags ?? {}).tenantId === entry.tenantId;
}

async function lostRunDrafts(deps: SweepDeps, cell: Cell): Promise<Draft[]> {
  const lost = await deps.temporalRuns.findLost();
  return lost.filter(({ cell: of }) => of === cell.id).map(lostRunDraft);
}

async function staleAllocationDrafts(deps: SweepDeps, cell: Cell): Promise<Draft[]> {
  const doubtful = await listDoubtfulAllocations(deps.database, cell.id);
  if (doubtful.length === 0) return [];
  const taken = await deps.aws(cell.id).inventory.takenPriorities();
  return doubtful.flatMap((held) => {
    const why = staleness(held, taken);
    return why === undefined ? [] : [staleAllocationDraft(held, why)];
  });
}
