import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { UpstreamClients } from '../upstream.ts';
import { resolveImage } from './task-definition.ts';
import type { ContainerDefinition, TaskDefinition } from './model.ts';

/** Why a task cannot start, in ECS's words; it becomes the task's `stoppedReason`. */
export class TaskStartError extends Error {
  override readonly name = 'TaskStartError';
}

/** Container name -> environment with its secrets filled in. */
export type Environments = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** What Fargate does before a container runs: image, secrets, log driver. @throws TaskStartError */
export async function prepareContainers(clients: UpstreamClients, definition: TaskDefinition): Promise<Environments> {
  const environments = new Map<string, Readonly<Record<string, string>>>();
  for (const container of definition.containers) {
    const secrets = await pullSecrets(clients, container);
    const image = resolveImage(container.image);
    if ('pullError' in image) throw new TaskStartError(image.pullError);
    if (container.logGroup) await requireLogGroup(clients, container.logGroup);
    environments.set(container.name, { ...container.environment, ...secrets });
  }
  return environments;
}

async function pullSecrets(clients: UpstreamClients, container: ContainerDefinition): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const secret of container.secrets) values[secret.name] = await pullSecret(clients, secret.valueFrom);
  return values;
}

/** `valueFrom` is `arn:aws:secretsmanager:region:account:secret:name-suffix[:json-key:version-stage:version-id]`. */
async function pullSecret(clients: UpstreamClients, valueFrom: string): Promise<string> {
  const parts = valueFrom.split(':');
  const secretId = parts.slice(0, 7).join(':');
  const jsonKey = parts[7];
  try {
    const { SecretString: value = '' } = await clients.secrets.send(new GetSecretValueCommand({ SecretId: secretId }));
    return jsonKey ? readKey(value, jsonKey) : value;
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new TaskStartError(
      'ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ' +
        'unable to retrieve secret from asm: service call has been retried 1 time(s): ' +
        `failed to fetch secret ${secretId} from secrets manager: ${reason}`,
      { cause },
    );
  }
}

function readKey(value: string, key: string): string {
  const parsed: unknown = JSON.parse(value);
  const found: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, key) : undefined;
  if (found === undefined) throw new Error(`retrieved secret did not contain json key ${key}`);
  return typeof found === 'string' ? found : JSON.stringify(found);
}

async function requireLogGroup(clients: UpstreamClients, group: string): Promise<void> {
  const answer = await clients.logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
  if (answer.logGroups?.some((g) => g.logGroupName === group)) return;
  throw new TaskStartError(
    'ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create ' +
      'Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.',
  );
}
