import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { chunks } from '../aws/inventory/pages.ts';
import { alertStuck } from '../activities/operation-change.ts';
import { recordRunLoss } from '../activities/run-loss.ts';
import { findLostRuns, isCompleted } from '../client/lost-runs.ts';
import type { Orchestrator } from '../client/orchestrator.ts';
import type { TenantryClient } from '../client/tenantry.ts';
import type { Caller } from '../contracts/caller.ts';
import { lostRunCodes } from '../contracts/errors.ts';
import type { LostOperation } from '../contracts/sweep.ts';
import type { SearchAttribute } from '../contracts/ids.ts';
import { operationTable } from '../contracts/operation-table.ts';
import type { Database } from '../db/database.ts';
import { listLostOperations, type LostOperationRow } from '../db/sweep-ledger.ts';
import { findForeignNamespace, lookUpNamespace } from '../temporal/namespace.ts';
import { ForeignNamespaceError, type TemporalRuns } from './dependencies.ts';

export interface TemporalRunsDeps {
  readonly temporal: Client;
  readonly orchestrator: Orchestrator;
  readonly client: Pick<TenantryClient, 'retry'>;
  readonly database: Database;
  readonly log: Logger;
}

const COUNT_MS = 5_000;
const NAMESPACE_MS = 5_000;
const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What the sweep asks Temporal. Each answer is of the installation's own namespace: another one knows none of its runs. */
export function createTemporalRuns(deps: TemporalRunsDeps): TemporalRuns {
  const { temporal, client, database } = deps;
  return {
    async findLost() {
      await refuseForeignNamespace(deps);
      return findLost(deps);
    },

    async finishLost(caller, { operationId, tenantId }) {
      await refuseForeignNamespace(deps);
      await markLost(deps, caller, operationId);
      const [known] = (await listLostOperations(database, [operationId])).filter((o) => o.operationId === operationId);
      if (!lostRunCodes.includes(known?.failure?.code ?? ''))
        throw new Error(`operation ${operationId} could not be marked as lost`);
      await client.retry(caller, tenantId);
      return `a run that finishes operation ${operationId} was started`;
    },

    async knowsTenant(tenantId) {
      // Goes into a query: nothing but an id may.
      if (!uuidForm.test(tenantId)) throw new Error(`"${tenantId}" is no tenant id`);
      await refuseForeignNamespace(deps);
      const attribute: SearchAttribute = 'TenantId';
      const answer = await temporal.withDeadline(Date.now() + COUNT_MS, () =>
        temporal.workflowService.countWorkflowExecutions({
          namespace: temporal.options.namespace,
          query: `${attribute} = "${tenantId}"`,
        }),
      );
      return Number(answer.count) > 0;
    },
  };
}

/**
 * Changes nothing: only a worker ties an installation to a namespace.
 * @throws ForeignNamespaceError; ServiceError when Temporal cannot be reached
 */
export async function refuseForeignNamespace({
  temporal,
  database,
}: Pick<TemporalRunsDeps, 'temporal' | 'database'>): Promise<void> {
  const name = temporal.options.namespace;
  const lookUp = () => temporal.withDeadline(Date.now() + NAMESPACE_MS, () => lookUpNamespace(temporal, name));
  const problem = await findForeignNamespace(database, lookUp);
  if (problem !== undefined) throw new ForeignNamespaceError(problem);
}

/** What a worker does within moments anyway, for this operation alone: stuck first, because only that takes a retry. */
async function markLost(deps: TemporalRunsDeps, caller: Caller, operationId: string): Promise<void> {
  const lost = (await findLostRuns(deps)).find(({ operation }) => operation.id === operationId);
  const change = lost && (await recordRunLoss(deps.database, lost, caller));
  if (change) await alertStuck(deps, change);
}

/** Those whose run was seen lost just now, and those that are stuck because of it already and that no run has taken over. */
async function findLost(deps: TemporalRunsDeps): Promise<LostOperation[]> {
  const seen = new Map((await findLostRuns(deps)).map(({ operation, ended }) => [operation.id, ended]));
  const rows = await listLostOperations(deps.database, [...seen.keys()]);
  const found: LostOperation[] = [];
  for (const some of chunks(rows, SIDE_BY_SIDE)) {
    const looks = await Promise.all(some.map((row) => lookAt(deps, row, seen.get(row.operationId))));
    found.push(...looks.flatMap((lost) => lost ?? []));
  }
  return found;
}

/** Asked of Temporal at a time. */
const SIDE_BY_SIDE = 8;

/** Undefined while a run is at it: the database may not say yet that one has taken it over. */
async function lookAt(
  { orchestrator }: TemporalRunsDeps,
  { failure, type, ...operation }: LostOperationRow,
  ended: string | undefined,
): Promise<LostOperation | undefined> {
  const { workflowId, runId } = operation;
  const own = await orchestrator.look({ workflowId, runId });
  const newest = await orchestrator.look({ workflowId, runId: null });
  if (own.is === 'open' || newest.is === 'open') return undefined;
  const why = `its run ${runId ?? ''} was lost: ${ended ?? failure?.detail ?? 'it is not open'}`;
  const isPast = operationTable[type].target !== 'nothing' && isCompleted(own);
  return { ...operation, why, ...(isPast && { obstacle: completed }) };
}

/** What `retry` refuses too: the run records its end before it closes. */
const completed =
  'its run COMPLETED in Temporal, so this database is older than what happened (a restored backup?), and its tenant may be live';
