import { z } from 'zod';
import { cloudTypes } from '../../products/accounts/cloud-types.ts';
import { provisioningStatuses } from '../../products/accounts/provisioning-status.ts';
import {
  accountName,
  accountSettings,
  addresses,
  license,
  licenses,
  masterAccountName,
  storedAddress,
  technicalUser,
} from '../../products/accounts/settings.ts';
import { acceptedAnswer, changedTenantAnswer, openOperation, statusAnswer } from '../schemas/tenants.ts';
import { deleteQuery, dryRunQuery } from '../schemas/parameters.ts';
import { flag, id } from '../schemas/fields.ts';
import { listQuery } from '../schemas/lists.ts';
import { migrateBody } from '../schemas/request-bodies.ts';

/** Of every request that changes something: what is kept under its key is what was accepted (docs/adr/0023). */
export const REPEATS =
  ' A repeat under the same `Idempotency-Key` is answered with the same operation, and with the account as it is by then.';

const cloudType = z.enum(cloudTypes);
const provisioningStatus = z.enum(provisioningStatuses).meta({ id: 'ProvisioningStatus' });
const provisioningError = z
  .string()
  .optional()
  .describe(
    'Why it is not what it is to be, where something failed: code, message and detail, 1,000 characters at most',
  );

/** Requirement R-ACC-02; shapes by U-27. */
export const createAccountBody = accountSettings.safeExtend({
  name: accountName,
  masterAccountName,
  cloudType: cloudType.describe('`public`: rows in the table that accounts share; `private`: a table of its own'),
  technicalUser,
});

export const accountParams = z.strictObject({ accountId: id });

export const createAccountQuery = z.strictObject({
  wait: flag
    .optional()
    .describe(
      '`true`: answer once the account is active or has failed, after 25 s at the latest; `false`: at once. By default a public account is ' +
        'waited for, 10 s at most, and a private one is not',
    ),
  dryRun: dryRunQuery.shape.dryRun,
});

/**
 * A merge patch (RFC 7396) of an account: what is left out stays, a list is replaced as a whole, null takes out what an account may be
 * without. Its cloud type is changed by a move.
 */
export const changeAccountBody = z.strictObject({
  name: accountName.optional(),
  masterAccountName: masterAccountName.optional(),
  addresses: addresses.nullish().describe('Replaced as a whole; null: none'),
  technicalUser: technicalUser
    .extend({ username: technicalUser.shape.username.nullable() })
    .partial()
    .optional()
    .describe('Fields that are left out stay'),
  licenses: licenses.nullish().describe('Replaced as a whole; null: none'),
});

/** Of a move to a table of its own. One that fails goes back at once: writes of services may wait, and are not to wait through a hold. */
export const moveAccountBody = migrateBody.pick({ reason: true }).nullish();

export const listAccountsQuery = z.strictObject({
  cloudType: cloudType.optional(),
  provisioningStatus: z.enum(provisioningStatuses).optional(),
  includeGone: flag
    .optional()
    .describe(
      'Whether to list accounts of which nothing is left too (`deleted`, or `failed` and rolled back). By default they are left out, ' +
        'unless `provisioningStatus` is given',
    ),
  limit: listQuery.shape.limit,
  cursor: listQuery.shape.cursor,
});

/** Required, though the schema lets it be left out: the refusal has a code of its own, and a dry run needs none. */
export const deleteAccountQuery = z
  .strictObject({
    confirm: z.string().max(100).optional().describe('The id of the account, typed back').meta({ format: 'uuid' }),
    grace: deleteQuery.shape.grace,
    export: deleteQuery.shape.export,
    dryRun: deleteQuery.shape.dryRun,
  })
  .meta({ required: ['confirm'] });

const time = z.iso.datetime({ offset: true });

/** Requirement R-ACC-03. */
export const accountAnswer = z
  .object({
    id: z.uuid(),
    name: z.string(),
    cloudType: z.string(),
    tableName: z
      .string()
      .nullable()
      .describe('Its table of DynamoDB. Null: nothing of it is left, or its cell does not describe accounts'),
    provisioningStatus,
    provisioningError,
    masterAccountName: z.string().nullable(),
    addresses: z.array(z.object(storedAddress.shape)).describe('Empty once nothing of the account is left'),
    technicalUser: z.object(technicalUser.shape).nullable().describe('Null once nothing of the account is left'),
    licenses: z.array(z.object(license.shape)).describe('Empty once nothing of the account is left'),
    cell: z.string(),
    createdAt: time,
    updatedAt: time,
    activatedAt: time.nullable(),
    deletedAt: time.nullable(),
    deletesAt: time.nullable().describe('Of a deletion in its grace period: when it begins to remove'),
    // Optional for clients: an API of an earlier release does not give it.
    openOperation: openOperation.optional().describe('What is in progress, such as a move: null, nothing is'),
  })
  .meta({ id: 'Account', description: 'The account' });

/** Of a request that an operation carries out. */
export const acceptedAccountAnswer = accountAnswer
  .extend({
    operationId: z.uuid(),
    message: acceptedAnswer.shape.message.describe('What was accepted, a sentence for people; not of a creation'),
    finalDump: acceptedAnswer.shape.finalDump,
    statusUrl: acceptedAnswer.shape.statusUrl,
    workers: acceptedAnswer.shape.workers,
  })
  .meta({ id: 'AcceptedAccount', description: 'The account, and the operation that carries the request out' });

/** Of a request that no operation has to carry out. */
export const changedAccountAnswer = accountAnswer
  .extend({ changed: changedTenantAnswer.shape.changed })
  .meta({ id: 'ChangedAccount', description: 'The account, as no operation has to carry the request out' });

export const accountsAnswer = z
  .object({ accounts: z.array(accountAnswer), nextCursor: z.string().nullable() })
  .meta({ id: 'AccountPage', description: 'A page of accounts' });

export const accountStatusAnswer = z
  .object({
    id: z.uuid(),
    provisioningStatus,
    provisioningError,
    ...statusAnswer.pick({
      operation: true,
      outcome: true,
      error: true,
      currentSteps: true,
      stepsDone: true,
      stepsTotal: true,
      deletesAt: true,
      startedAt: true,
      updatedAt: true,
      leftovers: true,
      attention: true,
      cleanupPending: true,
      drift: true,
      workers: true,
    }).shape,
  })
  .meta({ id: 'AccountStatus', description: 'How far it is' });
