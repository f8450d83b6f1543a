import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { inCallContext } from '../aws/call-context.ts';
import type { CloseInput } from '../contracts/messages.ts';
import {
  ISOLATION_STEP,
  isolationLimits,
  type IsolationActivities,
  type IsolationTurn,
} from '../contracts/isolation.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { StepError } from '../contracts/step-error.ts';
import {
  findIsolation,
  openIsolationWindow,
  recordIsolated,
  recordIsolationFailure,
  recordLifted,
  recordNotice,
  requestLifting,
  type IsolationRow,
  type IsolationWindow,
} from '../db/isolations.ts';
import { DatabaseUnavailableError } from '../db/database.ts';
import { findOperation } from '../db/operations.ts';
import { findTenant } from '../db/tenants.ts';
import { listenerNotice } from '../kinds/listener-notice/kind.ts';
import { refuseShadowed } from '../kinds/listener-rule/precedence.ts';
import { cellById } from '../platform.ts';
import { REPORT_MARGIN_MS } from './database-retry.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { cancelled, judge, turnAfterMs } from './failures.ts';
import { noticeContext, type IsolationAttempt, type NoticeContext } from './isolation-context.ts';

/** Pauses before the next attempt, in ms: it is an emergency, and nothing but this rule is asked for. */
const AGAIN_MS = { first: 500, most: 10_000, refused: 30_000 } as const;

/** What drives the notice of isolated tenants. */
export function createIsolationActivities(deps: ActivityDependencies): IsolationActivities {
  return {
    driveIsolation: ({ tenantId, failures }) => drive(deps, tenantId, isolationLimits.startToCloseMs, failures),
  };
}

/**
 * Ends a tenant's isolation before an operation that says that nothing of the tenant is left.
 * @throws ApplicationFailure while an effect may still land; what was refused for good is left for the ledger to tell
 */
export async function endIsolation(deps: ActivityDependencies, { operationId, state }: CloseInput): Promise<void> {
  const operation = await findOperation(deps.database, operationId);
  if (!operation || !operationTable[operation.type].emptyLedgerAt.includes(state)) return;
  const { tenantId } = operation;
  const found = await findIsolation(deps.database, tenantId);
  if (!found || (!found.wanted && found.settledGeneration === found.generation)) return;
  await deps.database.transaction((tx) => requestLifting(tx, tenantId, undefined));
  const turn = await drive(deps, tenantId, CLOSING_MS, 0);
  if (turn.outcome !== 'again' || turn.afterMs === AGAIN_MS.refused) return;
  const message = `the notice of the isolated tenant ${tenantId} is not gone yet`;
  throw ApplicationFailure.create({ message, type: turn.code ?? 'CONFLICT_RETRYABLE', nextRetryDelay: turn.afterMs });
}

/** Of the closing's own time, in ms. */
const CLOSING_MS = 9_000;

/** One attempt at what is wanted now. */
async function drive(
  deps: ActivityDependencies,
  tenantId: string,
  timeMs: number,
  failures: number,
): Promise<IsolationTurn> {
  const isolation = await findIsolation(deps.database, tenantId);
  if (!isolation) return { outcome: 'off' };
  if (!isolation.wanted && isolation.settledGeneration === isolation.generation) return { outcome: 'off' };
  const windows: Windows = { opened: undefined };
  try {
    const attempt = await attemptAt(deps, isolation);
    const run = { attempt, windows, untilMs: Date.now() + timeMs - REPORT_MARGIN_MS };
    return await (isolation.wanted ? show(run) : takeDown(run));
  } catch (error) {
    return failed(deps, isolation, windows, error, failures);
  }
}

async function attemptAt(deps: ActivityDependencies, isolation: IsolationRow): Promise<IsolationAttempt> {
  const tenant = await findTenant(deps.database, isolation.tenantId);
  if (!tenant) throw new Error(`tenant ${isolation.tenantId} of an isolation does not exist`);
  const signal = Context.current().cancellationSignal;
  try {
    return { deps, isolation, tenant, cell: cellById(deps.platform, isolation.cell), signal };
  } catch (cause) {
    throw new StepError('OUTSIDE_CELL', `this worker's platform has no cell "${isolation.cell}"`, { cause });
  }
}

interface Windows {
  opened: IsolationWindow | undefined;
}

interface Run {
  readonly attempt: IsolationAttempt;
  readonly windows: Windows;
  readonly untilMs: number;
}

