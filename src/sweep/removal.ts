import { inCallContext } from '../aws/call-context.ts';
import type { Caller } from '../contracts/caller.ts';
import type { Cell } from '../contracts/platform.ts';
import type { SweepFinding, SweepRemoval, SweepReport, SweptItem } from '../contracts/sweep.ts';
import type { Queryable } from '../db/database.ts';
import { findAllocation, freeAllocation, lockTenantForSweep } from '../db/sweep-ledger.ts';
import { listRemovals, recordRemoval } from '../db/sweep-reports.ts';
import { cellById } from '../platform.ts';
import { existingReport, refuseOld, refuseUntrusted } from './approval.ts';
import { accessTo, lookAtThing } from './cell-look.ts';
import { obstacleTo } from './classification.ts';
import { nowOf, SweepRefusedError, type SweepDeps } from './dependencies.ts';
import { ownerIn } from '../naming.ts';
import { fingerprintOf } from './identity.ts';
import { allocationFingerprint, lostRunFingerprint, staleness } from './ledger-findings.ts';
import { checkMark } from './ledger-mark.ts';
import { namesOf, type Names } from './names.ts';
import { temporalObjection } from './report.ts';
import { useOf } from './serving.ts';
import { sweepContextOf } from './sweep-context.ts';
import { tooRecentReason } from './too-recent.ts';

export const DEFAULT_LIMIT = 5;
export const MAX_LIMIT = 20;

/** One removal with all its looks takes no longer, in ms: less than PostgreSQL lets the lock on its tenant idle. */
const ONE_REMOVAL_MS = 45_000;

export interface RemovalRequest {
  readonly reportId: string;
  /** Who runs it: goes to the audit trail beside who approved. */
  readonly by: string;
  /** Things taken away at most; default {@link DEFAULT_LIMIT}, at most {@link MAX_LIMIT}. */
  readonly limit?: number | undefined;
  /** Called after each: a run that ends in an error has done these all the same. */
  readonly onRemoval?: ((removal: SweepRemoval) => void) | undefined;
}

export interface RemovalAnswer {
  readonly removals: readonly SweepRemoval[];
  /** How many approved findings this run did not come to, and which. */
  readonly left: number;
  readonly notCome: readonly Pick<SweepRemoval, 'findingId' | 'type' | 'physicalId'>[];
}

/**
 * Takes away what an approved report lists, a few things per run, each looked at again right before. What changed since, or is
 * used, or may be somebody's, is skipped, and said why.
 * @throws SweepNotFoundError, SweepRefusedError
 */
export async function remove(deps: SweepDeps, caller: Caller, request: RemovalRequest): Promise<RemovalAnswer> {
  const limit = request.limit ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new SweepRefusedError(`the limit must be 1 to ${MAX_LIMIT}, not ${limit}`);
  const report = await existingReport(deps, request.reportId);
  const { approval } = report;
  if (!approval) throw new SweepRefusedError(`report ${report.id} is not approved`);
  refuseUntrusted(report);
  refuseOld(report, nowOf(deps));
  const cell = cellById(deps.platform, report.cell);
  const run: RemovalRun = {
    deps,
    cell,
    report,
    names: namesOf(cell, deps.catalog),
    approvedBy: approval.by,
    removedBy: request.by,
    caller,
    approved: new Map(approval.findings.map(({ id, fingerprint }) => [id, fingerprint])),
  };
  const ran = await deps.database.withLock(`sweep removal ${cell.id}`, () => removeSome(run, limit, request.onRemoval));
  if (!ran) throw new SweepRefusedError(`another removal is under way in cell ${cell.id}`);
  return ran.value;
}

interface RemovalRun {
  readonly deps: SweepDeps;
  readonly cell: Cell;
  readonly report: SweepReport;
  readonly names: Names;
  readonly approvedBy: string;
  readonly removedBy: string;
  readonly caller: Caller;
  readonly approved: ReadonlyMap<string, string>;
}

