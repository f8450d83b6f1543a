import type { Settings } from '../contracts/settings.ts';

export interface CreateRequest {
  readonly product: string;
  /** Left out where the product gives its tenants their ids for slugs. */
  readonly slug?: string | undefined;
  readonly displayName: string;
  readonly contactEmail: string;
  readonly tier?: string | undefined;
  readonly cell?: string | undefined;
  readonly onFailure?: string | undefined;
  readonly settings?: Settings | undefined;
}

export interface ChangeRequest {
  readonly displayName?: string | undefined;
  readonly contactEmail?: string | undefined;
  readonly settings?: Settings | undefined;
  readonly refresh?: boolean | undefined;
  readonly onFailure?: string | undefined;
}

export interface HistoryRequest {
  readonly limit?: string | undefined;
  readonly cursor?: string | undefined;
}

export interface ScaleRequest {
  readonly service?: string | undefined;
  readonly count: number;
  readonly onFailure?: string | undefined;
}

export interface ListRequest {
  readonly product?: string | undefined;
  readonly slug?: string | undefined;
  readonly status?: string | undefined;
  readonly operation?: string | undefined;
  readonly text?: string | undefined;
  readonly health?: string | undefined;
  readonly drift?: string | undefined;
  readonly sort?: string | undefined;
  readonly includeGone?: 'true' | undefined;
  readonly limit?: string | undefined;
  readonly cursor?: string | undefined;
}

/** Of the open operation. */
export type ControlVerb = 'retry' | 'cancel';
export type ModeVerb = 'suspend' | 'resume' | 'rotate';
export interface ModeRequest {
  readonly reason?: string | undefined;
  readonly onFailure?: string | undefined;
}

export interface MigrateRequest extends ModeRequest {
  readonly tier: string;
}

export interface FreezeRequest {
  readonly product?: string | undefined;
  readonly cell?: string | undefined;
  readonly reason: string;
}

export interface RepairRequest {
  readonly reason?: string | undefined;
}

export interface DeleteOptions {
  /** How long to wait before anything is removed, such as `2d`. */
  readonly grace?: string | undefined;
  /** `true`: refuse unless a final dump is kept, which may be handed out. */
  readonly export?: 'true' | undefined;
}
