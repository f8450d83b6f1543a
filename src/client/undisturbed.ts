import { isAcceptable } from '../contracts/applicability.ts';
import { operationTypeAskedBy, type OperationRules } from '../contracts/operation-table.ts';
import type { Queryable } from '../db/database.ts';
import { findOpenOperation, type OperationRow } from '../db/operations.ts';
import { lockTenant, type TenantRow } from '../db/tenants.ts';
import { nounOf, type Products } from '../products/known-product.ts';
import { tenantTag, type Conditional } from './precondition.ts';
import { RequestError } from './request-error.ts';

/** Rolls the transaction back without being a failure: another request changed the tenant after it had been read. */
export class DisturbedSignal extends Error {}

const MOST_TRIES = 5;

/** Tries again what another request disturbed, a few times. @throws RequestError OPERATION_IN_PROGRESS when it is disturbed each time */
export async function untilUndisturbed<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof DisturbedSignal)) throw error;
      if (tries === MOST_TRIES) throw disturbed(error);
    }
  }
}

function disturbed(cause: DisturbedSignal): RequestError {
  return new RequestError(
    'OPERATION_IN_PROGRESS',
    `other requests changed the same each of the ${MOST_TRIES} times that this one was tried; nothing was changed: send it again`,
    { retryAfterSeconds: 1, cause },
  );
}

/**
 * The tenant, locked, is the one that was read: an operation that ended meanwhile, or another choice, changed its row. Under a condition
 * nothing else that it holds was changed either.
 */
export async function lockUndisturbed(
  tx: Queryable,
  read: TenantRow,
  own: OperationRow | undefined,
  { ifMatch }: Conditional = {},
): Promise<TenantRow> {
  const now = await lockTenant(tx, read.id);
  const open = own ?? (await findOpenOperation(tx, read.id));
  if (open !== own || now.status !== read.status || now.settingsVersion !== read.settingsVersion)
    throw new DisturbedSignal();
  if (ifMatch !== undefined && tenantTag(now) !== tenantTag(read)) throw new DisturbedSignal();
  return now;
}

/** @throws RequestError TENANT_NOT_CHANGEABLE */
export function refuseUnchangeable(
  products: Products,
  { id, product, status }: TenantRow,
  request: OperationRules['askedBy'],
): void {
  if (isAcceptable(operationTypeAskedBy(request), { status, open: undefined })) return;
  throw new RequestError(
    'TENANT_NOT_CHANGEABLE',
    `the status of ${nounOf(products, { product })} ${id} is ${status}, and nothing can be changed from there`,
    {
      details: { status },
    },
  );
}
