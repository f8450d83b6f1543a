import type { PayloadCodec } from '@temporalio/common';
import type { Logger } from 'pino';
import type { OnFailure, OpenOperationState } from '../contracts/operation-state.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Settings } from '../contracts/settings.ts';
import type { DriftFilter, HealthFilter, TenantSort } from '../contracts/tenant-list.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';
import type { Database } from '../db/database.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { UrlPolicy } from '../webhooks/url.ts';
import type { Orchestrator } from './orchestrator.ts';
import type { Conditional } from './precondition.ts';
import type { WorkerWatchTimes } from './worker-watch.ts';

export interface ClientDeps {
  readonly database: Database;
  readonly orchestrator: Orchestrator;
  readonly platform: Platform;
  readonly catalog: Catalog;
  /** How long a deletion waits before it removes anything, unless its request says otherwise, in ms; left out: not at all. */
  readonly deletionGraceMs?: number | undefined;
  /** Products that take no new tenants here, by name: the environment variable that switches that on. Left out: all do. */
  readonly switchedOff?: Readonly<Record<string, string>> | undefined;
  /** Encrypts the key that certificates are signed with, and the secrets of webhooks. Left out: none is made. */
  readonly codec?: PayloadCodec | undefined;
  /** Where webhooks may lead. Left out: to public addresses only. */
  readonly webhookPolicy?: UrlPolicy | undefined;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly workerWatchTimes?: WorkerWatchTimes | undefined;
}

export interface CreateTenantInput {
  readonly product: string;
  readonly tier?: string | undefined;
  /** Required, but where the product's tenants have their ids for slugs: there it is refused. */
  readonly slug?: string | undefined;
  /** Its id, a UUID that no tenant has. Default: any. */
  readonly tenantId?: string | undefined;
  readonly displayName: string;
  readonly contactEmail: string;
  readonly onFailure?: OnFailure | undefined;
  /** Id of the cell that the tenant must be in. Default: the first that serves the product and has room. */
  readonly cell?: string | undefined;
  /** What the product lets an operator choose; default: nothing is chosen. */
  readonly settings?: Settings | undefined;
}

export interface ChangeTenantInput extends Conditional {
  /** Changed at once, without an operation: no step is made of it. */
  readonly displayName?: string | undefined;
  readonly contactEmail?: string | undefined;
  /** Merged into what is desired (RFC 7396). */
  readonly settings?: Settings | undefined;
  /** Where the request has the settings, for what is said of them. Default: in `body.settings`. */
  readonly settingsAt?: readonly string[] | undefined;
  /** Templates, tenant migrations and the platform description are read anew, whether settings change or not. */
  readonly refresh?: boolean | undefined;
  /** Default: `rollback`. */
  readonly onFailure?: OnFailure | undefined;
}

export interface ScaleTenantInput extends Conditional {
  /** A component of the product; may be left out where it has one. */
  readonly service?: string | undefined;
  readonly count: number;
  /** Default: `rollback`. */
  readonly onFailure?: OnFailure | undefined;
}

export interface ChangeModeInput extends Conditional {
  /** Why, for the audit trail. */
  readonly reason?: string | undefined;
  /** Default: `rollback`. */
  readonly onFailure?: OnFailure | undefined;
}

export type RotateTenantInput = ChangeModeInput;

export interface MigrateTenantInput extends ChangeModeInput {
  /** The tier that it is to be in: one to which its product declares a change from the tier that it is in. */
  readonly tier: string;
}

export interface RepairTenantInput {
  /** Why, for the audit trail. */
  readonly reason?: string | undefined;
}

export interface IsolateTenantInput {
  /** Why, for the audit trail. */
  readonly reason: string;
}

export interface DeleteTenantInput extends Conditional {
  /** The tenant's slug, repeated; its id where the request names it by its slug, or its product gives its tenants their ids for slugs. */
  readonly confirm?: string | undefined;
  /** The request names it by its slug, which another tenant may have had. Default false. */
  readonly isNamedBySlug?: boolean | undefined;
  /** How long to wait before anything is removed, in ms; default: as the installation has it. */
  readonly graceMs?: number | undefined;
  /** The final dump may be handed out; without one the deletion is refused. */
  readonly exports?: boolean | undefined;
}

export interface FreezeInput {
  /** Default: any. One of the two is given. */
  readonly product?: string | undefined;
  readonly cell?: string | undefined;
  readonly reason: string;
}

export interface ListInput {
  readonly product?: string | undefined;
  readonly slug?: string | undefined;
  readonly tier?: string | undefined;
  /** Only tenants in one of these statuses. */
  readonly statuses?: readonly TenantStatus[] | undefined;
  /** Only tenants whose open operation is in this state. */
  readonly operation?: OpenOperationState | undefined;
  /** In its slug, display name or e-mail address, letter by letter, in whatever case. */
  readonly text?: string | undefined;
  /** Whose health is one of these. */
  readonly health?: readonly HealthFilter[] | undefined;
  /** Whether they are not as they were applied. */
  readonly drift?: DriftFilter | undefined;
  /** Default: newest first. */
  readonly sort?: TenantSort | undefined;
  /** Whether to list tenants that are gone too; by default only where `statuses` or `slug` asks for them. */
  readonly includeGone?: boolean | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}
