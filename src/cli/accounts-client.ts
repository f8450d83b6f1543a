import { z } from 'zod';
import { acceptedAccountAnswer, accountAnswer, accountsAnswer, accountStatusAnswer } from '../api/accounts/schemas.ts';
import { previewAnswer } from '../api/schemas.ts';
import { callerOn, queryOf, type DeleteOptions, type Preview } from './api-client.ts';
import type { CredentialSource } from './credentials.ts';
import { open, type Open } from './open-answers.ts';

export type Account = Open<z.infer<typeof accountAnswer>>;
export type AcceptedAccount = Open<z.infer<typeof acceptedAccountAnswer>>;
export type AccountPage = Open<z.infer<typeof accountsAnswer>>;
export type AccountStatus = Open<z.infer<typeof accountStatusAnswer>>;

/** Fields of a request for an account, as they were given: the API says what is wrong with them. */
export type AccountRequest = Readonly<Record<string, unknown>>;

export interface AccountListRequest {
  readonly cloudType?: string | undefined;
  readonly provisioningStatus?: string | undefined;
  readonly includeGone?: 'true' | undefined;
  readonly limit?: string | undefined;
  readonly cursor?: string | undefined;
}

/** The routes of accounts, typed; every answer is checked. */
export interface AccountsClient {
  /** Answers as soon as it is accepted. */
  create(request: AccountRequest): Promise<AcceptedAccount>;
  previewCreation(request: AccountRequest): Promise<Preview>;
  list(request: AccountListRequest): Promise<AccountPage>;
  get(id: string): Promise<Account>;
  status(id: string): Promise<AccountStatus>;
  /** @param confirm the account's id, typed back */
  delete(id: string, confirm: string | undefined, options?: DeleteOptions): Promise<AcceptedAccount | Account>;
  previewDeletion(id: string, options?: DeleteOptions): Promise<Preview>;
}

const answers = {
  accepted: open(acceptedAccountAnswer),
  account: open(accountAnswer),
  accounts: open(accountsAnswer),
  status: open(accountStatusAnswer),
  preview: open(previewAnswer),
};

/** As `createApiClient`. */
export function createAccountsClient(baseUrl: string, credentials?: CredentialSource): AccountsClient {
  const call = callerOn(baseUrl, credentials);
  const account = (id: string) => `/accounts/${encodeURIComponent(id)}`;
  return {
    create: (body) => call(answers.accepted, 'POST', '/accounts?wait=false', body),
    previewCreation: (body) => call(answers.preview, 'POST', '/accounts?dryRun=true', body),
    list: (query) => call(answers.accounts, 'GET', `/accounts${queryOf({ ...query })}`),
    get: (id) => call(answers.account, 'GET', account(id)),
    status: (id) => call(answers.status, 'GET', `${account(id)}/status`),
    delete: (id, confirm, options) =>
      call(z.union([answers.accepted, answers.account]), 'DELETE', `${account(id)}${queryOf({ confirm, ...options })}`),
    previewDeletion: (id, options) =>
      call(answers.preview, 'DELETE', `${account(id)}${queryOf({ dryRun: 'true', ...options })}`),
  };
}
