import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import type { DriftActivities } from '../contracts/drift.ts';
import { listUnalerted, markDriftAlerted } from '../db/drift.ts';
import type { Database } from '../db/database.ts';
import type { Drift, DriftPage } from '../drift/drift.ts';
import { systemCaller } from '../process-caller.ts';
import { heartbeating } from './heartbeating.ts';

export interface DriftingDeps {
  readonly drift: Pick<Drift, 'cells' | 'lookAtPage'>;
  readonly database: Database;
  readonly log: Logger;
}

/** How often a look that is under way says so, in ms. */
const HEARTBEAT_MS = 10_000;

/** The scheduled look at every tenant. New findings raise an alert once. */
export function createDriftActivities(deps: DriftingDeps): DriftActivities {
  return {
    listDriftCells: () => Promise.resolve(deps.drift.cells()),
    lookAtTenants({ cell, after }) {
      const signal = Context.current().cancellationSignal;
      return heartbeating(HEARTBEAT_MS, async () => {
        const page = await deps.drift.lookAtPage(systemCaller('drift schedule'), { cell, after, signal });
        await alertFindings(deps, cell, page);
        return answerOf(page);
      });
    },
  };
}

function answerOf({ looks, after }: DriftPage) {
  const count = (outcome: string) => looks.filter((look) => look.outcome === outcome).length;
  const looked = looks.length - count('void');
  return { looked, drifting: count('drift'), unknown: count('unknown'), ...(after !== undefined && { after }) };
}

/** A line for each tenant; what was seen by a person's look first is told all the same. */
async function alertFindings({ database, log }: DriftingDeps, cell: string, { looks }: DriftPage): Promise<void> {
  for (const { tenantId, product, slug } of looks.filter(({ outcome }) => outcome === 'drift')) {
    const fresh = await listUnalerted(database, [tenantId]);
    if (fresh.length === 0) continue;
    const findings = fresh.map(({ stepId, is, field, remedy }) => `${stepId}: ${is} ${field} (${remedy})`);
    const runbook = runbookPage('tenant-drift');
    log.error(
      { alert: 'tenant-drift', tenantId, product, slug, cell, findings, runbook },
      `tenant ${product}/${slug} is not as it was applied: tenantry drift --tenant ${product}/${slug}`,
    );
    await markDriftAlerted(database, fresh);
  }
}
