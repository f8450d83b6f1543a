import {
  DescribeSecretCommand,
  ListSecretsCommand,
  type SecretListEntry,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { isAwsError, sent } from '../errors.ts';
import { INSTALLATION_TAG, tagsOf } from '../tags.ts';
import { allPages, retryTransient } from './pages.ts';

/** Every secret that we make is named so. */
const PREFIX = 'tenantry/';

/** The list holds the tags: no further calls. Those in their recovery window are listed too, and go by themselves. */
export function secretList(client: SecretsManagerClient): TypeList {
  return {
    async list() {
      const named = await listSecrets(client, [{ Key: 'name', Values: [PREFIX] }]);
      const marked = await listSecrets(client, [{ Key: 'tag-key', Values: [INSTALLATION_TAG] }]);
      const all = new Map([...named, ...marked].map((secret) => [secret.ARN, secret]));
      return [...all.values()].filter(isOfInterest).map((secret) => toItem(secret, 'ListSecrets'));
    },
    async find({ physicalId }) {
      try {
        const {
          $metadata: _,
          DeletedDate,
          ...secret
        } = await retryTransient(() => client.send(new DescribeSecretCommand({ SecretId: physicalId })));
        return toItem({ ...secret, DeletedDate }, 'DescribeSecret');
      } catch (error) {
        if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    },
  };
}

function listSecrets(
  client: SecretsManagerClient,
  Filters: { Key: 'name' | 'tag-key'; Values: string[] }[],
): Promise<SecretListEntry[]> {
  return allPages(async (NextToken) => {
    const page = await client.send(
      new ListSecretsCommand({ Filters, NextToken, MaxResults: 100, IncludePlannedDeletion: true }),
    );
    return { items: sent(page.SecretList, { service, action: 'ListSecrets' }, 'SecretList'), next: page.NextToken };
  });
}

const service = 'secretsmanager';

/** Emulators filter by less than AWS does. */
function isOfInterest(raw: SecretListEntry): boolean {
  return raw.Name?.startsWith(PREFIX) === true || tagsOf(raw.Tags)[INSTALLATION_TAG] !== undefined;
}

function toItem(raw: SecretListEntry, action: string): SweptItem {
  const call = { service, action };
  const physicalId = sent(raw.ARN, call, 'ARN');
  const tags = tagsOf(raw.Tags);
  const deletedAt = raw.DeletedDate;
  return {
    type: 'secretsmanager:secret',
    physicalId,
    name: sent(raw.Name, call, 'Name'),
    tags,
    createdAt: raw.CreatedDate,
    passing: deletedAt && `in its recovery window since or until ${deletedAt.toISOString()}`,
    seen: { physicalId, tags, createdAt: raw.CreatedDate, changedAt: raw.LastChangedDate },
  };
}
