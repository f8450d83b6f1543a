import type { ItemKey, ItemValue, KeyedItem, VersionedItem } from '../aws/dynamodb.ts';
import { currentFailure } from '../client/attention.ts';
import { healthView } from '../client/health-view.ts';
import { currentStepsOf } from '../client/current-steps.ts';
import type { ProjectedEvent, TenantState } from '../db/projections.ts';

const TENANT = 'TENANT#';
const META = 'META';

/** Shape of the items; rises when what is there changes its meaning. */
const SCHEMA_VERSION = 1;

/** How many resources an item lists: DynamoDB takes no item above 400 KB. */
const RESOURCES_LISTED = 500;

/** The key of a tenant's own item (requirement U-16). */
export function tenantKey(tenantId: string): ItemKey {
  return { PK: `${TENANT}${tenantId}`, SK: META };
}

/** Whose item it is; undefined: no tenant's. */
export function tenantIdOf({ PK }: ItemKey): string | undefined {
  return /^TENANT#([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/.exec(PK)?.[1];
}

/**
 * A tenant's own item: what the API shows of it, the resources that it has (R-REG-06) and the keys of the two indexes, by product
 * and status and by owner. Secrets are in none of these; settings stay out, a product may put anything into them.
 */
export function tenantItem(state: TenantState, installationId: string): VersionedItem {
  const { tenant, operation, steps, version } = state;
  const failure = operation ? currentFailure(tenant, operation) : tenant.failure;
  const currentSteps = operation ? currentStepsOf(operation, steps) : [];
  return {
    ...tenantKey(tenant.id),
    GSI1PK: `PRODUCT#${tenant.product}`,
    GSI1SK: `STATUS#${tenant.status}#${TENANT}${tenant.id}`,
    GSI2PK: `OWNER#${tenant.contactEmail.toLowerCase()}`,
    GSI2SK: `${TENANT}${tenant.id}`,
    item: 'tenant',
    schemaVersion: SCHEMA_VERSION,
    version,
    installationId,
    tenantId: tenant.id,
    product: tenant.product,
    tier: tenant.tier,
    slug: tenant.slug,
    displayName: tenant.displayName,
    contactEmail: tenant.contactEmail,
    cell: tenant.cell,
    hostName: tenant.hostName,
    tenantUrl: tenant.tenantUrl,
    status: tenant.status,
    cleanupPending: tenant.cleanupPending,
    ...healthOf(tenant),
    settingsVersion: tenant.settingsVersion,
    error: failure && { code: failure.code, message: failure.message, stepId: failure.stepId ?? null },
    operation: operation ? { operationId: operation.id, type: operation.type, state: operation.state } : null,
    currentStep: currentSteps[0] ?? null,
    currentSteps,
    ...resourcesOf(state),
    createdAt: tenant.createdAt.toISOString(),
    activatedAt: tenant.activatedAt?.toISOString() ?? null,
    deletedAt: tenant.deletedAt?.toISOString() ?? null,
  };
}

/** As of its newest event: when it was looked at last changes without one. */
function healthOf(tenant: TenantState['tenant']): { readonly health: ItemValue } {
  const health = healthView(tenant);
  return { health: health && { status: health.status, since: health.since, reason: health.reason } };
}

function resourcesOf({ resources }: TenantState): Record<'resources' | 'resourcesTotal', ItemValue> {
  const listed = resources
    .slice(0, RESOURCES_LISTED)
    .map(({ stepId, type, name, physicalId, state }) => ({ stepId, type, name, physicalId, state }));
  return { resources: listed, resourcesTotal: resources.length };
}

/** An event's item: written once, never changed. Its sort key goes by time and step; the id keeps two apart. */
export function eventItem(event: ProjectedEvent, installationId: string): KeyedItem {
  return {
    ...eventKey(event),
    item: 'event',
    schemaVersion: SCHEMA_VERSION,
    installationId,
    eventId: event.id,
    tenantId: event.tenantId,
    operationId: event.operationId,
    type: event.type,
    stepId: event.stepId,
    at: event.at,
    data: event.data as Record<string, ItemValue>,
  };
}

function eventKey({ tenantId, at, stepId, type, id }: ProjectedEvent): ItemKey {
  return { PK: `${TENANT}${tenantId}`, SK: `EVENT#${at}#${stepId ?? type}#${id}` };
}
