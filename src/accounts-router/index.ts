/**
 * `tenantry/accounts`: what companies' services import to reach the rows of their accounts. It needs DynamoDB's document client and the SSM
 * client, and nothing else of Tenantry.
 */
export { accountIndexKey, accountPartition } from './account-id.ts';
export type { AccountLocation } from './account-parameters.ts';
export { createAccountsAdmin, type AccountsAdmin, type AccountsAdminOptions } from './admin.ts';
export type { BatchRetry } from './batches.ts';
export type { CacheSettings } from './cache-settings.ts';
export {
  AccountCreatingError,
  AccountLookupError,
  AccountMovingError,
  AccountNotActiveError,
  AccountNotFoundError,
  AccountParametersError,
  AccountsError,
  AccountSessionError,
  BatchUnprocessedError,
  ControlPlaneRowError,
  ExpressionError,
  InputRefusedError,
  InvalidAccountIdError,
  OtherAccountError,
  TableNotFoundError,
  WriteOutcomeUnknownError,
  type AccountsErrorCode,
  type OutcomeUnknownReason,
} from './errors.ts';
export type {
  Attributes,
  BatchGetInput,
  BatchWriteInput,
  DeleteInput,
  GetInput,
  PutInput,
  QueryInput,
  ScanInput,
  TransactGetInput,
  TransactWriteInput,
  TransactWriteItem,
  UpdateInput,
  WriteRequest,
} from './guards/inputs.ts';
export type {
  BatchGetOutput,
  BatchWriteOutput,
  DeleteOutput,
  GetOutput,
  PutOutput,
  QueryOutput,
  ScanOutput,
  TransactGetOutput,
  UpdateOutput,
} from './outputs.ts';
export { createAccountsRouter, type AccountsRouter, type AccountsRouterOptions } from './router.ts';
export { accountSessionPolicy, type AccountPolicyOptions, type PolicyDocument } from './session-policy.ts';
export {
  createAccountSessions,
  type AccountClients,
  type AccountSessions,
  type AccountSessionsOptions,
  type AssumeRoleInput,
  type AssumeRoleOutput,
} from './sessions.ts';
export type { CallOptions } from './table.ts';
export { defaultTableKeys, type IndexKeys, type TableKeys } from './table-keys.ts';
