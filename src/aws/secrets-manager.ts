import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  RestoreSecretCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
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
  /** The value. @throws StepError CONFLICT_RETRYABLE when there is none (yet) or it is in its recovery window */
  readSecret(nameOrArn: string): Promise<string>;
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
      };
    } catch (error) {
      if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
      throw error;
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

    async readSecret(nameOrArn) {
      try {
        const answer = await client.send(new GetSecretValueCommand({ SecretId: nameOrArn }));
        return sent(answer.SecretString, { service, action: 'GetSecretValue' }, 'SecretString');
      } catch (error) {
        if (!isAwsError(error, 'ResourceNotFoundException', 'InvalidRequestException')) throw error;
        throw new StepError('CONFLICT_RETRYABLE', `secret ${nameOrArn} cannot be read (yet)`, { cause: error });
      }
    },

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

async function adopt(client: SecretsManagerClient, found: Secret, tags: Tags): Promise<string> {
  if (!isOwnedBy(found.tags, ownerOf(tags))) {
    throw new StepError('OWNERSHIP_CONFLICT', `secret "${found.name}" is somebody else's`, {
      detail: `${found.arn}: ${describeHolder(found.tags)}`,
    });
  }
  if (found.deletionDate) await client.send(new RestoreSecretCommand({ SecretId: found.arn }));
  return found.arn;
}
