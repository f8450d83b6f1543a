import { GetParametersCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { assertAccountId } from './account-id.ts';
import {
  AccountCreatingError,
  AccountLookupError,
  AccountNotActiveError,
  AccountNotFoundError,
  AccountParametersError,
} from './errors.ts';
import { leaseParameterName, leaseTimes, moveParameterName, parseLeaseSeconds, type LeaseTimes } from './fence.ts';

/** Where an account's rows are. */
export interface AccountLocation {
  readonly accountId: string;
  readonly cloudType: 'public' | 'private';
  readonly tableName: string;
  /** Undefined when no parameter names it. */
  readonly tableArn: string | undefined;
  /** Not its rows, but the item in that table (`ACCOUNT#{id}#FENCE`) by which routers keep to a move of the account. */
  readonly isFence?: boolean | undefined;
}

/** What SSM says of an account. */
export interface AccountParameters {
  /** The shared table while the account is being moved. */
  readonly location: AccountLocation;
  /** The fence item in the shared table says which table counts. */
  readonly isMoving: boolean;
  readonly lease: LeaseTimes;
}

export interface SharedTable {
  readonly tableName: string;
}

const sharedName = '/platform/dynamodb/shared-table-name';
const sharedArn = '/platform/dynamodb/shared-table-arn';
const tableNames = /^[a-zA-Z0-9_.-]{3,255}$/;
const beingMade = ['pending', 'creating'];
const statuses = [...beingMade, 'active', 'failed', 'deleting'];

/**
 * Reads where an account's rows are, with one call.
 * @throws AccountNotFoundError, AccountNotActiveError, AccountParametersError, AccountLookupError
 */
export async function readAccountParameters(
  ssm: SSMClient,
  accountId: string,
  timeoutMs: number,
): Promise<AccountParameters> {
  assertAccountId(accountId);
  const names = ['cloud-type', 'provisioning-status', 'dynamodb/table-name', 'dynamodb/table-arn'].map((name) =>
    nameOf(accountId, name),
  );
  const platform = [sharedName, sharedArn, leaseParameterName];
  const asked = [...names, moveParameterName(accountId), ...platform];
  const found = await readParameters(ssm, asked, timeoutMs, `account ${accountId}`);
  if (!names.some((name) => found.has(name))) throw new AccountNotFoundError(accountId);
  assertActive(accountId, needed(found, nameOf(accountId, 'provisioning-status')));
  const lease = leaseTimes(parseLeaseSeconds(found.get(leaseParameterName)));
  // The others change while it is there, one after the other.
  const isMoving = found.has(moveParameterName(accountId));
  const location = isMoving
    ? ({ accountId, cloudType: 'public', ...sharedTable(found) } as const)
    : locationOf(accountId, found);
  return { location, isMoving, lease };
}

const nameOf = (accountId: string, name: string) => `/accounts/${accountId}/${name}`;

function locationOf(accountId: string, found: ReadonlyMap<string, string>): AccountLocation {
  const cloudType = needed(found, nameOf(accountId, 'cloud-type'));
  const nameParameter = nameOf(accountId, 'dynamodb/table-name');
  const named = found.get(nameParameter);
  if (cloudType === 'public') return { accountId, cloudType, ...sharedFor(accountId, found, named) };
  if (cloudType !== 'private')
    throw new AccountParametersError(`${nameOf(accountId, 'cloud-type')} is neither public nor private`);
  if (named !== undefined && named === found.get(sharedName))
    throw new AccountParametersError(`account ${accountId} is private, and ${nameParameter} names the shared table`);
  const tableName = tableNameOf(nameParameter, needed(found, nameParameter));
  return { accountId, cloudType, tableName, tableArn: found.get(nameOf(accountId, 'dynamodb/table-arn')) };
}

/** @throws AccountParametersError, AccountLookupError */
export async function readSharedTable(ssm: SSMClient, timeoutMs: number): Promise<SharedTable> {
  const found = await readParameters(ssm, [sharedName], timeoutMs, 'the shared table');
  return { tableName: tableNameOf(sharedName, needed(found, sharedName)) };
}

/** Where the parameters name two tables, neither is certain. */
function sharedFor(accountId: string, found: ReadonlyMap<string, string>, own: string | undefined) {
  const shared = sharedTable(found);
  if (own !== undefined && own !== shared.tableName)
    throw new AccountParametersError(
      `account ${accountId} is public, and its parameters name another table than the shared one`,
    );
  return shared;
}

function sharedTable(found: ReadonlyMap<string, string>) {
  return { tableName: tableNameOf(sharedName, needed(found, sharedName)), tableArn: found.get(sharedArn) };
}

function assertActive(accountId: string, status: string): void {
  if (!statuses.includes(status))
    throw new AccountParametersError(`account ${accountId} has a status that is none: ${status}`);
  if (beingMade.includes(status)) throw new AccountCreatingError(accountId, status);
  if (status !== 'active') throw new AccountNotActiveError(accountId, status);
}

function needed(found: ReadonlyMap<string, string>, name: string): string {
  const value = found.get(name);
  if (value === undefined) throw new AccountParametersError(`SSM holds no parameter ${name}`);
  return value;
}

export function isTableName(value: string): boolean {
  return tableNames.test(value);
}

/** DynamoDB takes ARNs for names, of tables of other AWS accounts too. */
function tableNameOf(parameter: string, value: string): string {
  if (!isTableName(value)) throw new AccountParametersError(`${parameter} holds no name of a table`);
  return value;
}

async function readParameters(ssm: SSMClient, Names: string[], timeoutMs: number, what: string) {
  try {
    const abortSignal = AbortSignal.timeout(timeoutMs);
    const { Parameters, InvalidParameters } = await ssm.send(new GetParametersCommand({ Names }), { abortSignal });
    // Each name is in one of the two: an answer without either was cut off.
    if (!Parameters && !InvalidParameters) throw new Error('the answer names no parameter');
    return new Map(
      (Parameters ?? []).flatMap(({ Name, Value }) =>
        Name === undefined || Value === undefined ? [] : [[Name, Value]],
      ),
    );
  } catch (cause) {
    throw new AccountLookupError(`SSM did not answer where ${what} is`, { cause });
  }
}
