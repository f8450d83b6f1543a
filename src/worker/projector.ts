import type { Logger } from 'pino';
import { inCallContext } from '../aws/call-context.ts';
import type { CellAws } from '../aws/cell-aws.ts';
import { runbookPage } from '../contracts/advice.ts';
import type { Cell, Platform } from '../contracts/platform.ts';
import { PROJECTION_BEHIND_MS } from '../contracts/projection.ts';
import { StepError } from '../contracts/step-error.ts';
import { DatabaseUnavailableError, type Database } from '../db/database.ts';
import { listPendingTenants, measureLag, recordProjectionFailure, type PendingTenant } from '../db/projections.ts';
import { projectTenant, TableAheadError, type ProjectionTarget } from '../projection/project-tenant.ts';

export const PROJECT_EVERY_MS = 1_000;

const LONGEST_WAIT_MS = 60_000;
/** Tenants that are projected beside each other. */
const AT_ONCE = 8;
const ROUND_LIMIT = 200;

export interface ProjectorDeps {
  readonly database: Database;
  readonly platform: Platform;
  readonly installationId: string;
  readonly aws: (cellId: string) => Pick<CellAws, 'tables'>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Epoch ms; for how long a cell is left alone after a failure. */
  readonly now?: () => number;
}

/** What a round remembers of a cell. */
interface CellMemory {
  failures: number;
  waitUntilMs: number;
  isBehind: boolean;
}

/**
 * A round that projects what is new of each cell that names a table, one worker at a time per cell. When the table or AWS is
 * unavailable the cell is left alone, for 1 s at first and a minute at most; what came meanwhile waits in PostgreSQL.
 */
export function createProjector(deps: ProjectorDeps): (stop?: AbortSignal) => Promise<void> {
  const { database, log, now = Date.now } = deps;
  const memories = new Map<string, CellMemory>();
  return async (stop) => {
    for (const cell of deps.platform.cells) {
      if (!cell.projection || stop?.aborted) continue;
      const memory = memories.get(cell.id) ?? { failures: 0, waitUntilMs: 0, isBehind: false };
      memories.set(cell.id, memory);
      await database.withLock(lockName(cell.id), async (lost) => {
        if (now() >= memory.waitUntilMs) await projectCell(deps, cell, { memory, now, signals: [lost, stop] });
        await tellLag(database, log, cell.id, memory);
      });
    }
  };
}

const lockName = (cell: string) => `tenantry projection ${cell}`;

interface CellRound {
  readonly memory: CellMemory;
  readonly now: () => number;
  readonly signals: readonly (AbortSignal | undefined)[];
}

async function projectCell(deps: ProjectorDeps, cell: Cell, { memory, now, signals }: CellRound): Promise<void> {
  const { log, installationId } = deps;
  if (!cell.projection) return;
  const signal = AbortSignal.any(signals.filter((s) => s !== undefined));
  const target = { tables: deps.aws(cell.id).tables, table: cell.projection.table, installationId };
  try {
    const context = { beforeMutation: () => Promise.resolve(), signal };
    await inCallContext(context, () => projectPending({ ...deps, target, signal }, cell.id));
    memory.failures = 0;
  } catch (error) {
    if (signal.aborted || error instanceof DatabaseUnavailableError) throw error;
    memory.failures += 1;
    const waitMs = Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** (memory.failures - 1));
    memory.waitUntilMs = now() + waitMs;
    log.warn({ err: error, cell: cell.id, table: target.table, waitMs }, 'tenants are not projected for now');
  }
}

type Projecting = ProjectorDeps & { readonly target: ProjectionTarget; readonly signal: AbortSignal };

async function projectPending(deps: Projecting, cell: string): Promise<void> {
  const pending = await listPendingTenants(deps.database, cell, ROUND_LIMIT);
  const next = pending.values();
  let isOver = false;
  const ends = await Promise.allSettled(
    Array.from({ length: AT_ONCE }, async () => {
      for (const tenant of next) {
        if (isOver || deps.signal.aborted) return;
        await projectOne(deps, tenant).catch((error: unknown) => {
          isOver = true;
          throw error;
        });
      }
    }),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

/** What is wrong with one tenant keeps that one back; what every tenant meets ends the round. */
async function projectOne({ database, target, log, signal }: Projecting, tenant: PendingTenant): Promise<void> {
  try {
    await projectTenant(database, target, tenant);
  } catch (error) {
    if (signal.aborted || error instanceof DatabaseUnavailableError) throw error;
    const keepBack = isItsOwn(error);
    const { tenantId } = tenant;
    const reason = error instanceof Error ? error.message : String(error);
    await recordProjectionFailure(database, { tenantId, reason, keepBack });
    if (!keepBack) throw error;
    log.warn({ err: error, tenantId, table: target.table }, 'a tenant is not projected');
  }
}

function isItsOwn(error: unknown): boolean {
  if (error instanceof TableAheadError) return true;
  return !(error instanceof StepError) || error.code === 'INVALID_REQUEST';
}

/** Tells once that a cell is behind, and once that it has caught up. */
async function tellLag(database: Database, log: ProjectorDeps['log'], cell: string, memory: CellMemory): Promise<void> {
  const [lag] = await measureLag(database, [cell]);
  if (!lag) return;
  const isBehind = lag.lagMs > PROJECTION_BEHIND_MS;
  if (isBehind && !memory.isBehind)
    log.error(
      { alert: 'projection-behind', ...lag, runbook: runbookPage('projection-behind') },
      'the projection of tenants is behind: it catches up by itself when its table can be written',
    );
  if (memory.isBehind && lag.pending === 0) log.info(lag, 'the projection of tenants has caught up');
  if (isBehind) memory.isBehind = true;
  else if (lag.pending === 0) memory.isBehind = false;
}