async function show(run: Run): Promise<IsolationTurn> {
  const { deps, isolation } = run.attempt;
  const context = noticeContext(run.attempt);
  const ensured = await withCalls(run, 'ensure', () => listenerNotice.ensure(context));
  await recordNotice(deps.database, isolation, ensured.outputs, run.windows.opened);
  run.windows.opened = undefined;
  if (ensured.status !== 'ready') return { outcome: 'again', afterMs: AGAIN_MS.first };
  await withCalls(run, 'observe', () => refuseEarlier(context, ensured.outputs.priority));
  if (!(await recordIsolated(deps.database, isolation))) return { outcome: 'again', afterMs: 0 };
  return deletionMayLand(isolation) ?? { outcome: 'on' };
}

/** It was lifted before, and a deletion whose answer was lost may still take the rule away: it is looked at again then. */
function deletionMayLand({ generation, since }: IsolationRow): IsolationTurn | undefined {
  const untilMs = since.getTime() + isolationLimits.latenessMs;
  return generation > 1 && untilMs > Date.now() ? { outcome: 'again', afterMs: untilMs - Date.now() } : undefined;
}

/** A rule of others that comes first would answer instead. @throws StepError RULE_SHADOWED */
async function refuseEarlier(context: NoticeContext, priority: number): Promise<void> {
  const { aws, cell, spec } = context;
  const loadBalancer = cell.loadBalancers.find(({ arn }) => arn === spec.loadBalancerArn);
  if (!loadBalancer) return;
  const listed = await aws.loadBalancing.findRules(loadBalancer.httpsListenerArn);
  await refuseShadowed(context, loadBalancer, listed, { host: spec.host, paths: [], priority });
}

async function takeDown(run: Run): Promise<IsolationTurn> {
  const { deps, isolation } = run.attempt;
  const context = noticeContext(run.attempt);
  const removed = await withCalls(run, 'remove', () => listenerNotice.remove(context));
  if (removed.status === 'pending') return { outcome: 'again', afterMs: AGAIN_MS.first };
  const lifted = await recordLifted(deps.database, isolation, run.windows.opened);
  if (lifted.is === 'lifted') return { outcome: 'off' };
  return { outcome: 'again', afterMs: lifted.is === 'again' ? untilMs(lifted.at) : 0 };
}

function untilMs(at: Date): number {
  return Math.max(AGAIN_MS.first, at.getTime() - Date.now());
}

/** Every call of it goes before those of operations. */
function withCalls<T>({ attempt, windows, untilMs: endMs }: Run, verb: string, fn: () => Promise<T>): Promise<T> {
  const { deps, isolation, signal } = attempt;
  const beforeMutation = async () => {
    if (Date.now() > endMs) throw new StepError('UNCLEAR', 'an attempt at the notice ran out of its time');
    const opened = await openIsolationWindow(deps.database, isolation, isolationLimits.latenessMs);
    if (!opened) throw new StepError('STEP_REVOKED', 'something else is wanted by now');
    windows.opened = { ...opened, unclearBefore: windows.opened?.unclearBefore ?? opened.unclearBefore };
  };
  const caller = { operationId: isolation.operationId, stepId: ISOLATION_STEP, verb, since: 0 };
  return inCallContext({ beforeMutation, signal, untilMs: () => endMs, caller }, fn);
}

async function failed(
  deps: ActivityDependencies,
  isolation: IsolationRow,
  windows: Windows,
  error: unknown,
  failures: number,
): Promise<IsolationTurn> {
  if (error instanceof DatabaseUnavailableError) throw error;
  const stopped = cancelled(Context.current().cancellationSignal);
  if (stopped) throw stopped;
  const { code, definite, failure, retryable } = judge(error, { id: ISOLATION_STEP });
  if (code === 'STEP_REVOKED') return { outcome: 'again', afterMs: 0 };
  const turnMs = turnAfterMs(error);
  if (turnMs !== undefined) return { outcome: 'again', afterMs: turnMs, code };
  deps.log.warn(
    { err: error, tenantId: isolation.tenantId, code },
    'an attempt at the notice of an isolated tenant failed',
  );
  // A deletion that lands late does no harm to what is to be gone.
  const window = definite || !isolation.wanted ? windows.opened : undefined;
  await recordIsolationFailure(deps.database, isolation, { failure, window, isLost: !retryable });
  if (!retryable) return { outcome: 'again', afterMs: AGAIN_MS.refused, code };
  return { outcome: 'again', afterMs: Math.min(AGAIN_MS.most, AGAIN_MS.first * 2 ** failures), code };
}
