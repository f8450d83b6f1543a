import type { CellAws } from '../../aws/cell-aws.ts';
import type { Cell, Platform } from '../../contracts/platform.ts';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import type { TenantDatabases } from '../../db/tenant-databases.ts';

/** Adapters and databases that a cell's things are listed, looked at and taken away through. */
export interface CellAccess {
  readonly cell: Cell;
  readonly aws: SweepAws;
  readonly tenantDatabases: SweepDatabases;
}

export type SweepAws = Pick<
  CellAws,
  | 'client'
  | 'inventory'
  | 'dns'
  | 'loadBalancing'
  | 'ecs'
  | 'logs'
  | 'secrets'
  | 'markedParameters'
  | 'items'
  | 'partitions'
  | 'stacks'
>;
export type SweepDatabases = Pick<TenantDatabases, 'listMarked' | 'listLogins' | 'dropLogin' | 'dropSchemaAndRole'>;

/** One thing that was just looked at, to be taken away. */
export interface TakeAwayCall extends CellAccess {
  readonly item: SweptItem;
  /** Awaited before what is no AWS call; throws when the thing is not ours to take any more. */
  readonly guard: () => Promise<void>;
}

/** One thing, to be looked at for whether it is in use. */
export interface UseCall extends CellAccess {
  readonly item: SweptItem;
  /** The cell's report lists the thing; else the cell could only use it. */
  readonly isListed: boolean;
  readonly platform: Platform;
}

/** Whose name a thing bears. */
export interface NameOwner {
  readonly installationId: string;
  readonly tenantId: string;
}

/** A type of resource as the sweep knows it: how it is listed, named, and taken away. */
export interface SweptType extends Marking {
  /**
   * `slug`: its names come from product and slug, and no two tenants may have the same; `host`: they come from the tenant's host, which
   * is one tenant's already. Blueprints tell both. Else they come from the tenant's id.
   */
  readonly named: 'slug' | 'host' | { readonly pattern: RegExp; isOf(name: string, owner: NameOwner): boolean };
  /** All of it in a cell, by its own API. */
  readonly list: (at: CellAccess) => TypeList;
  /** Takes one away; answers what was done, for people. @throws StepError */
  takeAway(call: TakeAwayCall): Promise<string>;
  /** Why it is in use right now, a clause; undefined when it is not. @throws StepError */
  useOf?(call: UseCall): Promise<string | undefined>;
  /** Whether another cell's report lists a thing that this cell's lists; default: cells of one account and region do. */
  readonly isListedIn?: (other: Cell, cell: Cell, item: Pick<SweptItem, 'physicalId'>) => boolean;
  /** Whether another cell's things may use one of this cell's; the default is the same. */
  readonly isUsedFrom?: (other: Cell, cell: Cell) => boolean;
  /** Types that must be gone before one of this type is taken away: what points at it. */
  readonly after?: readonly string[];
  /** Its things bear no mark, and no row of the ledger holds them: whose one is, its name tells. Undefined: nobody's that we could know. */
  tenantIn?(name: string): string | undefined;
  /** No physical id is given twice: another thing of the same name has another one. */
  readonly hasUniqueIds?: true;
  /** One thing at most has the name: a step's removal finds it by that, whatever its id. */
  readonly isFoundByName?: true;
  /** A tenant has several of one name, and what they are used by is known (`uses` of another type). */
  readonly isKnownByUse?: true;
  readonly holdsData?: true;
  /** Physical ids of other things that one of this type uses. */
  uses?(item: SweptItem): readonly string[];
  /** The ledger's names of one thing, the thing's own first; by default that alone. */
  ledgerNames?(name: string): readonly string[];
  /** The inverse: the thing that a name of the ledger belongs to. */
  thingOf?(ledgerName: string): string;
}

/** How the mark of a type is written that has no tags. */
export interface Marking {
  /** Where and how, for people: `the comment '...'`. Without this the mark is tags. */
  markOf?(name: string, marker: string): string;
}

/** What is swept with another type's thing of the same name, as one with it. */
export interface Part extends Marking {
  readonly partOf: string;
}

/** A type of the ledger: swept by itself, or as a part. */
export type ResourceType = SweptType | Part;

export function isPart(type: ResourceType): type is Part {
  return 'partOf' in type;
}

export function sharesAccount(a: Cell, b: Cell): boolean {
  return a.accountId === b.accountId && a.region === b.region;
}
