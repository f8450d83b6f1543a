import { GetParametersCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { assertAccountId } from './account-id.ts';
import { AccountLookupError, AccountNotActiveError, AccountNotFoundError, AccountParametersError } from './errors.ts';

/** Where an account's rows are. */
export interface AccountLocation {
  readonly accountId: string;
  readonly cloudType: 'public' | 'private';
  readonly tableName: string;
  /** Undefined when no parameter names it. */
  readonly tableArn: string | undefined;
}

export interface SharedTable {
  readonly tableName: string;
}

const sharedName = '/platform/dynamodb/shared-table-name';
const sharedArn = '/platform/dynamodb/shared-table-arn';
const tableNames = /^[a-zA-Z0-9_.-]{3,255}$/;
const statuses = ['pending', 'creating', 'active', 'failed', 'deleting'];

/**
 * Reads where an account's rows are, with one call.
 * @throws AccountNotFoundError, AccountNotActiveError, AccountParametersError, AccountLookupError
 */
export async function readAccountLocation(
  ssm: SSMClient,
  accountId: string,
  timeoutMs: number,
): Promise<AccountLocation> {
  assertAccountId(accountId);
  const at = (name: string) => `/accounts/${accountId}/${name}`;
  const names = ['cloud-type', 'provisioning-status', 'dynamodb/table-name', 'dynamodb/table-arn'].map(at);
  const found = await readParameters(ssm, [...names, sharedName, sharedArn], timeoutMs, `account ${accountId}`);
  if (!names.some((name) => found.has(name))) throw new AccountNotFoundError(accountId);
  assertActive(accountId, needed(found, at('provisioning-status')));
  const cloudType = needed(found, at('cloud-type'));
  const own = { tableName: found.get(at('dynamodb/table-name')), tableArn: found.get(at('dynamodb/table-arn')) };
  if (cloudType === 'public') return { accountId, cloudType, ...sharedFor(accountId, found, own.tableName) };
  if (cloudType !== 'private') throw new AccountParametersError(`${at('cloud-type')} is neither public nor private`);
  if (own.tableName !== undefined && own.tableName === found.get(sharedName))
    throw new AccountParametersError(
      `account ${accountId} is private, and ${at('dynamodb/table-name')} names the shared table`,
    );
  const tableName = tableNameOf(at('dynamodb/table-name'), needed(found, at('dynamodb/table-name')));
  return { accountId, cloudType, tableName, tableArn: own.tableArn };
}

/** @throws AccountParametersError, AccountLookupError */
export async function readSharedTable(ssm: SSMClient, timeoutMs: number): Promise<SharedTable> {
  const found = await readParameters(ssm, [sharedName], timeoutMs, 'the shared table');
  return { tableName: tableNameOf(sharedName, needed(found, sharedName)) };
}

/** While an account moves, the parameters may name two tables: then neither is certain. */
function sharedFor(accountId: string, found: ReadonlyMap<string, string>, own: string | undefined) {
  const tableName = tableNameOf(sharedName, needed(found, sharedName));
  if (own !== undefined && own !== tableName)
    throw new AccountParametersError(
      `account ${accountId} is public, and its parameters name another table than the shared one`,
    );
  return { tableName, tableArn: found.get(sharedArn) };
}

function assertActive(accountId: string, status: string): void {
  if (!statuses.includes(status))
    throw new AccountParametersError(`account ${accountId} has a status that is none: ${status}`);
  if (status !== 'active') throw new AccountNotActiveError(accountId, status);
}

function needed(found: ReadonlyMap<string, string>, name: string): string {
  const value = found.get(name);
  if (value === undefined) throw new AccountParametersError(`SSM holds no parameter ${name}`);
  return value;
}

/** DynamoDB takes ARNs for names, of tables of other AWS accounts too. */
function tableNameOf(parameter: string, value: string): string {
  if (!tableNames.test(value)) throw new AccountParametersError(`${parameter} holds no name of a table`);
  return value;
}

async function readParameters(ssm: SSMClient, Names: string[], timeoutMs: number, what: string) {
  try {
    const abortSignal = AbortSignal.timeout(timeoutMs);
    const { Parameters = [] } = await ssm.send(new GetParametersCommand({ Names }), { abortSignal });
    return new Map(
      Parameters.flatMap(({ Name, Value }) => (Name === undefined || Value === undefined ? [] : [[Name, Value]])),
    );
  } catch (cause) {
    throw new AccountLookupError(`SSM did not answer where ${what} is`, { cause });
  }
}
