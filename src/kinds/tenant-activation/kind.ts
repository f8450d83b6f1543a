import { z } from 'zod';
import { changeOperationState, lockOperation } from '../../db/operations.ts';
import { queueMail } from '../../db/mails.ts';
import { recordApplied } from '../../db/steps.ts';
import { changeTenantStatus, findTenant } from '../../db/tenants.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { Kind } from '../framework/kind.ts';
import { text } from '../framework/values.ts';

/** Without an address where the product's tenants have no host. */
const spec = z.strictObject({ tenantUrl: text.optional() });
const outputs = z.strictObject({ tenantUrl: z.string().optional() });

type ActivationSpec = z.output<typeof spec>;
type ActivationOutputs = z.output<typeof outputs>;

/**
 * The commit: in one transaction the step is ready, the operation has succeeded, the tenant is active and its welcome mail is
 * queued. The operation's event comes after the step's, because followers leave with it.
 */
export const tenantActivation: Kind<ActivationSpec, ActivationOutputs, never> = {
  name: 'tenant-activation',
  spec,
  outputs,
  types: {},
  permissions: [],
  inCell: ({ tenantUrl }, within) => (tenantUrl === undefined ? [] : within.url(tenantUrl)),
  physicalNames: () => [],
  resources: () => [],

  ensure: ({ spec: { tenantUrl } }) =>
    Promise.resolve({
      status: 'ready',
      outputs: tenantUrl === undefined ? {} : { tenantUrl },
      tenantStatus: 'active',
    }),

  async commit(tx, { tenant, operation, cell }) {
    const now = await lockOperation(tx, operation.id);
    const committed = await changeOperationState(tx, operation.id, ['committing'], 'succeeded', { failure: null });
    if (!committed) {
      throw new StepError('STEP_REVOKED', `operation ${operation.id} is ${now?.state ?? 'unknown'}, not committing`, {
        detail: 'the tenant was not activated',
      });
    }
    await changeTenantStatus(tx, tenant.id, 'active', {
      operationId: operation.id,
      cleanupPending: false,
      failure: null,
    });
    await recordApplied(tx, tenant.id);
    await queueMail(tx, { tenantId: tenant.id, operationId: operation.id, cell: cell.id, template: 'welcome' });
  },

  async observe({ db, tenant, notOurs }) {
    const status = (await findTenant(db, tenant.id))?.status;
    return status === 'active'
      ? { status: 'ready', detail: 'the tenant is active' }
      : { status: 'absent', detail: `the tenant is ${status ?? 'unknown'}`, others: await notOurs([]) };
  },

  // It makes nothing outside of the database.
  differs: () => Promise.resolve([]),

  // What was committed is not undone: a deprovisioning settles the tenant's status itself.
  remove: async ({ notOurs }) => ({ status: 'removed', others: await notOurs([]) }),
};
