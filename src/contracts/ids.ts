/** Workflow id of every operation on a tenant; dots, because Temporal's HTTP API answers 404 to ids with slashes. */
export function tenantWorkflowId(tenant: { product: string; slug: string }): string {
  return `tenant.${tenant.product}.${tenant.slug}`;
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
  /** Of its own: what is wanted in an emergency does not wait behind the activities of operations. */
  isolation: `${TASK_QUEUE}-isolation`,
} as const;

/** Search attributes, all of type Keyword; `doctor` and the worker's start compare the server's list with this one. */
export const searchAttributes = ['TenantId', 'TenantSlug', 'Product', 'Tier', 'Operation', 'TenantStatus'] as const;
export type SearchAttribute = (typeof searchAttributes)[number];
