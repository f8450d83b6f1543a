import type { Logger } from 'pino';
import type { CellAws } from '../aws/cell-aws.ts';
import type { KindName, OutputsOf, Resolved, SpecOf } from '../contracts/kinds.ts';
import type { Residue } from '../contracts/messages.ts';
import type { Cell } from '../contracts/platform.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';
import type { Database, Queryable } from '../db/database.ts';
import type { TenantDatabases } from '../db/tenant-databases.ts';

/** A resource that a step sets out to make: its type and its deterministic name, known before any call. */
export interface ResourceName {
  /** `ecs:service`, `elbv2:rule`, `postgres:schema`, ... */
  readonly type: string;
  readonly name: string;
}

/** What the verbs of one kind are handed. Everything in it comes from the database and the platform, nothing from the caller. */
export interface StepContext<K extends KindName> {
  readonly installationId: string;
  readonly tenant: {
    readonly id: string;
    readonly slug: string;
    readonly product: string;
    readonly tier: string | null;
    readonly displayName: string;
    /** True once it was ever active: an undo never drops its data. */
    readonly everActive: boolean;
  };
  readonly operation: { readonly id: string; readonly type: 'provision' | 'deprovision' };
  readonly stepId: string;
  /** References replaced by the outputs of the steps they name. For `observe` and `remove` of a step whose sources
   * never became ready the unresolved references are left out: names derive from the tenant, never from a reference. */
  readonly spec: Resolved<SpecOf<K>>;
  readonly cell: Cell;
  readonly generation: number;
  /** Outputs that this step's last successful `ensure` stored: a shortcut, never relied upon. */
  readonly previous: Partial<OutputsOf<K>>;
  /** An earlier attempt had no clear answer, so that a look which shows nothing may be older than what it made. */
  readonly mayExist: boolean;
  /** When the removal of this step began; undefined before. */
  readonly removingAt: Date | undefined;
  /** Ownership mark of design rule 3: tag key to value. */
  readonly tags: Readonly<Record<string, string>>;
  /** Token of design rule 11, at most 32 characters; `part` tells several calls of one step apart. */
  readonly token: (part?: string) => string;
  readonly aws: CellAws;
  readonly db: Database;
  readonly tenantDatabases: TenantDatabases;
  /** Throws STEP_REVOKED when the step is being taken back. AWS calls do this by themselves; call it before DDL. */
  readonly guard: () => Promise<void>;
  /** Tells the ledger of resources that a removal has taken away for sure, so that what is left is listed exactly should the rest fail. */
  readonly gone: (resources: readonly ResourceName[]) => Promise<void>;
  readonly heartbeat: () => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

export interface Ensured<K extends KindName> {
  /** `pending`: made, and readiness is to be observed. */
  readonly status: 'ready' | 'pending';
  readonly outputs: OutputsOf<K>;
  /** Physical id (ARN or the like) per resource name. */
  readonly physicalIds?: Readonly<Record<string, string>>;
  readonly detail?: string | undefined;
  readonly tenantStatus?: TenantStatus | undefined;
}

export interface Observation {
  /** `failed`: a definite failure, `code` and `detail` say which; `absent`: nothing of ours is there. */
  readonly status: 'absent' | 'pending' | 'ready' | 'failed';
  /** For people: what was seen. */
  readonly detail: string;
}

export interface Removed {
  /** `pending`: asked for, absence is to be observed. */
  readonly status: 'removed' | 'pending';
  readonly residues?: readonly Residue[] | undefined;
  /** Something that the step makes was not to be seen: a look right after a change may be older than it. */
  readonly missing?: boolean | undefined;
}

/** A resource kind: three verbs, safe to repeat, each in one file with the others (docs/adding-a-kind.md). */
export interface Kind<K extends KindName> {
  /** Every resource that `ensure` may make, by name: the intent rows. */
  resources(context: StepContext<K>): readonly ResourceName[];
  /** What `ensure` reads outside the blueprint, as a string that changes when that does. */
  fingerprint?(context: StepContext<K>): Promise<string>;
  /** Create, adopt or converge. @throws StepError */
  ensure(context: StepContext<K>): Promise<Ensured<K>>;
  /**
   * What takes effect in the very transaction that records the step as made, after that record: for a step whose effect is
   * in PostgreSQL and ends the operation. @throws StepError, which takes the record back too
   */
  commit?(tx: Queryable, context: StepContext<K>): Promise<void>;
  /** Look, change nothing. @throws StepError */
  observe(context: StepContext<K>): Promise<Observation>;
  /**
   * `remove` deletes by a name that a later tenant may bear. A deletion without an answer that lands late would hit that
   * one's: the step, and with it the slug, is not free until it can land no more.
   */
  readonly deletesByName?: true;
  /** Take away what is ours; missing is done, foreign is left alone (and done). @throws StepError */
  remove(context: StepContext<K>): Promise<Removed>;
}

export type KindRegistry = { readonly [K in KindName]: Kind<K> };
