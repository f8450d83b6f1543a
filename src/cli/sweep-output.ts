import type { SweepFinding, SweepRemoval, SweepReport } from '../contracts/sweep.ts';
import type { RemovalRow } from '../db/sweep-reports.ts';
import type { RemovalAnswer } from '../sweep/removal.ts';
import { counted } from './text.ts';

/* What `tenantry sweep` prints for people. */

/**
 * A report, its findings class by class.
 * @param removals what was done of it
 */
export function reportText(report: SweepReport, removals: readonly SweepRemoval[] = []): string {
  const { counts, problems, tooYoung, findings } = report;
  return [
    `report    ${report.id}`,
    `cell      ${report.cell}, ${report.at}, by ${report.by}`,
    ...markLines(report),
    `seen      ${counts.held} held by the ledger, ${counts.passing} on their way out, ${counts.otherInstallations} of other installations, ${counts.otherCells} of other cells, ${counts.foreign} foreign`,
    ...problems.map(({ what, message }) => `NOT SEEN  ${what}: ${message}`),
    ...tooYoung.map(({ type, physicalId, why }) => `too-young ${type} ${physicalId}: ${why}`),
    '',
    ...(findings.length === 0 ? ['nothing found'] : findings.flatMap((finding) => findingLines(report, finding))),
    ...nextLines(report, removals),
  ]
    .map(clean)
    .join('\n');
}

function markLines({ mark }: SweepReport): string[] {
  if (mark.state === 'intact') return [`ledger    ${mark.detail}`];
  return [
    '!!!!!!!!  THE LEDGER IS NOT TO BE TRUSTED: THIS REPORT REMOVES NOTHING',
    `!!!!!!!!  ${mark.state}: ${mark.detail}`,
    '!!!!!!!!  what it calls a leak may be a customer; see docs/adr/0005-sweep.md before `sweep adopt-ledger`',
  ];
}

function findingLines({ approval }: SweepReport, finding: SweepFinding): string[] {
  const { owner } = finding;
  const approved = approval?.findings.some(({ id }) => id === finding.id) === true;
  const known = [
    owner.tenantId && `tenant ${owner.tenantId}`,
    owner.operationId && `operation ${owner.operationId}`,
    owner.stepId && `step ${owner.stepId}`,
  ].filter(Boolean);
  return [
    `${finding.id}  ${finding.class}  ${finding.type}  ${finding.name}${approved ? '  (approved)' : ''}`,
    `    is     ${finding.physicalId}`,
    ...(known.length === 0 ? [] : [`    owner  ${known.join(', ')}`]),
    `    why    ${finding.why}`,
    `    since  ${finding.firstSeenAt}`,
    `    do     ${finding.remedy}`,
  ];
}

function nextLines({ id, approval, findings, mark }: SweepReport, removals: readonly SweepRemoval[]): string[] {
  if (approval) {
    const settled = new Set(removals.filter(isSettled).map((r) => r.findingId));
    const isOver = approval.findings.every((finding) => settled.has(finding.id));
    const next = isOver ? 'all of it is done' : `tenantry sweep remove ${id}`;
    return ['', `approved by ${approval.by} at ${approval.at}: ${next}`];
  }
  const removable = findings.filter((finding) => finding.removable).length;
  if (removable === 0 || mark.state !== 'intact') return [];
  return ['', `${removable} can be removed: tenantry sweep approve ${id} --by <your name> [--only <finding>...]`];
}

/** One line per report. */
export function reportLine(report: SweepReport): string {
  const state = report.approval ? `approved by ${report.approval.by}` : 'not approved';
  const line = `${report.id}  ${report.at}  ${report.cell}  ${counted(report.findings.length, 'finding')}  ledger ${report.mark.state}  ${state}  by ${report.by}`;
  return clean(line);
}

export function removalRowText(row: RemovalRow): string {
  const who = `approved by ${row.approvedBy}, run by ${row.removedBy}`;
  return clean(
    `${row.at.toISOString()}  ${row.outcome}  ${row.findingId}  ${row.type} ${row.physicalId}: ${row.detail} (${who})`,
  );
}

export function removalText(reportId: string, { removals, left, notCome }: RemovalAnswer): string {
  const count = removals.filter((r) => r.outcome === 'removed').length;
  const next = left === 0 ? 'none left' : `${left} left by --limit: tenantry sweep remove ${reportId}`;
  return [
    ...removals.map(removalLine),
    ...notCome.map((r) => clean(`left  ${r.findingId}  ${r.type} ${r.physicalId}`)),
    `${count} removed, ${removals.length - removals.filter(isSettled).length} not, ${next}`,
  ].join('\n');
}

export function removalLine(r: SweepRemoval): string {
  return clean(`${r.outcome}  ${r.findingId}  ${r.type} ${r.physicalId}: ${r.detail}`);
}

function isSettled({ outcome }: Pick<SweepRemoval, 'outcome'>): boolean {
  return outcome === 'removed' || outcome === 'gone';
}

/** Names in AWS must not move the cursor. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
