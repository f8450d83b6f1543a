import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowUpdateHandle,
} from '@temporalio/client';
import {
  ApplicationFailure,
  WorkflowNotFoundError,
  defineSearchAttributeKey,
  type SearchAttributePair,
} from '@temporalio/common';
import proto from '@temporalio/proto';
import { TASK_QUEUE, taskQueues, type SearchAttribute } from '../contracts/ids.ts';
import { inTrace } from '../temporal/trace-header.ts';
import {
  ISOLATION_WORKFLOW,
  isolationSignal,
  isolationWorkflowId,
  type IsolationInput,
} from '../contracts/isolation.ts';
import { signalNames, updateNames, type OperationInput } from '../contracts/messages.ts';
import { operationTable } from '../contracts/operation-table.ts';
import {
  OrchestratorUnreachableError,
  type ClosedInDatabase,
  type IsolationRun,
  type OperatorVerb,
  type Orchestrator,
  type Poller,
  type RunReference,
  type RunRequest,
  type RunSight,
  type SentUpdate,
  type UpdateVerdict,
} from './orchestrator.ts';

/** Deadlines of the calls, in ms: a caller waits for them. */
const START_MS = 3_000;
const UPDATE_MS = 5_000;
const SIGNAL_MS = 3_000;
const CHECK_MS = 2_000;

/**
 * A run refuses an Update that reaches it later than this after it was sent, in ms: it may have waited for a worker, and its
 * sender was told long ago that the outcome is unknown. Long enough for clocks that differ.
 */
const UPDATE_COUNTS_MS = 30_000;
/** Temporal's default limit of a workflow task: what its validator took at the beginning is written by the end. */
const WORKFLOW_TASK_MS = 10_000;

/** The orchestrator behind the client: a real Temporal server. */
export function temporalOrchestrator(client: Client): Orchestrator {
  return {
    start: (run) => start(client, run),
    isolate: (run) => isolate(client, run),
    update: (run, verb, sent) => update(client, run, verb, sent),
    close: (run, as) => close(client, run, as),
    look: (run) => look(client, run),
    ping: () => ping(client),
    pollers: () => pollers(client),
  };
}

async function start(client: Client, run: RunRequest): Promise<'started' | 'already-open'> {
  const { operationId, takesOver, traceparent } = run;
  const input: OperationInput = { operationId, ...(takesOver === undefined ? {} : { takesOver }) };
  let sent = 0;
  try {
    await bounded(client, START_MS, `start workflow ${run.workflowId}`, () => {
      sent += 1;
      return inTrace(traceparent, () =>
        client.workflow.start(operationTable[run.type].workflowType, {
          workflowId: run.workflowId,
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          taskQueue: taskQueues.workflow,
          args: [input],
          typedSearchAttributes: searchAttributesOf(run),
          staticSummary: `${run.type} ${run.product}/${run.slug}`,
          staticDetails: detailsOf(run),
        }),
      );
    });
    return 'started';
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Sent again because no answer came: then the run that is open may be the one that the first call started.
    return sent > 1 && (await isRunOf(client, run)) ? 'started' : 'already-open';
  }
}

function detailsOf({ operationId, tenantId }: RunRequest): string {
  return `Operation ${operationId} of tenant ${tenantId}`;
}

async function isRunOf(client: Client, run: RunRequest): Promise<boolean> {
  const open = await bounded(client, CHECK_MS, `describe workflow ${run.workflowId}`, () =>
    client.workflow.getHandle(run.workflowId).describe(),
  );
  return (await open.staticDetails()) === detailsOf(run);
}

const keyword = (name: SearchAttribute) => defineSearchAttributeKey(name, 'KEYWORD');

function searchAttributesOf(run: RunRequest): SearchAttributePair[] {
  return [
    { key: keyword('TenantId'), value: run.tenantId },
    { key: keyword('TenantSlug'), value: run.slug },
    { key: keyword('Product'), value: run.product },
    ...(run.tier === null ? [] : [{ key: keyword('Tier'), value: run.tier }]),
    { key: keyword('Operation'), value: run.type },
    { key: keyword('TenantStatus'), value: run.tenantStatus },
  ];
}

async function isolate(client: Client, { tenantId, product, slug }: IsolationRun): Promise<void> {
  const workflowId = isolationWorkflowId({ product, slug });
  await bounded(client, START_MS, `start workflow ${workflowId}`, () =>
    client.workflow.signalWithStart(ISOLATION_WORKFLOW, {
      workflowId,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      taskQueue: taskQueues.workflow,
      args: [{ tenantId } satisfies IsolationInput],
      signal: isolationSignal,
      typedSearchAttributes: [
        { key: keyword('TenantId'), value: tenantId },
        { key: keyword('TenantSlug'), value: slug },
        { key: keyword('Product'), value: product },
      ],
      // Before the backlog of operations.
      priority: { priorityKey: 1 },
      staticSummary: `isolation ${product}/${slug}`,
    }),
  );
}