async function removeSome(
  run: RemovalRun,
  limit: number,
  onRemoval: RemovalRequest['onRemoval'],
): Promise<RemovalAnswer> {
  const before = await listRemovals(run.deps.database, run.report.id);
  const settled = new Set(
    before.filter((r) => r.outcome === 'removed' || r.outcome === 'gone').map((r) => r.findingId),
  );
  const waiting = inOrder(
    run.deps,
    run.report.findings.filter(({ id }) => run.approved.has(id) && !settled.has(id)),
  );
  const removals: SweepRemoval[] = [];
  let taken = 0;
  for (const finding of waiting) {
    if (taken >= limit) break;
    const removal = await removeOne(run, finding);
    removals.push(removal);
    onRemoval?.(removal);
    if (removal.outcome === 'removed' || removal.outcome === 'failed') taken += 1;
  }
  const notCome = waiting.slice(removals.length);
  return {
    removals,
    left: notCome.length,
    notCome: notCome.map(({ id: findingId, type, physicalId }) => ({ findingId, type, physicalId })),
  };
}

/** Runs first: they remove what is theirs by themselves. Then what points at something before it. Places last. */
function inOrder({ catalog }: SweepDeps, findings: readonly SweepFinding[]): SweepFinding[] {
  const order = [...catalog.kinds.sweptTypes.keys()];
  const rank = ({ class: of, type }: SweepFinding) => {
    if (of === 'lost-run') return -1;
    return order.includes(type) ? order.indexOf(type) : order.length;
  };
  return [...findings].sort((a, b) => rank(a) - rank(b));
}

type Outcome = Pick<SweepRemoval, 'outcome' | 'detail'>;
const skipped = (detail: string): Outcome => ({ outcome: 'skipped', detail });
const gone: Outcome = { outcome: 'gone', detail: 'it is not there any more' };

