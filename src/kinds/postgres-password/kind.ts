import { z } from 'zod';
import { CURRENT, PREVIOUS } from '../../aws/secret-versions.ts';
import type { Secret } from '../../aws/secrets-manager.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { SchemaKey } from '../../db/tenant-schema-key.ts';
import { requestToken, schemaName } from '../../naming.ts';
import type { Kind, StepContext } from '../framework/kind.ts';
import { text } from '../framework/values.ts';
import { awaitNoSessions } from '../postgres-schema/drain.ts';
import { findOwnSecret, newPassword, secretOf } from '../postgres-schema/secret.ts';
import { versionDifferences } from './differences.ts';

const spec = z.strictObject({
  database: text,
  /** The step that made schema, role and secret. */
  schemaStep: text,
});
const outputs = z.strictObject({ version: z.string() });

type PasswordSpec = z.output<typeof spec>;
type PasswordOutputs = z.output<typeof outputs>;
type Context = StepContext<PasswordSpec, PasswordOutputs>;

/**
 * A new password for the role of the tenant's schema, known to Secrets Manager alone: whoever has the one before is logged out and
 * refused. An undo gives that one back (`undoFirst`), since the services that come back log in with it. It is a version of the secret
 * that another step made, and makes nothing of its own.
 */
export const postgresPassword: Kind<PasswordSpec, PasswordOutputs, never> = {
  name: 'postgres-password',
  spec,
  outputs,
  types: {},
  permissions: [
    'secretsmanager:DescribeSecret',
    'secretsmanager:GetSecretValue',
    'secretsmanager:PutSecretValue',
    'secretsmanager:UpdateSecretVersionStage',
  ],
  // It waits until the tasks that use the password have stopped.
  limits: { ensure: { startToCloseMs: 5 * 60_000, heartbeatMs: 10_000 } },
  inCell: ({ database }, within) => within.database(database),
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const { aws, guard, tenantDatabases } = context;
    const [key, version] = [keyOf(context), versionOf(context)];
    const secret = await ownSecret(context);
    await awaitNoSessions(context, key);
    const isStored = Object.values(secret.versions).includes(version);
    const password = isStored
      ? await aws.secrets.readSecret(secret.arn, version)
      : await aws.secrets.addVersion({ arn: secret.arn, value: newPassword(), token: version });
    await tenantDatabases.changePassword(key, password, guard);
    await tenantDatabases.endSessions(key);
    return { status: 'ready', outputs: { version } };
  },

  async observe(context) {
    const current = (await findOwnSecret(context, nameOf(context)))?.versions[CURRENT];
    // A removal takes back what this operation did; what an earlier one did is no longer there to be taken back.
    const own = context.removingAt ? [versionOf(context)] : [versionOf(context), context.previous.version];
    return current !== undefined && own.includes(current)
      ? { status: 'ready', detail: 'the password was replaced' }
      : { status: 'absent', detail: 'the password is another one', others: await context.notOurs([]) };
  },

  // The step that made role and secret tells whether the one has the password of the other.
  async differs(context) {
    const name = nameOf(context);
    return versionDifferences(name, context.previous.version, await findOwnSecret(context, name));
  },

  async remove(context) {
    const version = versionOf(context);
    const secret = await findOwnSecret(context, nameOf(context));
    const isThere = secret !== undefined && Object.values(secret.versions).includes(version);
    if (isThere) await giveBack(context, secret, version);
    const isMissing = !isThere && (context.mayExist || context.previous.version === version);
    return { status: 'removed', others: await context.notOurs([]), ...(isMissing && { missing: true }) };
  },
};

/** The label of the version goes last: as long as it has one, a removal that is tried again begins anew. */
async function giveBack(context: Context, { arn, versions }: Secret, from: string): Promise<void> {
  const { secrets } = context.aws;
  const before = versions[CURRENT] === from ? versions[PREVIOUS] : versions[CURRENT];
  if (before === undefined) return;
  if (versions[CURRENT] === from) await secrets.returnTo({ arn, versionId: before, from });
  const password = await secrets.readSecret(arn, before);
  await context.tenantDatabases.changePassword(keyOf(context), password, context.guard);
  await secrets.forgetPrevious({ arn, versionId: from });
}

/** One for each operation, however often its step is tried: an undo finds it without having had an answer. */
function versionOf({ operation, stepId }: Context): string {
  return requestToken(operation.id, stepId, 0, 'password');
}

/** @throws StepError CONFLICT_RETRYABLE when it is not there (yet) */
async function ownSecret(context: Context): Promise<Secret> {
  const found = await findOwnSecret(context, nameOf(context));
  if (found) return found;
  throw new StepError('CONFLICT_RETRYABLE', `secret "${nameOf(context)}" of this tenant is not there (yet)`);
}

function nameOf(context: Context): string {
  return secretOf(context, context.spec.schemaStep);
}

function keyOf({ spec: { database }, tenant, installationId, operation, stepId }: Context): SchemaKey {
  return {
    database,
    name: schemaName(tenant.id),
    ownership: { installationId, tenantId: tenant.id, product: tenant.product, operationId: operation.id, stepId },
  };
}
