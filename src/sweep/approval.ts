import type { Caller } from '../contracts/caller.ts';
import { removableClasses, type SweepFinding, type SweepReport } from '../contracts/sweep.ts';
import { approveReport, findReport } from '../db/sweep-reports.ts';
import { nowOf, SweepNotFoundError, SweepRefusedError, type SweepDeps } from './dependencies.ts';

/** A report older than this says too little of what is there now, in ms. */
export const REPORT_LIFETIME_MS = 24 * 60 * 60_000;

export interface ApprovalRequest {
  readonly reportId: string;
  /** A person's name. */
  readonly by: string;
  /** Ids of findings; absent: all that may be taken away. */
  readonly only?: readonly string[] | undefined;
}

/**
 * Approves a report, once. What is approved is exactly what was seen: each finding with its fingerprint.
 * @throws SweepNotFoundError, SweepRefusedError
 */
export async function approve(
  deps: Pick<SweepDeps, 'database' | 'now'>,
  caller: Caller,
  { reportId, by, only }: ApprovalRequest,
): Promise<SweepReport> {
  if (by.trim() === '') throw new SweepRefusedError('an approval needs the name of who approves');
  const report = await existingReport(deps, reportId);
  refuseUntrusted(report);
  refuseOld(report, nowOf(deps));
  const findings = only === undefined ? report.findings.filter(isApprovable) : only.map((id) => approvable(report, id));
  if (findings.length === 0)
    throw new SweepRefusedError(`report ${report.id} holds nothing that the sweep may take away`);
  const approval = { by: by.trim(), caller, findings: findings.map(({ id, fingerprint }) => ({ id, fingerprint })) };
  const approved = await deps.database.transaction((tx) => approveReport(tx, report.id, approval));
  if (!approved)
    throw new SweepRefusedError(`report ${report.id} is approved already; make a new one to approve other findings`);
  return approved;
}

/** @throws SweepNotFoundError */
export async function existingReport(deps: Pick<SweepDeps, 'database'>, id: string): Promise<SweepReport> {
  const report = await findReport(deps.database, id);
  if (!report) throw new SweepNotFoundError(`there is no sweep report ${id}`);
  return report;
}

/** @throws SweepRefusedError */
export function refuseOld({ id, at }: SweepReport, now: Date): void {
  const ageMs = now.getTime() - Date.parse(at);
  if (ageMs > REPORT_LIFETIME_MS)
    throw new SweepRefusedError(`report ${id} is of ${at}, older than 24 h: make a new one and look at it`);
}

/** @throws SweepRefusedError when the ledger was not to be trusted as the report was made */
export function refuseUntrusted({ id, mark }: SweepReport): void {
  if (mark.state === 'intact') return;
  throw new SweepRefusedError(`report ${id} only reports: ${mark.detail}`);
}

function isApprovable(finding: SweepFinding): boolean {
  return finding.removable && removableClasses.includes(finding.class);
}

function approvable(report: SweepReport, id: string): SweepFinding {
  const finding = report.findings.find((f) => f.id === id);
  if (!finding) throw new SweepNotFoundError(`report ${report.id} has no finding ${id}`);
  if (!isApprovable(finding))
    throw new SweepRefusedError(`finding ${id} (${finding.class} ${finding.type} ${finding.name}): ${finding.remedy}`);
  return finding;
}