async function update(
  client: Client,
  run: RunReference,
  verb: OperatorVerb,
  { updateId, isRepeated = false }: SentUpdate = { updateId: randomUUID() },
): Promise<UpdateVerdict> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId ?? undefined);
  const what = `${verb} operation ${run.operationId} in workflow ${run.workflowId}`;
  // One id however often it is sent: Temporal takes it once, and answers each time as the first.
  const notAfterMs = Date.now() + UPDATE_COUNTS_MS;
  const args: [string, string] = [run.operationId, new Date(notAfterMs).toISOString()];
  let sent = isRepeated ? 1 : 0;
  try {
    const taken = await bounded(client, UPDATE_MS, what, () => {
      sent += 1;
      return handle.startUpdate(updateNames[verb], { updateId, waitForStage: 'ACCEPTED', args });
    });
    await refusalOf(client, taken);
    return { taken: true };
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      if (wasAccepted(error)) return { taken: true };
      return { taken: false, why: 'refused', reason: error.cause?.message ?? error.message };
    }
    if (error instanceof WorkflowNotFoundError) {
      // Sent again because no answer came: then the run may have taken it and ended since.
      if (sent > 1 && (await hasTaken(client, run, updateId))) return { taken: true };
      return { taken: false, why: 'not-running', reason: `the run of workflow ${run.workflowId} has ended` };
    }
    if (!(error instanceof OrchestratorUnreachableError)) throw error;
    const mayLandUntil = new Date(notAfterMs + WORKFLOW_TASK_MS);
    throw new OrchestratorUnreachableError(error.message, { cause: error.cause, mayLandUntil });
  }
}

/** The server's words for an update whose run took it and ended before it answered. */
function wasAccepted({ cause }: WorkflowUpdateFailedError): boolean {
  return cause instanceof ApplicationFailure && cause.type === 'AcceptedUpdateCompletedWorkflow';
}

/** Whether the history of a run holds the acceptance of an update: it is written before anybody is told. */
async function hasTaken(client: Client, run: RunReference, updateId: string): Promise<boolean> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId ?? undefined);
  const what = `read the history of workflow ${run.workflowId}`;
  const { events } = await bounded(client, CHECK_MS, what, () => handle.fetchHistory());
  return (events ?? []).some(
    (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId === updateId,
  );
}

/** A refusal came with the answer already and is thrown here at once; an accepted update may still be at work. */
async function refusalOf(client: Client, taken: WorkflowUpdateHandle<unknown>): Promise<void> {
  try {
    await client.withDeadline(Date.now() + 250, () => taken.result());
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw error;
  }
}

async function close(client: Client, run: RunReference, as: ClosedInDatabase): Promise<void> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId ?? undefined);
  try {
    await bounded(client, SIGNAL_MS, `close workflow ${run.workflowId}`, () =>
      handle.signal(signalNames.close, { outcome: as, operationId: run.operationId }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function look(client: Client, run: Pick<RunReference, 'workflowId' | 'runId'>): Promise<RunSight> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId ?? undefined);
  try {
    const seen = await bounded(client, CHECK_MS, `describe workflow ${run.workflowId}`, () => handle.describe());
    // One that is paused, or of a status that this code does not know, has not ended.
    if (seen.closeTime) return { is: 'closed', as: seen.status.name, at: seen.closeTime };
    const taskAttempt = seen.raw.pendingWorkflowTask?.attempt ?? 1;
    return { is: 'open', ...(taskAttempt > 1 && { taskAttempt }) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { is: 'missing' };
    throw error;
  }
}

async function ping(client: Client): Promise<void> {
  await bounded(client, CHECK_MS, 'reach Temporal', () => client.workflowService.getSystemInfo({}));
}

async function pollers(client: Client): Promise<readonly Poller[]> {
  const answer = await bounded(client, CHECK_MS, `describe task queue ${TASK_QUEUE}`, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueues.workflow },
      taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    }),
  );
  return answer.pollers.map(({ identity, lastAccessTime }) => ({
    identity: identity ?? '',
    lastAccessAt: new Date(Number(lastAccessTime?.seconds ?? 0) * 1000),
  }));
}

/**
 * Runs a call with a deadline, again while the server is unavailable; the timer besides it holds also while the connection
 * itself is still being made.
 */
export async function bounded<T>(client: Client, limitMs: number, what: string, call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new OrchestratorUnreachableError(`no answer within ${limitMs} ms: ${what}`)),
      limitMs + 500,
    );
  });
  try {
    return await Promise.race([untilAvailable(client, Date.now() + limitMs, call), late]);
  } catch (error) {
    if (isDefiniteAnswer(error)) throw error;
    if (error instanceof OrchestratorUnreachableError) throw error;
    throw new OrchestratorUnreachableError(`Temporal gave no clear answer: ${what}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const RETRY_PAUSE_MS = 200;

async function untilAvailable<T>(client: Client, deadlineMs: number, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await client.withDeadline(deadlineMs, call);
    } catch (error) {
      if (!isUnavailable(error) || Date.now() + RETRY_PAUSE_MS >= deadlineMs) throw error;
      await sleep(RETRY_PAUSE_MS);
    }
  }
}

/** gRPC's UNAVAILABLE, as it is or as the cause of the SDK's own error. */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === GRPC_UNAVAILABLE) return true;
  return isUnavailable(error.cause);
}

const GRPC_UNAVAILABLE = 14;

function isDefiniteAnswer(error: unknown): boolean {
  return (
    error instanceof WorkflowExecutionAlreadyStartedError ||
    error instanceof WorkflowNotFoundError ||
    error instanceof WorkflowUpdateFailedError
  );
}
