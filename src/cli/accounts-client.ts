import { z } from 'zod';
import {
  acceptedAccountAnswer,
  accountAnswer,
  accountsAnswer,
  accountStatusAnswer,
  changedAccountAnswer,
} from '../api/accounts/schemas.ts';
import { previewAnswer } from '../api/schemas/previews.ts';
import {
  certificateDocument,
  callerOn,
  queryOf,
  type CertificateDocument,
  type ControlVerb,
  type DeleteOptions,
  type Preview,
} from './api-client.ts';
import type { CredentialSource } from './credentials.ts';
import { open, type Open } from './open-answers.ts';

export type Account = Open<z.infer<typeof accountAnswer>>;
export type AcceptedAccount = Open<z.infer<typeof acceptedAccountAnswer>>;
export type ChangedAccount = Open<z.infer<typeof changedAccountAnswer>>;
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

export interface MoveRequest {
  readonly reason?: string | undefined;
}

/** The routes of accounts, typed; every answer is checked. */
export interface AccountsClient {
  /** Answers as soon as it is accepted. @param key under which it is carried out once, whoever sends it again */
  create(request: AccountRequest, key?: string): Promise<AcceptedAccount>;
  previewCreation(request: AccountRequest): Promise<Preview>;
  list(request: AccountListRequest): Promise<AccountPage>;
  get(id: string): Promise<Account>;
  status(id: string): Promise<AccountStatus>;
  /** @param patch a merge patch (RFC 7396) */
  change(id: string, patch: AccountRequest): Promise<AcceptedAccount | ChangedAccount>;
  previewChange(id: string, patch: AccountRequest): Promise<Preview>;
  /** To a table of its own. */
  move(id: string, request: MoveRequest): Promise<AcceptedAccount | ChangedAccount>;
  previewMove(id: string, request: MoveRequest): Promise<Preview>;
  /** Of the open operation. */
  control(id: string, verb: ControlVerb): Promise<AcceptedAccount>;
  previewControl(id: string, verb: ControlVerb): Promise<Preview>;
  /** @param confirm the account's id, typed back */
  delete(id: string, confirm: string | undefined, options?: DeleteOptions): Promise<AcceptedAccount | ChangedAccount>;
  previewDeletion(id: string, options?: DeleteOptions): Promise<Preview>;
  certificate(id: string): Promise<CertificateDocument>;
}

const answers = {
  accepted: open(acceptedAccountAnswer),
  account: open(accountAnswer),
  accounts: open(accountsAnswer),
  status: open(accountStatusAnswer),
  changed: open(changedAccountAnswer),
  preview: open(previewAnswer),
};

/** An account: nothing had to be carried out. */
const acceptedOrChanged = z.union([answers.accepted, answers.changed]);

/** As `createApiClient`. */
export function createAccountsClient(baseUrl: string, credentials?: CredentialSource): AccountsClient {
  const call = callerOn(baseUrl, credentials);
  const account = (id: string) => `/accounts/${encodeURIComponent(id)}`;
  return {
    create: (body, key) => call(answers.accepted, 'POST', '/accounts?wait=false', body, { key }),
    previewCreation: (body) => call(answers.preview, 'POST', '/accounts?dryRun=true', body),
    list: (query) => call(answers.accounts, 'GET', `/accounts${queryOf({ ...query })}`),
    get: (id) => call(answers.account, 'GET', account(id)),
    status: (id) => call(answers.status, 'GET', `${account(id)}/status`),
    change: (id, patch) => call(acceptedOrChanged, 'PATCH', account(id), patch),
    previewChange: (id, patch) => call(answers.preview, 'PATCH', `${account(id)}?dryRun=true`, patch),
    move: (id, body) => call(acceptedOrChanged, 'POST', `${account(id)}/move`, body),
    previewMove: (id, body) => call(answers.preview, 'POST', `${account(id)}/move?dryRun=true`, body),
    control: (id, verb) => call(answers.accepted, 'POST', `${account(id)}/${verb}`),
    previewControl: (id, verb) => call(answers.preview, 'POST', `${account(id)}/${verb}?dryRun=true`),
    delete: (id, confirm, options) =>
      call(acceptedOrChanged, 'DELETE', `${account(id)}${queryOf({ confirm, ...options })}`),
    previewDeletion: (id, options) =>
      call(answers.preview, 'DELETE', `${account(id)}${queryOf({ dryRun: 'true', ...options })}`),
    certificate: (id) => call(certificateDocument, 'GET', `${account(id)}/certificate`),
  };
}
