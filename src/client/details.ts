import { randomUUID } from 'node:crypto';
import type { Caller } from '../contracts/caller.ts';
import type { Queryable } from '../db/database.ts';
import { changeDetails, lockTenant, type TenantDetails, type TenantRow } from '../db/tenants.ts';
import type { Settings } from '../contracts/settings.ts';
import { isSameJson } from '../contracts/stable-json.ts';
import { detailNames, detailsIn, lostDetails, settingOf } from '../products/detail-settings.ts';
import { knownProduct, nounOf } from '../products/known-product.ts';
import type { Product } from '../products/product.ts';
import { chosen } from './chosen.ts';
import { invalid } from './invalid-input.ts';
import type { Audited, Once } from './once.ts';
import { orUnknown } from './outcome-unknown.ts';
import { refuseOtherTag, tenantTag, type Conditional } from './precondition.ts';
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
export function detailsAsked({
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

interface AskedDetails extends Conditional {
  readonly tenantId: string;
  readonly details: TenantDetails;
}

/** Changes details of a tenant, whatever its operations are at: no step is made of them. @throws RequestError TENANT_NOT_CHANGEABLE */
export async function changeTenantDetails(
  deps: ClientDeps,
  caller: Caller,
  asked: AskedDetails,
  once: Once<ChangeOutcome>,
): Promise<ChangeOutcome> {
  const { tenantId } = asked;
  const attempted = { what: `the details of tenant ${tenantId} were changed`, shownBy: 'tenant' } as const;
  const operationId = randomUUID();
  const { before, tenant } = await orUnknown({ ...attempted, tenantId, operationId }, () =>
    deps.database.transaction((tx) =>
      once.write(
        tx,
        () => write(deps, tx, caller, asked),
        (written) => ({ outcome: changed(written), audit: detailFacts(written) }),
      ),
    ),
  );
  return changed({ before, tenant });
}

function detailFacts({ before, tenant }: { readonly before: TenantRow; readonly tenant: TenantRow }): Audited {
  if (isSameJson(chosen(before), chosen(tenant))) return 'unchanged';
  return { tenantId: tenant.id, before: chosen(before), after: chosen(tenant) };
}

function changed({ before, tenant }: { readonly before: TenantRow; readonly tenant: TenantRow }): ChangeOutcome {
  return { done: true, tenant: tenantView(tenant), changed: changedFields(before, tenant) };
}

/** What {@link changeTenantDetails} would do. */
export async function previewDetails(deps: ClientDeps, caller: Caller, asked: AskedDetails): Promise<PreviewView> {
  const { tenantId } = asked;
  const { tenant } = await inVain(deps.database, (tx) => write(deps, tx, caller, asked));
  const { activatedAt, cell, contactEmail, displayName, settings } = tenant;
  const view = await previewOf(deps, { tenantId, activatedAt, cell, operation: null, plan: [], settings });
  return { ...view, details: { displayName, contactEmail } };
}

/** Fields of a tenant that a request changed without an operation: details, and settings as `settings.name`. Pure. */
export function changedFields(before: TenantRow, after: TenantRow): string[] {
  const details = detailNames.filter((name) => before[name] !== after[name]);
  const names = new Set([...Object.keys(before.settings), ...Object.keys(after.settings)]);
  const settings = [...names].filter((name) => !isSameJson(before.settings[name], after.settings[name]));
  return [...details, ...settings.map((name) => `settings.${name}`)];
}

/**
 * @param fieldOf what the request calls a setting
 * @throws RequestError INVALID_INPUT for a change that would leave the tenant without a detail that its settings hold
 */
export function refuseLostDetails(
  product: Product,
  before: Settings,
  after: Settings,
  fieldOf: (path: readonly string[]) => string,
): void {
  const lost = lostDetails(product, before, after);
  if (lost.length > 0) throw invalid(lost.map(({ path, problem }) => ({ field: fieldOf(path), problem })));
}

async function write(
  { catalog }: Pick<ClientDeps, 'catalog'>,
  tx: Queryable,
  caller: Caller,
  { tenantId, details, ifMatch }: AskedDetails,
): Promise<{ readonly before: TenantRow; readonly tenant: TenantRow }> {
  await existingTenant(tx, tenantId);
  const before = await lockTenant(tx, tenantId);
  refuseOtherTag(ifMatch, tenantTag(before), `${nounOf(catalog.products, before)} ${tenantId}`);
  const { status } = before;
  if (status === 'deleted')
    throw new RequestError('TENANT_NOT_CHANGEABLE', `${nounOf(catalog.products, before)} ${tenantId} is deleted`, {
      details: { status },
    });
  const product = knownProduct(catalog.products, before.product);
  if (product) refuseHeld(product, before.settings, details);
  return { before, tenant: await changeDetails(tx, tenantId, details, { caller }) };
}

/** What the settings hold is changed there, so that both stay the same. @throws RequestError INVALID_INPUT */
function refuseHeld(product: Product, settings: Settings, asked: TenantDetails): void {
  const held = detailsIn(product, settings);
  const fields = detailNames
    .filter((name) => asked[name] !== undefined && held[name] !== undefined && asked[name] !== held[name])
    .map((name) => ({ field: `body.${name}`, problem: `is ${settingOf(product, name)} of this tenant: change that` }));
  if (fields.length > 0) throw invalid(fields);
}
