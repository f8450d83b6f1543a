import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, type TranslateConfig } from '@aws-sdk/lib-dynamodb';
import { assertAccountId } from './account-id.ts';
import type { AccountLocation } from './account-parameters.ts';
import { AccountParametersError, AccountSessionError } from './errors.ts';
import { accountSessionPolicy } from './session-policy.ts';

/** A client for each account. */
export interface AccountClients {
  /** @throws AccountParametersError */
  clientOf(location: AccountLocation): DynamoDBDocumentClient;
}

export interface AccountSessions extends AccountClients {
  /** Closes the connections of all clients. */
  destroy(): void;
}

/** What STS is asked; the SDK's `AssumeRoleCommand` takes it. */
export interface AssumeRoleInput {
  readonly RoleArn: string;
  /** `account-{accountId}`: CloudTrail shows it. */
  readonly RoleSessionName: string;
  /** JSON, below the 2,048 characters that STS takes. */
  readonly Policy: string;
  readonly DurationSeconds: number;
}

/** What STS answers. */
export interface AssumeRoleOutput {
  readonly Credentials?:
    | {
        readonly AccessKeyId?: string | undefined;
        readonly SecretAccessKey?: string | undefined;
        readonly SessionToken?: string | undefined;
        readonly Expiration?: Date | undefined;
      }
    | undefined;
}

export interface AccountSessionsOptions {
  /** `(input) => sts.send(new AssumeRoleCommand(input))`. */
  readonly assumeRole: (input: AssumeRoleInput) => Promise<AssumeRoleOutput>;
  /** A role that may do at least what the session's policy allows. */
  readonly roleArn: string;
  /** Region, endpoint and the like. */
  readonly client?: Omit<DynamoDBClientConfig, 'credentials'> | undefined;
  readonly translate?: TranslateConfig | undefined;
  /** Of a session: 900 (the default) to 43,200, as the role allows; it is renewed when a call needs it. */
  readonly durationSeconds?: number | undefined;
  readonly kmsKeyArn?: string | undefined;
  /** Clients that are kept at most: 1,000. */
  readonly mostClients?: number | undefined;
}

/** Clients whose credentials reach one account's rows each, held by IAM (`dynamodb:LeadingKeys`): a wall beside the router's own. */
export function createAccountSessions(options: AccountSessionsOptions): AccountSessions {
  const { client: config = {}, translate, mostClients = 1_000 } = options;
  const clients = new Map<string, DynamoDBDocumentClient>();
  // One handler for all, so that they share connections, and one that is dropped closes nothing that is in use.
  const base = new DynamoDBClient(config);
  return {
    clientOf(location) {
      const id = `${location.accountId} ${location.tableArn} ${location.isFence === true}`;
      const known = clients.get(id);
      if (known) return known;
      const credentials = credentialsOf(options, location);
      const client = new DynamoDBClient({ ...config, credentials, requestHandler: base.config.requestHandler });
      const made = DynamoDBDocumentClient.from(client, translate);
      clients.set(id, made);
      for (const oldest of clients.keys()) if (clients.size > mostClients && oldest !== id) clients.delete(oldest);
      return made;
    },
    destroy: () => base.destroy(),
  };
}

/** The SDK asks it when it has no credentials that are still good. */
function credentialsOf(
  { assumeRole, roleArn, durationSeconds = 900, kmsKeyArn }: AccountSessionsOptions,
  location: AccountLocation,
) {
  const { accountId, tableName, tableArn, isFence } = location;
  assertAccountId(accountId);
  if (!tableArn?.endsWith(`:table/${tableName}`))
    throw new AccountParametersError(`no parameter names the ARN of ${tableName}, the table of account ${accountId}`);
  const input: AssumeRoleInput = {
    RoleArn: roleArn,
    RoleSessionName: `account-${accountId}`,
    Policy: JSON.stringify(accountSessionPolicy({ accountId, tableArn, kmsKeyArn, isFence })),
    DurationSeconds: durationSeconds,
  };
  return async () => {
    const { Credentials: given } = await assumeRole(input).catch((cause: unknown) => {
      throw new AccountSessionError(`STS gave no session for account ${accountId}`, { cause });
    });
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken)
      throw new AccountSessionError(`STS answered without credentials for account ${accountId}`);
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = given;
    return { accessKeyId, secretAccessKey, sessionToken, ...(given.Expiration && { expiration: given.Expiration }) };
  };
}
