import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  UpdateSecretVersionStageCommand,
  type SecretsManagerClient,
  type UpdateSecretVersionStageRequest,
} from '@aws-sdk/client-secrets-manager';
import { CURRENT, PREVIOUS } from './secret-versions.ts';
import { StepError } from '../contracts/step-error.ts';
import { isAwsError, sent } from './errors.ts';
import { describeHolder, isOwnedBy, keyValueList, ownerOf, tagsOf, type Tags } from './tags.ts';

const service = 'secretsmanager';

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly tags: Tags;
  /** Present while it is in its recovery window: when that ends (API reference of DescribeSecret, `DeletedDate`). */
  readonly deletionDate: Date | undefined;
  /** Ids of its versions with a staging label, by label: `AWSCURRENT` and `AWSPREVIOUS` are two. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Secrets {
  /** What is known of a secret but its value; undefined when there is none. */
  findSecret(nameOrArn: string): Promise<Secret | undefined>;
  /**
   * Makes the secret, or adopts the tenant's own (its value is kept; one in its recovery window is restored first).
   * @throws StepError OWNERSHIP_CONFLICT when somebody else's has the name
   */
  ensureSecret(request: {
    readonly name: string;
    readonly value: string;
    readonly tags: Tags;
    /** Idempotency token, 32 to 64 characters. */
    readonly token: string;
  }): Promise<{ readonly arn: string; readonly created: boolean }>;
  /**
   * The value: the current one, or that of a version.
   * @throws StepError CONFLICT_RETRYABLE when there is none (yet) or it is in its recovery window
   */
  readSecret(nameOrArn: string, versionId?: string): Promise<string>;
  /**
   * Makes another value the current one. Safe to repeat with the same token, which becomes the id of the version: the value that came
   * first stays.
   * @returns the value that the version has
   * @throws StepError CONFLICT_RETRYABLE when the secret is in its recovery window (still)
   */
  addVersion(request: { readonly arn: string; readonly value: string; readonly token: string }): Promise<string>;
  /** Makes a version the current one again; `from` is the one before then. @throws StepError CONFLICT_RETRYABLE when it is not current */
  returnTo(request: { readonly arn: string; readonly versionId: string; readonly from: string }): Promise<void>;
  /** Takes the label `AWSPREVIOUS` from a version: Secrets Manager deletes one without any. */
  forgetPrevious(request: { readonly arn: string; readonly versionId: string }): Promise<void>;
  /**
   * Starts the recovery window of a secret whose tags name the same owner as `tags`; one that is in it already is left
   * as it is. Undefined when there is none of this owner: a missing one is done, a foreign one is left alone.
   */
  scheduleDeletion(
    nameOrArn: string,
    options: { readonly recoveryDays: number; readonly tags: Tags },
  ): Promise<{ readonly arn: string; readonly deletionDate: Date } | undefined>;
}

export function createSecrets(client: SecretsManagerClient): Secrets {
  const findSecret: Secrets['findSecret'] = async (nameOrArn) => {
    try {
      const answer = await client.send(new DescribeSecretCommand({ SecretId: nameOrArn }));
      const call = { service, action: 'DescribeSecret' };
      return {
        arn: sent(answer.ARN, call, 'ARN'),
        name: sent(answer.Name, call, 'Name'),
        tags: tagsOf(answer.Tags),
        deletionDate: answer.DeletedDate,
        versions: byLabel(answer.VersionIdsToStages),
      };
    } catch (error) {
      if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  };

  const readSecret: Secrets['readSecret'] = async (nameOrArn, versionId) => {
    try {
      const which = versionId === undefined ? {} : { VersionId: versionId };
      const answer = await client.send(new GetSecretValueCommand({ SecretId: nameOrArn, ...which }));
      return sent(answer.SecretString, { service, action: 'GetSecretValue' }, 'SecretString');
    } catch (error) {
      if (!isAwsError(error, 'ResourceNotFoundException', 'InvalidRequestException')) throw error;
      throw new StepError('CONFLICT_RETRYABLE', `secret ${nameOrArn} cannot be read (yet)`, { cause: error });
    }
  };

  return {
    findSecret,

    async ensureSecret({ name, value, tags, token }) {
      const found = await findSecret(name);
      if (found) return { arn: await adopt(client, found, tags), created: false };
      const answer = await client.send(
        new CreateSecretCommand({
          Name: name,
          SecretString: value,
          ClientRequestToken: token,
          Tags: keyValueList(tags),
        }),
      );
      return { arn: sent(answer.ARN, { service, action: 'CreateSecret' }, 'ARN'), created: true };
    },

    readSecret,

    async addVersion({ arn, value, token }) {
      try {
        await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: value, ClientRequestToken: token }));
        return value;
      } catch (error) {
        // An attempt before this one stored another value under the token, and it counts.
        if (isAwsError(error, 'ResourceExistsException')) return readSecret(arn, token);
        if (!isAwsError(error, 'InvalidRequestException')) throw error;
        throw new StepError('CONFLICT_RETRYABLE', `secret ${arn} takes no new version (yet)`, { cause: error });
      }
    },

    returnTo: ({ arn, versionId, from }) =>
      moveLabel(client, arn, { VersionStage: CURRENT, MoveToVersionId: versionId, RemoveFromVersionId: from }),

    forgetPrevious: ({ arn, versionId }) =>
      moveLabel(client, arn, { VersionStage: PREVIOUS, RemoveFromVersionId: versionId }),

    async scheduleDeletion(nameOrArn, { recoveryDays, tags }) {
      const found = await findSecret(nameOrArn);
      if (!found || !isOwnedBy(found.tags, ownerOf(tags))) return undefined;
      if (found.deletionDate) return { arn: found.arn, deletionDate: found.deletionDate };
      try {
        const answer = await client.send(
          new DeleteSecretCommand({ SecretId: found.arn, RecoveryWindowInDays: recoveryDays }),
        );
        const call = { service, action: 'DeleteSecret' };
        return { arn: found.arn, deletionDate: sent(answer.DeletionDate, call, 'DeletionDate') };
      } catch (error) {
        if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    },
  };
}

async function moveLabel(
  client: SecretsManagerClient,
  arn: string,
  move: Omit<UpdateSecretVersionStageRequest, 'SecretId'>,
): Promise<void> {
  try {
    await client.send(new UpdateSecretVersionStageCommand({ SecretId: arn, ...move }));
  } catch (error) {
    // The look before may be older than an earlier attempt: the next look tells.
    if (!isAwsError(error, 'InvalidParameterException', 'ResourceNotFoundException')) throw error;
    throw new StepError('CONFLICT_RETRYABLE', `the versions of secret ${arn} are not as they were seen`, {
      cause: error,
    });
  }
}

function byLabel(stages: Readonly<Record<string, string[]>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stages).flatMap(([id, labels]) => labels.map((label): [string, string] => [label, id])),
  );
}

async function adopt(client: SecretsManagerClient, found: Secret, tags: Tags): Promise<string> {
  if (!isOwnedBy(found.tags, ownerOf(tags))) {
    throw new StepError('OWNERSHIP_CONFLICT', `secret "${found.name}" is somebody else's`, {
      detail: `${found.arn}: ${describeHolder(found.tags)}`,
    });
  }
  if (found.deletionDate) await client.send(new RestoreSecretCommand({ SecretId: found.arn }));
  return found.arn;
}
