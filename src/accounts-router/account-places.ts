import type { SSMClient } from '@aws-sdk/client-ssm';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AccountCache } from './account-cache.ts';
import { AccountFence } from './account-fence.ts';
import { isTableName, readAccountParameters, type AccountLocation } from './account-parameters.ts';
import { cacheOptions, type CacheSettings } from './cache-settings.ts';
import { AccountParametersError } from './errors.ts';
import type { LeaseTimes } from './fence.ts';
import type { Instant } from './instant.ts';
import type { TableKeys } from './table-keys.ts';

/** Where an account's rows are, by an answer of SSM. */
export interface AccountPlace {
  /** The shared table while there is a fence. */
  readonly location: AccountLocation;
  readonly lease: LeaseTimes;
  readonly askedAt: Instant;
  /** While the account is being moved: says which table counts. */
  readonly fence: AccountFence | undefined;
}

export interface AccountPlacesOptions extends CacheSettings {
  readonly ssm: SSMClient;
  readonly clientOf: (location: AccountLocation) => DynamoDBDocumentClient;
  readonly keys: TableKeys;
}

/** Where accounts' rows are; no answer is used longer than half of the lease that it came with. */
export function createAccountPlaces({ ssm, clientOf, keys, ...settings }: AccountPlacesOptions) {
  const { ttlMs, lookupTimeoutMs, known } = cacheOptions(settings);
  return new AccountCache<AccountPlace>({
    ...known,
    ttlMs: ({ lease }) => Math.min(ttlMs, lease.useMs),
    async load(accountId, askedAt) {
      const { location, isMoving, lease } = await readAccountParameters(ssm, accountId, lookupTimeoutMs);
      if (!isMoving) return { location, lease, askedAt, fence: undefined };
      const client = clientOf({ ...location, isFence: true });
      const { tableName } = location;
      const fence = new AccountFence({ client, accountId, tableName, keys, timeoutMs: lookupTimeoutMs });
      return { location, lease, askedAt, fence };
    },
  });
}

/**
 * The table that an account was moved to, which is in the same account and region of AWS.
 * @throws AccountParametersError when the fence names no other table
 */
export function locationAfterMove(from: AccountLocation, tableName: string): AccountLocation {
  const { accountId, tableArn } = from;
  if (!isTableName(tableName) || tableName === from.tableName)
    throw new AccountParametersError(`the fence item of account ${accountId} names no table to move to`);
  return { accountId, cloudType: 'private', tableName, tableArn: tableArn?.replace(/[^/]*$/, tableName) };
}
