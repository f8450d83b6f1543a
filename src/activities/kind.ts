import type { Logger } from 'pino';
import type { CellAws } from '../aws/cell-aws.ts';
import type { Blueprint } from '../contracts/blueprint.ts';
import type { KindName, OutputsOf, Resolved, SpecOf } from '../contracts/kinds.ts';
import type { Residue } from '../contracts/messages.ts';
import type { Cell } from '../contracts/platform.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';
import type { Database, Queryable } from '../db/database.ts';
import type { TenantDatabases } from '../db/tenant-databases.ts';
import type { Recorded } from './cell-guard.ts';
import type { NotOurs, OthersJudged } from './ownership.ts';

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
  /** The graph that the step is one of; its references are not resolved. */
  readonly blueprint: Blueprint;
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
  /** What an earlier attempt at the removal noted, in whichever process; `note` adds to it, null forgets a field. */
  readonly removal: {
    readonly noted: () => Readonly<Record<string, string>>;
    readonly note: (fields: Readonly<Record<string, string | null>>) => Promise<void>;
  };
  /** Places that this installation recorded for the tenant: what a removal goes by, whatever the cell lists today. */
  readonly recorded: Recorded;
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
  /** Tells the ledger of resources that are made for sure: for a kind that makes several, one after the other. */
  readonly made: (resources: readonly ResourceName[]) => Promise<void>;
  /**
   * Judges what is there under the step's names without this tenant's mark; call it before anything is taken away.
   * @throws StepError STILL_PRESENT (OWNERSHIP_CONFLICT before the removal) when the ledger holds it as made
   */
  readonly notOurs: (found: readonly NotOurs[]) => Promise<OthersJudged>;
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
  /** Physical ids of more that is this tenant's under a resource name: a removal answers for it, whatever becomes of its mark. */
  readonly earlierIds?: Readonly<Record<string, readonly string[]>>;
  readonly detail?: string | undefined;
  readonly tenantStatus?: TenantStatus | undefined;
}

export type Observation =
  | {
      /** `failed`: a definite failure, `code` and `detail` say which. */
      readonly status: 'pending' | 'ready' | 'failed';
      /** For people: what was seen. */
      readonly detail: string;
    }
  /** Nothing of ours is there, nor anything that was ours. */
  | { readonly status: 'absent'; readonly detail: string; readonly others: OthersJudged };

export interface Removed {
  /** `pending`: asked for, absence is to be observed. */
  readonly status: 'removed' | 'pending';
  /** What was seen under the step's names that is not the tenant's. */
  readonly others: OthersJudged;
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
  /** Take away what is ours; missing is done, foreign is left alone and judged by `context.notOurs`. @throws StepError */
  remove(context: StepContext<K>): Promise<Removed>;
}

export type KindRegistry = { readonly [K in KindName]: Kind<K> };
