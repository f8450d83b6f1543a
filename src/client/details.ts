import { randomUUID } from 'node:crypto';
import type { Caller } from '../contracts/caller.ts';
import type { Queryable } from '../db/database.ts';
import { changeDetails, type TenantDetails, type TenantRow } from '../db/tenants.ts';
import { invalid } from './invalid-input.ts';
import { orUnknown } from './outcome-unknown.ts';
import { inVain, previewOf } from './preview.ts';
import { existingTenant, tenantView } from './reading.ts';
import { RequestError } from './request-error.ts';
import type { ChangeTenantInput, ClientDeps } from './requests.ts';
import type { ChangeOutcome, PreviewView } from './views.ts';

/**
 * What a change says of a tenant's details; undefined: nothing. They take effect at once, in a request of their own: of an operation
 * whose start fails nothing is to stay.
 * @throws RequestError INVALID_INPUT
 */
export function detailsIn({
  displayName,
  contactEmail,
  settings,
  refresh,
}: ChangeTenantInput): TenantDetails | undefined {
  const given = Object.entries({ displayName, contactEmail }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return undefined;
  if (settings === undefined && refresh !== true) return { displayName, contactEmail };
  const problem = 'is changed in a request of its own, without settings or refresh: it takes effect at once';
  throw invalid(given.map(([name]) => ({ field: `body.${name}`, problem })));
}

/** Changes details of a tenant, whatever its operations are at: no step is made of them. @throws RequestError TENANT_NOT_CHANGEABLE */
export async function changeTenantDetails(
  { database }: ClientDeps,
  caller: Caller,
  tenantId: string,
  details: TenantDetails,
): Promise<ChangeOutcome> {
  const attempted = { what: `the details of tenant ${tenantId} were changed`, shownBy: 'tenant' } as const;
  const operationId = randomUUID();
  const tenant = await orUnknown({ ...attempted, tenantId, operationId }, () =>
    database.transaction((tx) => write(tx, caller, tenantId, details)),
  );
  return { done: true, tenant: tenantView(tenant) };
}

/** What {@link changeTenantDetails} would do. */
export async function previewDetails(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  details: TenantDetails,
): Promise<PreviewView> {
  const tenant = await inVain(deps.database, (tx) => write(tx, caller, tenantId, details));
  const { cell, contactEmail, displayName, settings } = tenant;
  const view = await previewOf(deps, { tenantId, cell, operation: null, plan: [], settings });
  return { ...view, details: { displayName, contactEmail } };
}

async function write(tx: Queryable, caller: Caller, tenantId: string, details: TenantDetails): Promise<TenantRow> {
  const { status } = await existingTenant(tx, tenantId);
  if (status !== 'deleted') return changeDetails(tx, tenantId, details, caller);
  throw new RequestError('TENANT_NOT_CHANGEABLE', `tenant ${tenantId} is deleted`, { details: { status } });
}
