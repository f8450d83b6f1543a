import { randomBytes } from 'node:crypto';
import { PREVIOUS } from '../../aws/secret-versions.ts';
import type { Secret } from '../../aws/secrets-manager.ts';
import { describeHolder, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { Residue } from '../../contracts/messages.ts';
import { ownerIn, requestToken, secretName } from '../../naming.ts';
import type { ExpectedResidue, StepContext } from '../framework/kind.ts';
import type { NotOurs } from '../framework/ownership.ts';

type Context = Pick<StepContext, 'aws' | 'installationId' | 'tags' | 'tenant' | 'token'>;

const recoveryDays = 7;

const recoveryReason = `Secrets Manager keeps a deleted secret for its recovery window of ${recoveryDays} days`;

/** What {@link removeSecret} leaves. */
export const deletedSecret: ExpectedResidue = {
  type: 'secretsmanager:secret',
  reason: recoveryReason,
  days: recoveryDays,
};

/** The secret of the step that makes it. */
export function secretOf(
  { installationId, tenant }: Pick<Context, 'installationId' | 'tenant'>,
  stepId: string,
): string {
  return secretName(installationId, tenant.id, stepId);
}

export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** Random, and stored before it is used; of a secret that is there (restored, if need be) the password is used again. */
export async function ensurePassword(context: Context, name: string): Promise<{ arn: string; password: string }> {
  const { secrets } = context.aws;
  const value = newPassword();
  const { arn, created } = await secrets.ensureSecret({
    name,
    value,
    tags: context.tags,
    token: context.token('secret'),
  });
  return { arn, password: created ? value : await secrets.readSecret(arn) };
}

/**
 * The same of a login, whose password nobody may have had before: the secret of another operation keeps its name and its value when it
 * is restored from its recovery window, so one whose login was never applied gets another value.
 */
export async function ensureNewPassword(
  context: Pick<StepContext, 'applied' | 'operation' | 'stepId'> & Context,
  name: string,
): Promise<{ arn: string; password: string }> {
  const { applied, aws, operation, stepId } = context;
  const { arn, password } = await ensurePassword(context, name);
  const found = await aws.secrets.findSecret(arn);
  if (applied !== undefined || !found || ownerIn(found.tags).operationId === operation.id) return { arn, password };
  // One for each operation, however often its step is tried.
  const token = requestToken(operation.id, stepId, 0, 'password');
  const fresh = await aws.secrets.addVersion({ arn, value: newPassword(), token });
  const before = (await aws.secrets.findSecret(arn))?.versions[PREVIOUS];
  if (before !== undefined && before !== token) await aws.secrets.forgetPrevious({ arn, versionId: before });
  return { arn, password: fresh };
}

/** Undefined where it is in its recovery window: that is a residue. */
export async function findOwnSecret(context: Context, name: string): Promise<Secret | undefined> {
  const found = await context.aws.secrets.findSecret(name);
  const isOwn = found?.deletionDate === undefined && found?.tags['tenantry:tenant-id'] === context.tenant.id;
  return isOwn ? found : undefined;
}

export async function foreignSecret(context: Context, name: string): Promise<NotOurs[]> {
  const found = await context.aws.secrets.findSecret(name);
  if (!found || found.deletionDate !== undefined || isOwnedBy(found.tags, ownerOf(context.tags))) return [];
  const { arn: physicalId } = found;
  return [{ type: 'secretsmanager:secret', name: found.name, physicalId, mark: describeHolder(found.tags) }];
}

/** Starts its recovery window; undefined when there is none of this tenant. */
export async function removeSecret({ aws, tags }: Context, name: string): Promise<Residue | undefined> {
  const scheduled = await aws.secrets.scheduleDeletion(name, { recoveryDays, tags });
  if (!scheduled) return undefined;
  return {
    type: 'secretsmanager:secret',
    name,
    reason: recoveryReason,
    expiresAt: scheduled.deletionDate.toISOString(),
  };
}
