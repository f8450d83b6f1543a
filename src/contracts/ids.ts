/** Workflow id of every operation on a tenant; dots, because Temporal's HTTP API answers 404 to ids with slashes. */
export function tenantWorkflowId(tenant: { product: string; slug: string }): string {
  return `tenant.${tenant.product}.${tenant.slug}`;
}

/** The inverse of {@link tenantWorkflowId}; undefined when the id is not one of ours. */
export function parseTenantWorkflowId(workflowId: string): { product: string; slug: string } | undefined {
  const match = /^tenant\.([a-z0-9-]+)\.([a-z0-9-]+)$/.exec(workflowId);
  const [product, slug] = match?.slice(1) ?? [];
  return product !== undefined && slug !== undefined ? { product, slug } : undefined;
}

/** The one task queue that all roles map to at first; `taskQueues` is the table that lets roles be separated. */
export const TASK_QUEUE = 'tenantry';

/** Which queue serves which verb or duty. */
export const taskQueues = {
  workflow: TASK_QUEUE,
  bookkeeping: TASK_QUEUE,
  ensure: TASK_QUEUE,
  observe: TASK_QUEUE,
  remove: TASK_QUEUE,
} as const;

/** Search attributes, all of type Keyword; `doctor` and the worker's start compare the server's list with this one. */
export const searchAttributes = ['TenantId', 'TenantSlug', 'Product', 'Tier', 'Operation', 'TenantStatus'] as const;
export type SearchAttribute = (typeof searchAttributes)[number];
