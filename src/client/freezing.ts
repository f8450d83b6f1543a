import { randomUUID } from 'node:crypto';
import type { Caller } from '../contracts/caller.ts';
import type { Queryable } from '../db/database.ts';
import {
  countScope,
  FrozenError,
  insertFreeze,
  liftFreeze,
  listFreezes,
  type FreezeRow,
  type NewFreeze,
} from '../db/freezes.ts';
import { insertOperation, type NewOperation, type OperationRow } from '../db/operations.ts';
import { invalid } from './invalid-input.ts';
import type { Once } from './once.ts';
import { inVain } from './preview.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps, FreezeInput } from './requests.ts';
import type { FreezePreviewView, FreezeView } from './views.ts';

/**
 * Accepts no new operation of a product, in a cell, or of a product in a cell, until it is lifted. Those that are open go on to their
 * end or their hold, and take `retry` and `cancel`.
 * @throws RequestError INVALID_INPUT, UNKNOWN_PRODUCT
 */
export async function freeze(
  deps: ClientDeps,
  caller: Caller,
  input: FreezeInput,
  once: Once<FreezeView>,
): Promise<FreezeView> {
  const made = newFreeze(deps, caller, input);
  return written(deps, once, (tx) => insertFreeze(tx, made));
}

async function written(
  { database }: ClientDeps,
  once: Once<FreezeView>,
  write: (tx: Queryable) => Promise<FreezeRow>,
): Promise<FreezeView> {
  const keptOf = (row: FreezeRow) => ({ outcome: freezeView(row), audit: { data: { ...freezeView(row) } } });
  return freezeView(await database.transaction((tx) => once.write(tx, () => write(tx), keptOf)));
}

/** What {@link freeze} would do. */
export function previewFreeze(deps: ClientDeps, caller: Caller, input: FreezeInput): Promise<FreezePreviewView> {
  const made = newFreeze(deps, caller, input);
  return inVain(deps.database, async (tx) => previewOf(tx, await insertFreeze(tx, made)));
}

/** What {@link lift} would do. */
export function previewLift(deps: ClientDeps, caller: Caller, freezeId: string): Promise<FreezePreviewView> {
  return inVain(deps.database, async (tx) => previewOf(tx, await lifted(tx, caller, freezeId)));
}

async function previewOf(tx: Queryable, row: FreezeRow): Promise<FreezePreviewView> {
  const { product, cell, reason } = row;
  return { dryRun: true, product, cell, reason, ...(await countScope(tx, row)) };
}

/** @throws RequestError INVALID_INPUT, UNKNOWN_PRODUCT */
function newFreeze(deps: ClientDeps, caller: Caller, input: FreezeInput): NewFreeze {
  const { product = null, cell = null, reason } = input;
  const { products } = deps.catalog;
  if (product === null && cell === null)
    throw invalid([{ field: 'body.product', problem: 'a product, a cell or both are required' }]);
  if (product !== null && !Object.hasOwn(products, product))
    throw new RequestError('UNKNOWN_PRODUCT', `there is no product "${product}"`, {
      details: { products: Object.keys(products) },
    });
  const cells = deps.platform.cells.map(({ id }) => id);
  if (cell !== null && !cells.includes(cell))
    throw invalid([{ field: 'body.cell', problem: `must be one of ${cells.join(', ')}` }]);
  return { id: randomUUID(), product, cell, reason, caller };
}

/** Those in force, oldest first. */
export async function readFreezes({ database }: Pick<ClientDeps, 'database'>): Promise<FreezeView[]> {
  return (await listFreezes(database)).map(freezeView);
}

/** From then on operations are accepted again. @throws RequestError FREEZE_NOT_FOUND */
export async function lift(
  deps: ClientDeps,
  caller: Caller,
  freezeId: string,
  once: Once<FreezeView>,
): Promise<FreezeView> {
  return written(deps, once, (tx) => lifted(tx, caller, freezeId));
}

async function lifted(db: Queryable, caller: Caller, freezeId: string): Promise<FreezeRow> {
  const row = await liftFreeze(db, freezeId, caller);
  if (row) return row;
  throw new RequestError('FREEZE_NOT_FOUND', `there is no freeze ${freezeId}`, { details: { freezeId } });
}

/** As {@link insertOperation}. @throws RequestError FROZEN */
export async function acceptOperation(tx: Queryable, operation: NewOperation): Promise<OperationRow | undefined> {
  try {
    return await insertOperation(tx, operation);
  } catch (error) {
    throw error instanceof FrozenError ? frozen(error) : error;
  }
}

function frozen({ freeze: row }: FrozenError): RequestError {
  const { freezeId, by, reason, since } = freezeView(row);
  return new RequestError(
    'FROZEN',
    `${scopeOf(row)} is frozen since ${since} by ${by}: ${reason}. No operation is accepted until it is lifted: ask ${by}`,
    { details: { ...freezeView(row), lift: `tenantry freeze lift ${freezeId}` } },
  );
}

function scopeOf({ product, cell }: Pick<FreezeRow, 'product' | 'cell'>): string {
  if (product === null) return `cell ${cell ?? ''}`;
  return cell === null ? `product ${product}` : `product ${product} in cell ${cell}`;
}

function freezeView({ id, product, cell, reason, caller, at, liftedAt }: FreezeRow): FreezeView {
  const since = at.toISOString();
  return {
    freezeId: id,
    product,
    cell,
    reason,
    by: caller.principal,
    since,
    liftedAt: liftedAt?.toISOString() ?? null,
  };
}
