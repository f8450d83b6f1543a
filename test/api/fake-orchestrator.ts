import { operationTable } from '../../src/contracts/operation-table.ts';
import {
  OrchestratorUnreachableError,
  type ClosedInDatabase,
  type IsolationRun,
  type Orchestrator,
  type Poller,
  type OperatorVerb,
  type RunReference,
  type RunRequest,
  type RunSight,
  type SentUpdate,
  type UpdateVerdict,
} from '../../src/client/orchestrator.ts';
import { cancelRefusal, retryRefusal } from '../../src/contracts/applicability.ts';
import { graceOf } from '../../src/db/grace.ts';
import type { Database } from '../../src/db/database.ts';
import { changeOperationState, findOperation, recordRun } from '../../src/db/operations.ts';
import { changeTenantStatus } from '../../src/db/tenants.ts';

/** How a start goes wrong: refused outright, effective but unanswered, or claimed by a worker before the answer was lost. */
export type StartFault = 'before' | 'after' | 'after-claim';

/**
 * Temporal as far as the client sees it, with state: one open run per workflow id, validators that look at the
 * operation's real state in PostgreSQL.
 */
export class FakeOrchestrator implements Orchestrator {
  readonly open = new Map<string, RunRequest>();
  readonly closed = new Map<string, ClosedInDatabase>();
  /** When and how the newest run of a workflow id ended. */
  readonly ended = new Map<string, { readonly at: Date; readonly as: string }>();
  readonly isolations: IsolationRun[] = [];
  readonly taken: { operationId: string; verb: OperatorVerb }[] = [];
  startFault: StartFault | undefined;
  /** An Update whose answer is lost: it never came, or it was taken. */
  updateFault: 'before' | 'after' | undefined;
  unreachable = false;
  workers: readonly Poller[] = [{ identity: 'worker-1', lastAccessAt: new Date() }];
  /** Ids of those that were taken. */
  readonly #updates = new Set<string>();
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async start(run: RunRequest): Promise<'started' | 'already-open'> {
    if (this.unreachable || this.startFault === 'before') throw new OrchestratorUnreachableError('connection refused');
    if (this.open.has(run.workflowId)) return 'already-open';
    this.open.set(run.workflowId, run);
    if (this.startFault === 'after-claim') await this.claim(run.operationId);
    if (this.startFault !== undefined) throw new OrchestratorUnreachableError('no answer within 3000 ms');
    return 'started';
  }

  async isolate(run: IsolationRun): Promise<void> {
    if (this.unreachable) throw new OrchestratorUnreachableError('connection refused');
    this.isolations.push(run);
  }

  async update(run: RunReference, verb: OperatorVerb, sent?: SentUpdate): Promise<UpdateVerdict> {
    if (this.unreachable || this.updateFault === 'before') throw new OrchestratorUnreachableError('connection refused');
    if (sent && this.#updates.has(sent.updateId)) return { taken: true };
    const operation = await findOperation(this.#db, run.operationId);
    if (!operation || !this.#isOpen(run)) return { taken: false, why: 'not-running', reason: 'it has ended' };
    const refusal =
      verb === 'cancel'
        ? cancelRefusal(operation.type, operation.state, graceOf(operation))
        : retryRefusal(operation.state);
    if (refusal !== undefined) return { taken: false, why: 'refused', reason: refusal };
    this.taken.push({ operationId: run.operationId, verb });
    if (sent) this.#updates.add(sent.updateId);
    if (this.updateFault === 'after') throw new OrchestratorUnreachableError('no answer within 5000 ms');
    return { taken: true };
  }

  async close(run: RunReference, as: ClosedInDatabase): Promise<void> {
    if (this.unreachable) throw new OrchestratorUnreachableError('connection refused');
    this.closed.set(run.operationId, as);
    if (this.open.get(run.workflowId)?.operationId === run.operationId) this.open.delete(run.workflowId);
  }

  async look(run: Pick<RunReference, 'workflowId' | 'runId'>): Promise<RunSight> {
    if (this.unreachable) throw new OrchestratorUnreachableError('connection refused');
    if (this.#isOpen(run)) return { is: 'open' };
    const ended = this.ended.get(run.workflowId);
    return ended ? { is: 'closed', ...ended } : { is: 'missing' };
  }

  #isOpen({ workflowId, runId }: Pick<RunReference, 'workflowId' | 'runId'>): boolean {
    const open = this.open.get(workflowId);
    return open !== undefined && (runId === null || runId === runIdOf(open));
  }

  async ping(): Promise<void> {
    if (this.unreachable) throw new OrchestratorUnreachableError('connection refused');
  }

  async pollers(): Promise<readonly Poller[]> {
    await this.ping();
    return this.workers;
  }

  /** What a worker's first activity does, for an accepted operation. @returns whether this run got it */
  claim(operationId: string): Promise<boolean> {
    return this.#db.transaction(async (tx) => {
      const operation = await changeOperationState(tx, operationId, ['accepted'], 'running');
      if (!operation) return false;
      await recordRun(tx, operationId, { workflowId: operation.workflowId, runId: runIdOf({ operationId }) });
      const { claimed } = operationTable[operation.type].tenantStatus;
      await changeTenantStatus(tx, operation.tenantId, claimed, { operationId });
      return true;
    });
  }

  /** The run of the workflow id ends. */
  end(workflowId: string, at = new Date(), as = 'TERMINATED'): void {
    this.open.delete(workflowId);
    this.ended.set(workflowId, { at, as });
  }
}

/** The id of the run that a start made. */
export function runIdOf({ operationId, takesOver }: Pick<RunRequest, 'operationId' | 'takesOver'>): string {
  return takesOver === undefined ? `run-of-${operationId}` : `run-after-${takesOver}`;
}
