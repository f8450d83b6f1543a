import type { Logger } from 'pino';
import type { Catalog } from '../catalog/catalog.ts';
import { RequestError } from '../client/request-error.ts';
import type { TenantryClient } from '../client/tenantry.ts';
import { runbookPage } from '../contracts/advice.ts';
import type { DriftRepairPolicy } from '../contracts/drift.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database } from '../db/database.ts';
import { countForRepairs, listDriftBreakers, listRepairCandidates, stopDriftRepairs } from '../db/drift-repairs.ts';
import { decideRepairs, FAILURE_WINDOW_MS } from '../drift/repair-policy.ts';
import { systemCaller } from '../process-caller.ts';

export interface DriftRepairDeps {
  readonly database: Database;
  readonly platform: Platform;
  readonly catalog: Pick<Catalog, 'products'>;
  readonly client: Pick<TenantryClient, 'repairTenant'>;
  /** Of the installation; undefined: each product's own. */
  readonly policy: DriftRepairPolicy | undefined;
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
}

/** How often a worker looks whether something is to be repaired, in ms. */
export const REPAIR_EVERY_MS = 30_000;

/** Begins repairs of tenants that drift, of products that want it so, one worker at a time in a cell. */
export async function repairDrift(deps: DriftRepairDeps): Promise<void> {
  const products = Object.values(deps.catalog.products)
    .filter(({ driftRepair = 'approval' }) => (deps.policy ?? driftRepair) === 'automatic')
    .map(({ name }) => name);
  if (products.length === 0) return;
  for (const { id: cell } of deps.platform.cells)
    try {
      await deps.database.withLock(`drift repairs ${cell}`, () => repairInCell(deps, cell, products));
    } catch (err) {
      deps.log.warn({ err, cell }, 'drift of a cell could not be repaired now');
    }
}

async function repairInCell(deps: DriftRepairDeps, cell: string, products: readonly string[]): Promise<void> {
  const { database } = deps;
  const breaker = (await listDriftBreakers(database)).find((one) => one.cell === cell);
  const since = breaker?.resumedAt ?? null;
  const counts = await countForRepairs(database, { cell, since, windowMs: FAILURE_WINDOW_MS });
  const candidates = (await listRepairCandidates(database, cell, products)).map(({ tenantId }) => tenantId);
  const decision = decideRepairs({ ...counts, isStopped: (breaker?.stoppedAt ?? null) !== null, candidates });
  if (decision.is === 'stop') await stop(deps, cell, decision.why);
  if (decision.is !== 'repair') return;
  let begun = 0;
  for (const tenantId of decision.tenantIds) if (begun < decision.atMost && (await repair(deps, tenantId))) begun += 1;
}

/** The alert comes first: a worker that ends in between raises it again, and does not lose it. */
async function stop({ database, log }: DriftRepairDeps, cell: string, why: string): Promise<void> {
  log.error(
    { alert: 'drift-breaker', cell, why, runbook: runbookPage('drift-breaker') },
    `drift of cell ${cell} is no longer repaired automatically: tenantry drift resume ${cell}`,
  );
  await stopDriftRepairs(database, cell, why);
}

/** The tenant is frozen or changed by somebody since it was listed: it waits for a later round. */
const refusals: readonly ErrorCode[] = ['FROZEN', 'OPERATION_IN_PROGRESS', 'TENANT_NOT_CHANGEABLE', 'TENANT_NOT_FOUND'];

/** @returns whether the repair was accepted */
async function repair({ client, log }: DriftRepairDeps, tenantId: string): Promise<boolean> {
  try {
    const reason = 'it was not as it was applied';
    const { operationId } = await client.repairTenant(systemCaller('drift repair'), tenantId, { reason });
    log.info({ tenantId, operationId }, 'a tenant that drifted is repaired');
    return true;
  } catch (error) {
    if (!(error instanceof RequestError && refusals.includes(error.code))) throw error;
    log.debug({ tenantId, code: error.code }, 'a tenant that drifts is repaired later');
    return false;
  }
}
