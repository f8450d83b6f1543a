import type { Accepted, CertificateDocument, ControlVerb, Preview, Status, TenantEvent } from './api-client.ts';
import type { Common, Context } from './context.ts';
import type { Acceptance } from './outcome.ts';
import { statusText } from './output.ts';
import { findTenantId } from './tenant-names.ts';

/** What the commands of a group are about: tenants, or the accounts that tenants of one product are. */
export interface Subject {
  readonly noun: 'tenant' | 'account';
  /** Name of the group of commands. */
  readonly group: 'tenants' | 'accounts';
  /** The API's words about a tenant, as they are said here. */
  readonly words: (text: string) => string;
  /** How the status of a tenant is said here. */
  readonly statusText: (status: string, outcome: Status['outcome']) => string;
  /** An event as people are told it; undefined: here it says nothing. */
  readonly event: (event: TenantEvent) => TenantEvent | undefined;
  /** How a type of operation is said here. */
  readonly operationText: (type: string) => string;
  /** @throws TenantNameError, ApiError when there is none of that name */
  readonly idOf: (context: Context, name: string, options: Common) => Promise<string>;
  /** Asks for a verb on the open operation. @throws ApiError */
  readonly control: (context: Context, id: string, verb: ControlVerb) => Promise<Acceptance>;
  readonly previewControl: (context: Context, id: string, verb: ControlVerb) => Promise<Preview>;
  readonly certificate: (context: Context, id: string) => Promise<CertificateDocument>;
  /** What `--json` prints of a request that was accepted. */
  readonly accepted: (accepted: Pick<Accepted, 'tenantId' | 'operationId'>) => Promise<unknown>;
  /** What `--json` prints once its operation has ended, or waits for a person. */
  readonly ended: (status: Status) => Promise<unknown>;
  /** What `--json` prints where nothing had to be done. */
  readonly unchanged: (tenant: { readonly tenantId: string }) => Promise<unknown>;
}

export const tenantSubject: Subject = {
  noun: 'tenant',
  group: 'tenants',
  words: (text) => text,
  statusText,
  event: (event) => event,
  operationText: (type) => type,
  idOf: findTenantId,
  control: ({ api }, id, verb) => api[verb](id),
  previewControl: ({ api }, id, verb) => api.previewControl(id, verb),
  certificate: ({ api }, id) => api.certificate(id),
  accepted: (accepted) => Promise.resolve(accepted),
  ended: (status) => Promise.resolve(status),
  unchanged: (tenant) => Promise.resolve(tenant),
};
