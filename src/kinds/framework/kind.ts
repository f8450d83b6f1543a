import type { Logger } from 'pino';
import type { z } from 'zod';
import type { CellAws } from '../../aws/cell-aws.ts';
import type { ProbeRequest } from '../../aws/probe.ts';
import type { Blueprint, PhysicalName, PollingProfile } from '../../contracts/blueprint.ts';
import type { DeletedRows } from '../../contracts/certificate.ts';
import type { Difference } from '../../contracts/drift.ts';
import type { Dump, NoDump } from '../../contracts/dump.ts';
import type { Outputs, Resolved, Spec } from '../../contracts/kinds.ts';
import type { Residue } from '../../contracts/messages.ts';
import type { Cell } from '../../contracts/platform.ts';
import type { TenantStatus } from '../../contracts/tenant-status.ts';
import type { LoadBalancerShare } from '../../contracts/load-balancer-share.ts';
import type { KindLimits } from '../../contracts/verbs.ts';
import type { Database, Queryable } from '../../db/database.ts';
import type { TenantDatabases } from '../../db/tenant-databases.ts';
import type { MigrationFolders } from '../../db/tenant-migrations.ts';
import type { NotOurs, OthersJudged } from './ownership.ts';
import type { ResourceType, SweptType } from './resource-type.ts';
import type { Recorded, Within } from './within.ts';
import type { DumpSink } from '../../db/tenant-dump/sink.ts';

/** A resource that a step sets out to make: its type and its deterministic name, known before any call. */
export interface ResourceName<T extends string = string> {
  /** `ecs:service`, `elbv2:rule`, `postgres:schema`, ... */
  readonly type: T;
  readonly name: string;
}

