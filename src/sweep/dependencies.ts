import type { Logger } from 'pino';
import type { CellAws } from '../aws/cell-aws.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Caller } from '../contracts/caller.ts';
import type { Platform } from '../contracts/platform.ts';
import type { LostOperation } from '../contracts/sweep.ts';
import type { Database } from '../db/database.ts';
import type { SweepAws, SweepDatabases } from '../kinds/framework/resource-type.ts';

/** What the sweep asks Temporal: Temporal is not restored together with the database, so it knows what a restored one has lost. */
export interface TemporalRuns {
  /** Open operations whose run is not open. @throws OrchestratorUnreachableError, ForeignNamespaceError */
  findLost(): Promise<readonly LostOperation[]>;
  /** Starts a run that finishes a lost one; answers what was done. @throws Error with why not */
  finishLost(caller: Caller, lost: LostOperation): Promise<string>;
  /** Whether a workflow ran for a tenant, as far back as Temporal remembers. @throws Error when it does not answer */
  knowsTenant(tenantId: string): Promise<boolean>;
}

export interface SweepDeps {
  readonly database: Database;
  readonly tenantDatabases: SweepDatabases;
  readonly platform: Platform;
  readonly catalog: Catalog;
  readonly installationId: string;
  readonly aws: (cellId: string) => SweepAws & Pick<CellAws, 'parameters'>;
  readonly temporalRuns: TemporalRuns;
  readonly log: Logger;
  /** Default: the clock. */
  readonly now?: (() => Date) | undefined;
}

export function nowOf({ now }: Pick<SweepDeps, 'now'>): Date {
  return now ? now() : new Date();
}

/** The sweep refuses: with the reason, and what to do. */
export class SweepRefusedError extends Error {
  override readonly name = 'SweepRefusedError';
}

/** There is no such report, cell or finding. */
export class SweepNotFoundError extends Error {
  override readonly name = 'SweepNotFoundError';
}

/** Temporal is another than the one that holds this installation's runs: the message says which is. */
export class ForeignNamespaceError extends Error {
  override readonly name = 'ForeignNamespaceError';
}
