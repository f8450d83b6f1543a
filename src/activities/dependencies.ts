import type { Logger } from 'pino';
import type { CellAws } from '../aws/cell-aws.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database } from '../db/database.ts';
import type { TenantDatabases } from '../db/tenant-databases.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';

/** What the activities of one worker work with. */
export interface ActivityDependencies {
  readonly database: Database;
  readonly tenantDatabases: TenantDatabases;
  readonly platform: Platform;
  readonly installationId: string;
  /** The adapters of a cell, by its id. */
  readonly aws: (cellId: string) => CellAws;
  readonly log: Logger;
  readonly kinds: KindRegistry;
}
