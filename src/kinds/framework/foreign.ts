import type { Owner } from '../../aws/tags.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import { StepError } from '../../contracts/step-error.ts';
import { wasRemoved } from '../../db/ledger.ts';
import type { ResourceName, StepContext } from './kind.ts';

/** Something that is not this tenant's at a name that it wants. */
export interface Foreign {
  /** `OWNERSHIP_CONFLICT` by default. */
  readonly code?: ErrorCode | undefined;
  readonly resource: ResourceName;
  readonly message: string;
  readonly detail: string;
  /** Whose it is, as far as its mark tells. */
  readonly owner: Owner | undefined;
}

/**
 * The refusal of what is somebody else's. An earlier tenant of the slug may still be shown after its end, because a look may be
 * older than the deletion: what the ledger holds as removed is waited for.
 */
export async function refusalOf(
  { db, installationId }: Pick<StepContext, 'db' | 'installationId'>,
  { code = 'OWNERSHIP_CONFLICT', resource, message, detail, owner }: Foreign,
): Promise<StepError> {
  const isOurs = owner?.installationId === installationId;
  const isPast = isOurs && (await wasRemoved(db, owner.tenantId, resource));
  return isPast
    ? new StepError('CONFLICT_RETRYABLE', `${message}, and still shown though it was removed`, { detail })
    : new StepError(code, message, { detail });
}
