import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { inCallContext } from '../aws/call-context.ts';
import { SWEEP_HEARTBEAT_MS, type SweepActivities, type SweepReport } from '../contracts/sweep.ts';
import { systemCaller } from '../process-caller.ts';
import type { Database } from '../db/database.ts';
import { findUnalerted, markAlerted, pruneReports } from '../db/sweep-reports.ts';
import type { Sweep } from '../sweep/sweep.ts';
import { heartbeating } from './heartbeating.ts';

export interface SweepingDeps {
  readonly sweep: Pick<Sweep, 'report' | 'cells'>;
  readonly database: Database;
  readonly log: Logger;
}

/** Reports that nobody approved are kept so long. */
const KEPT_DAYS = 30;

/** The scheduled sweep: it only reports. New findings raise an alert once. */
export function createSweepActivities(deps: SweepingDeps): SweepActivities {
  return {
    listSweepCells: () => Promise.resolve(deps.sweep.cells()),
    async sweepCell({ cell }) {
      const work = () => deps.sweep.report(systemCaller('sweep schedule'), { cell, by: 'schedule' });
      const report = await heartbeating(SWEEP_HEARTBEAT_MS, () => changingNothing(work));
      const fresh = await alertFindings(deps, report);
      await pruneReports(deps.database, KEPT_DAYS);
      const { id: reportId, mark, findings } = report;
      return { cell, reportId, mark: mark.state, findings: findings.length, newFindings: fresh };
    },
  };
}

function changingNothing<T>(work: () => Promise<T>): Promise<T> {
  const beforeMutation = () => Promise.reject(new Error('a report changes nothing'));
  return inCallContext({ beforeMutation, signal: Context.current().cancellationSignal }, work);
}

/** One line for all that nobody was told of yet; what was seen by a person's sweep first is told all the same. */
async function alertFindings({ database, log }: SweepingDeps, report: SweepReport): Promise<number> {
  const seen = report.findings.map(({ id }) => id);
  const unalerted = new Set(await findUnalerted(database, report.cell, seen));
  const fresh = report.findings.filter(({ id }) => unalerted.has(id));
  if (fresh.length > 0) {
    const findings = fresh.map(({ id, class: of, type, name, why }) => `${id} ${of} ${type} ${name}: ${why}`);
    log.error(
      { alert: 'sweep-findings', cell: report.cell, reportId: report.id, findings },
      `the sweep found ${fresh.length} new things: tenantry sweep show ${report.id}`,
    );
    await markAlerted(
      database,
      report.cell,
      fresh.map(({ id }) => id),
    );
  }
  return fresh.length;
}
