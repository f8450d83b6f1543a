import type { Caller } from '../contracts/caller.ts';
import { DRIFT_PAGE, type DriftLook } from '../contracts/drift.ts';
import { DatabaseUnavailableError, type Queryable } from '../db/database.ts';
import { findLookedAtTenants, findMoment, forgetGoneTenants, listTenantsToLookAt } from '../db/drift.ts';
import { findNewestReport } from '../db/sweep-reports.ts';
import type { DriftDeps } from './dependencies.ts';
import { lookAtTenant, type TenantLook } from './look-at-tenant.ts';
import { sweptExtras } from './swept-extras.ts';

export interface PageRequest {
  readonly cell: string;
  readonly product?: string | undefined;
  /** Id of the last tenant of the page before. */
  readonly after?: string | undefined;
  readonly signal: AbortSignal;
  /** Called after each tenant. */
  readonly onLook?: ((look: DriftLook) => void) | undefined;
}

export interface DriftPage {
  readonly looks: readonly TenantLook[];
  /** Undefined: it was the last page. */
  readonly after: string | undefined;
}

/** Which tenants are looked at; nothing: all. */
export interface DriftScope {
  readonly cell?: string | undefined;
  readonly product?: string | undefined;
  /** Its id, `product/slug` or slug. */
  readonly tenant?: string | undefined;
}

/** There is no such tenant or cell, or several tenants are meant. */
export class DriftNotFoundError extends Error {
  override readonly name = 'DriftNotFoundError';
}

/** Looks at active and suspended tenants for what is not as it was applied. It changes nothing of theirs. */
export interface Drift {
  /** Cells of the platform, by id. */
  cells(): string[];
  /** Undefined: there is no such tenant. @throws DatabaseUnavailableError */
  lookAtTenant(caller: Caller, tenantId: string, signal: AbortSignal): Promise<TenantLook | undefined>;
  /** A page of a cell's tenants. @throws DatabaseUnavailableError */
  lookAtPage(caller: Caller, request: PageRequest): Promise<DriftPage>;
  /** Page after page. @throws DriftNotFoundError, DatabaseUnavailableError */
  lookAt(caller: Caller, scope: DriftScope, onLook: (look: DriftLook) => void): Promise<void>;
}

/** Tenants that are looked at side by side: what their steps ask of one listener or cluster is asked once. */
const AT_ONCE = 5;

export function createDrift(deps: DriftDeps): Drift {
  const { database } = deps;
  const cells = () => deps.platform.cells.map(({ id }) => id);
  const extrasIn = async (cell: string) => sweptExtras(await findNewestReport(database, cell), new Date());
  const drift: Drift = {
    cells,
    async lookAtTenant(caller, tenantId, signal) {
      const moment = await findMoment(database, tenantId);
      if (!moment) return undefined;
      return lookAtTenant(deps, { tenantId, caller, extrasOf: await extrasIn(moment.cell), signal });
    },
    async lookAtPage(caller, { cell, product, after, signal, onLook }) {
      if (after === undefined) await forgetGoneTenants(database, cell);
      const tenantIds = await listTenantsToLookAt(database, { cell, product, after, limit: DRIFT_PAGE });
      const extrasOf = await extrasIn(cell);
      const looks: TenantLook[] = [];
      await sideBySide(tenantIds, signal, async (tenantId) => {
        const look = await lookAtTenant(deps, { tenantId, caller, extrasOf, signal }).catch((error: unknown) => {
          if (error instanceof DatabaseUnavailableError) throw error;
          deps.log.error({ err: error, tenantId, cell }, 'the look at a tenant failed: the others are looked at');
        });
        if (!look) return;
        looks.push(look);
        onLook?.(look);
      });
      return { looks, after: tenantIds.length === DRIFT_PAGE ? tenantIds.at(-1) : undefined };
    },
    async lookAt(caller, scope, onLook) {
      const { signal } = new AbortController();
      if (scope.tenant !== undefined) {
        const look = await drift.lookAtTenant(caller, await tenantIdOf(database, scope), signal);
        if (look) onLook(look);
        return;
      }
      for (const cell of wantedCells(cells(), scope.cell)) {
        let after: string | undefined;
        do {
          const page = await drift.lookAtPage(caller, { cell, product: scope.product, after, signal, onLook });
          after = page.after;
        } while (after !== undefined);
      }
    },
  };
  return drift;
}

async function sideBySide(
  ids: readonly string[],
  stop: AbortSignal,
  each: (id: string) => Promise<void>,
): Promise<void> {
  const waiting = [...ids];
  const takeNext = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined && !stop.aborted; id = waiting.shift()) await each(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeNext));
}

/** @throws DriftNotFoundError */
function wantedCells(all: readonly string[], wanted: string | undefined): readonly string[] {
  if (wanted === undefined) return all;
  if (!all.includes(wanted)) throw new DriftNotFoundError(`the platform description has no cell ${wanted}`);
  return [wanted];
}

/** @throws DriftNotFoundError */
async function tenantIdOf(db: Queryable, { tenant = '', product }: DriftScope): Promise<string> {
  const [slug = '', named = product] = tenant.split('/').reverse();
  const found = await findLookedAtTenants(db, { id: tenant, slug, product: named });
  const [one, ...others] = found;
  if (one === undefined) throw new DriftNotFoundError(`there is no active or suspended tenant ${tenant}`);
  if (others.length > 0) throw new DriftNotFoundError(`several products have a tenant ${tenant}: name it product/slug`);
  return one;
}