async function removeOne(run: RemovalRun, finding: SweepFinding): Promise<SweepRemoval> {
  const { deps, report } = run;
  // Each time anew: the database may be restored while we are at it.
  const mark = await checkMark(deps, report.cell);
  if (mark.state !== 'intact') throw new SweepRefusedError(`nothing (more) is taken away: ${mark.detail}`);
  let outcome: Outcome;
  try {
    outcome = await attempt(run, finding);
  } catch (error) {
    outcome = { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
  await note(run, finding, outcome);
  const { id: findingId, class: of, type, physicalId } = finding;
  return { findingId, class: of, type, physicalId, ...outcome };
}

function note(run: RemovalRun, finding: SweepFinding, outcome: Outcome): Promise<void> {
  const { deps, report, approvedBy, removedBy, caller } = run;
  const { id: findingId, class: of, type, physicalId, owner } = finding;
  const at = { reportId: report.id, cell: report.cell, findingId, type, physicalId, approvedBy, removedBy };
  deps.log.info({ sweep: at, ...outcome }, 'sweep removal');
  return recordRemoval(deps.database, { ...at, caller, class: of, tenantId: owner.tenantId, ...outcome });
}

const begun = { outcome: 'begun', detail: 'about to be taken away' } as const;

function attempt(run: RemovalRun, finding: SweepFinding): Promise<Outcome> {
  switch (finding.class) {
    case 'leak':
      return removeLeak(run, finding);
    case 'lost-run':
      return finishLost(run, finding);
    case 'stale-allocation':
      return freePlace(run, finding);
    case 'unmarked':
    case 'missing':
    case 'left':
      return Promise.resolve(skipped(`the sweep takes nothing away of class ${finding.class}`));
  }
}

/** A second run of one transaction would remove by what the first one saw. */
const calledAwsToo = { once: true };

/** Everything happens while the tenant is locked: no operation can begin that would make the thing somebody's. */
function removeLeak(run: RemovalRun, finding: SweepFinding): Promise<Outcome> {
  const { type } = finding;
  const swept = run.deps.catalog.kinds.sweptTypes.get(type);
  if (!swept) return Promise.resolve(skipped(`the sweep does not know type ${type}`));
  const signal = AbortSignal.timeout(ONE_REMOVAL_MS);
  const caller = { operationId: run.report.id, stepId: `sweep.${finding.id}`, verb: 'remove' };
  return run.deps.database.transaction(async (tx) => {
    await lockTenantForSweep(tx, finding.owner.tenantId ?? '');
    const look = (of: { beforeMutation: () => Promise<void> }) => ({ ...of, signal, caller });
    const nothing = look({ beforeMutation: () => Promise.reject(new Error('a look changes nothing')) });
    const seen = await inCallContext(nothing, () => lookAgain(run, tx, finding));
    if ('outcome' in seen) return seen;
    await note(run, finding, begun);
    const guard = () => refuseHeld(run, tx, seen.item);
    const { deps, cell } = run;
    const detail = await inCallContext(look({ beforeMutation: guard }), () =>
      swept.takeAway({ ...accessTo(deps, cell), item: seen.item, guard }),
    );
    return { outcome: 'removed', detail };
  }, calledAwsToo);
}

/** The thing as it is now, when it may still be taken away; else why not. */
async function lookAgain(
  run: RemovalRun,
  tx: Queryable,
  finding: SweepFinding,
): Promise<{ readonly item: SweptItem } | Outcome> {
  const { deps, cell } = run;
  const item = await lookAtThing(deps, cell, finding);
  if (!item || item.passing !== undefined) return gone;
  if (fingerprintOf(item.seen) !== run.approved.get(finding.id))
    return skipped('it changed since the report: make a new one and look at it');
  const around = await sweepContextOf(deps, tx, cell, run.names, [item]);
  const obstacle = obstacleTo(item, around);
  if (obstacle !== undefined) return skipped(obstacle);
  const tenantId = finding.owner.tenantId ?? ownerIn(item.tags ?? {}).tenantId;
  const young = tooRecentReason(item, around.tenants.get(tenantId ?? ''), around.now);
  if (young !== undefined) return skipped(`too young: ${young}`);
  const objection = await temporalObjection(deps, tenantId, around);
  if (objection !== undefined) return skipped(objection);
  const use = await useOf(deps, cell, item);
  return use === undefined ? { item } : skipped(`it is in use: ${use}`);
}

/** Asked once more right before each call that changes something, through the lock's own transaction: lost, it refuses too. */
async function refuseHeld(run: RemovalRun, tx: Queryable, item: SweptItem): Promise<void> {
  const obstacle = obstacleTo(item, await sweepContextOf(run.deps, tx, run.cell, run.names, [item]));
  if (obstacle !== undefined) throw new SweepRefusedError(`not taken away at the last moment: ${obstacle}`);
}

async function finishLost(run: RemovalRun, finding: SweepFinding): Promise<Outcome> {
  const { temporalRuns } = run.deps;
  const lost = (await temporalRuns.findLost()).find(({ operationId }) => operationId === finding.physicalId);
  if (!lost) return { outcome: 'gone', detail: 'the operation is closed, or a run is at it again' };
  if (lostRunFingerprint(lost) !== run.approved.get(finding.id))
    return skipped('another run was lost since the report');
  if (lost.obstacle !== undefined) return skipped(lost.obstacle);
  await note(run, finding, begun);
  return { outcome: 'removed', detail: await temporalRuns.finishLost(run.caller, lost) };
}

async function freePlace(run: RemovalRun, finding: SweepFinding): Promise<Outcome> {
  const { deps, cell } = run;
  return deps.database.transaction(async (tx) => {
    if (finding.owner.tenantId !== undefined) await lockTenantForSweep(tx, finding.owner.tenantId);
    const held = await findAllocation(tx, Number(finding.physicalId));
    if (!held) return gone;
    if (allocationFingerprint(held) !== run.approved.get(finding.id)) return skipped('it changed since the report');
    const why = staleness(held, await deps.aws(cell.id).inventory.takenPriorities());
    if (why === undefined) return skipped('somebody holds it (again)');
    await note(run, finding, begun);
    return (await freeAllocation(tx, held)) ? { outcome: 'removed', detail: 'the place is free' } : gone;
  }, calledAwsToo);
}