/** What the verbs of one kind are handed. Everything in it comes from the database and the platform, nothing from the caller. */
export interface StepContext<S extends Spec = Spec, O extends Outputs = Outputs> {
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
  readonly operation: { readonly id: string };
  readonly stepId: string;
  /** The graph that the step is one of; its references are not resolved. */
  readonly blueprint: Blueprint;
  /** References replaced by the outputs of the steps they name. For `observe` and `remove` of a step whose sources
   * never became ready the unresolved references are left out: names derive from the tenant, never from a reference. */
  readonly spec: Resolved<S>;
  readonly cell: Cell;
  readonly generation: number;
  /** Outputs that this step's last successful `ensure` stored: a shortcut, never relied upon. */
  readonly previous: Partial<O>;
  /** Its outputs when an operation of the tenant succeeded last; undefined before. */
  readonly applied?: Partial<O> | undefined;
  /**
   * Its spec on the other side of an update, references not resolved: the applied one on the way forward, the operation's own on the
   * way back. Undefined where the step is on one side only, and without an update.
   */
  readonly otherSpec?: (() => Promise<S | undefined>) | undefined;
  /** An undo brings it back to what was applied. */
  readonly goesBack?: boolean | undefined;
  /** What is read outside the blueprint (a template) is taken as it is now, though something is applied. */
  readonly refreshes?: boolean | undefined;
  /** An earlier attempt had no clear answer, so that a look which shows nothing may be older than what it made. */
  readonly mayExist: boolean;
  /**
   * Of a removal: the change is past its commit, and this goes because the target does not hold it. Of a transient step that is so,
   * whoever removes it, when the change that made it is past its commit: never in the undo of that change.
   */
  readonly isPastCommit?: boolean | undefined;
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
  /** Asks every kind of the blueprint what its steps' `ensure` would refuse. @throws StepError */
  readonly foresee: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

export interface Ensured<O extends Outputs = Outputs> {
  /** `pending`: made, and readiness is to be observed. */
  readonly status: 'ready' | 'pending';
  readonly outputs: O;
  /** Physical id (ARN or the like) per resource name. */
  readonly physicalIds?: Readonly<Record<string, string>>;
  /** Physical ids of more that is this tenant's under a resource name: a removal answers for it, whatever becomes of its mark. */
  readonly earlierIds?: Readonly<Record<string, readonly string[]>>;
  /**
   * What was not there and was made by this call: the ledger has its time. What was there, and was brought to the spec, keeps the time at
   * which it was made; what has another physical id than before is another thing anyway.
   */
  readonly anew?: readonly ResourceName[] | undefined;
  readonly detail?: string | undefined;
  readonly tenantStatus?: TenantStatus | undefined;
}

export type Observation =
  | {
      /** `failed`: a definite failure, `code` and `detail` say which. */
      readonly status: 'pending' | 'ready' | 'failed';
      /** For people: what was seen. */
      readonly detail: string;
      /** Of a kind that makes several things: those of its names that are not there, and that `ensure` would make. */
      readonly missing?: readonly ResourceName[] | undefined;
      /** With `ready`: of a kind whose outputs are known then only. They take the place of those that `ensure` answered. */
      readonly outputs?: Outputs | undefined;
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

/** What a removal leaves, before it has left it. */
export interface ExpectedResidue {
  readonly type: string;
  /** Why, a sentence. */
  readonly reason: string;
  /** For how long. Null: no time is given. */
  readonly days: number | null;
}

/** The polling profiles of a kind's steps. */
export interface Profiles {
  readonly ready?: PollingProfile | undefined;
  readonly gone?: PollingProfile | undefined;
}

/**
 * A resource kind: all that Tenantry knows of it, in one folder (docs/adding-a-kind.md). Verbs are safe to repeat. Most kinds
 * are written by `defineKind`, which has the verbs already.
 */
export interface Kind<S extends Spec = Spec, O extends Outputs = Outputs, T extends string = string> {
  /** `ecs-service`: in blueprints, names of activities and usual times. */
  readonly name: string;
  /** The shape of a step's spec as it is stored: references are not resolved yet. */
  readonly spec: z.ZodType<S>;
  readonly outputs: z.ZodType<O>;
  /** Every type of resource that its steps make, each with how the sweep lists it. */
  readonly types: { readonly [K in T]: ResourceType };
  /**
   * What others make, and its steps remove: the sweep tells of what is left where no step removes it any more. It may come late, so a deletion
   * of the tenant also removes the steps again that an earlier operation removed, a tier change mostly.
   */
  readonly leftTypes?: Readonly<Record<string, SweptType>>;
  /**
   * The names that a spec gives, as the ledger will have them. Where the tenant's id makes the name, what tells two of one tenant
   * apart stands for it.
   */
  physicalNames(spec: S): readonly (ResourceName<T> & PhysicalName)[];
  /** What of a resolved spec lies outside the cell or is not the tenant's, as sentences (design rule 13). ARNs are looked at for every kind. */
  inCell(spec: PartlyResolved<S>, within: Within): readonly string[];
  /** Fields of its spec that hold a tenant's data: an ARN or a host in there is text, and names nothing that a step works on. */
  readonly dataFields?: readonly (keyof S & string)[] | undefined;
  /** IAM actions of its calls, `ecs:CreateService`. */
  readonly permissions: readonly string[];
  /**
   * Which of them change something, by verb: what a preview names. Default: those whose names are changes; what deletes is of
   * `remove`, the rest of `ensure`.
   */
  readonly calls?: { readonly ensure?: readonly string[]; readonly remove?: readonly string[] } | undefined;
  /** Where its verbs differ from the table in `contracts/verbs.ts`. */
  readonly limits?: KindLimits | undefined;
  /** How long it usually takes to be ready, or gone, and when we stop waiting. */
  profiles?(cell: Cell): Profiles;
  /**
   * Fields of the spec to which `ensure` brings what is there already. A change of any other is refused before it is accepted.
   * Default: none.
   */
  readonly changeable?: readonly (keyof S & string)[] | undefined;
  /** What a step of the kind takes of its tenant's load balancer. */
  readonly loadBalancerShare?: Partial<LoadBalancerShare> | undefined;
  /** Default: nobody is asked whether it serves. */
  readonly health?: KindHealth<S, O> | undefined;
  /**
   * What it makes holds a tenant's data. Of a tenant that was ever active an undo never takes it, and where it is gone `ensure` is not
   * called: the step fails with DATA_LOST.
   */
  readonly holdsData?: true;
  /**
   * Rows that a removal deleted and the ledger has no resource for, by what it noted: a certificate of deletion lists them.
   * @param outputs what the step's last successful `ensure` stored
   */
  deletedRows?(notes: Readonly<Record<string, string>>, outputs: Partial<O>): DeletedRows | undefined;
  /** What its removal leaves for a while: what a preview tells of. Default: nothing. */
  readonly residues?: readonly ExpectedResidue[] | undefined;
  /** Looks at files that come with products; asks nobody. @throws StepError */
  checkFiles?(spec: S, migrations: MigrationFolders): void;
  /** Looks, before anything of the tenant is made, at what a later `ensure` would refuse. @throws StepError */
  foresee?(context: ForesightContext<S>): Promise<void>;
  /** Every resource that `ensure` may make, by name: the intent rows. */
  resources(context: StepContext<S, O>): readonly ResourceName<T>[];
  /** What `ensure` reads outside the blueprint, as a string that changes when that does. */
  fingerprint?(context: StepContext<S, O>): Promise<string>;
  /** Create, adopt or converge. @throws StepError */
  ensure(context: StepContext<S, O>): Promise<Ensured<O>>;
  /**
   * What takes effect in the very transaction that records the step as made, after that record: for a step whose effect is
   * in PostgreSQL and ends the operation. @throws StepError, which takes the record back too
   */
  commit?(tx: Queryable, context: StepContext<S, O>): Promise<void>;
  /** Look, change nothing. @throws StepError */
  observe(context: StepContext<S, O>): Promise<Observation>;
  /**
   * Looks at what was made for every field that `ensure` sets, and changes nothing: what sets it apart from the spec. `ensure` brings back
   * whatever has the remedy `repair`. Default: what `observe` tells. @throws StepError when it cannot tell
   */
  differs?(context: StepContext<S, O>): Promise<readonly Difference[]>;
  /**
   * `remove` deletes by a name that a later tenant may bear. A deletion without an answer that lands late would hit that
   * one's: the step, and with it the slug, is not free until it can land no more.
   */
  readonly deletesByName?: true;
  /**
   * Writes what it holds of the tenant's data, before a deletion takes it away; nobody writes to it from then on. Undefined: there is
   * nothing. @throws StepError DUMP_FAILED when data would not be in it
   */
  dump?(context: StepContext<S, O>, sink: DumpSink): Promise<Dump | NoDump | undefined>;
  /** What alone of it a dump holds, a phrase: `rows of its tables`. Default: all of its data. */
  readonly dumpsOnly?: string | undefined;
  /** Take away what is ours; missing is done, foreign is left alone and judged by `context.notOurs`. @throws StepError */
  remove(context: StepContext<S, O>): Promise<Removed>;
}

/** A step of an active tenant; nothing is believed of its values. */
export interface PartlyResolvedStep<S extends Spec = Spec, O extends Outputs = Outputs> {
  readonly spec: PartlyResolved<S>;
  readonly outputs: Partial<Readonly<Record<keyof O, unknown>>>;
}

/** How it is seen from outside whether a step of an active tenant serves. */
export interface KindHealth<S extends Spec = Spec, O extends Outputs = Outputs> {
  /** What is asked, through the cell's load balancers; undefined: nothing of it is to answer. */
  probe(step: PartlyResolvedStep<S, O>): ProbeRequest | undefined;
  /** What its own API says of one that does not serve, a phrase. Looks only; called when a verdict changes. @throws StepError */
  explain?(step: PartlyResolvedStep<S, O>, aws: CellAws): Promise<string | undefined>;
}

/** A spec whose references are resolved as far as they could be; nothing is believed of its values. */
export type PartlyResolved<S extends Spec> = Partial<Readonly<Record<keyof S, unknown>>>;

/** What is known before a tenant's first step has made anything. */
export type ForesightContext<S extends Spec = Spec> = Pick<StepContext, 'aws' | 'cell' | 'blueprint' | 'tenant'> & {
  /** Its references are not resolved. */
  readonly spec: S;
};
