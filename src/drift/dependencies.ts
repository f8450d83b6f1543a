import type { Logger } from 'pino';
import type { CellAws } from '../aws/cell-aws.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database } from '../db/database.ts';
import type { TenantDatabases } from '../db/tenant-databases.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';

export interface DriftDeps {
  readonly database: Database;
  readonly tenantDatabases: TenantDatabases;
  readonly platform: Platform;
  readonly installationId: string;
  /** Adapters that no operation uses: a look of theirs must not wait behind one of these. */
  readonly aws: (cellId: string) => CellAws;
  readonly kinds: KindRegistry;
  readonly log: Logger;
  /** How long after the first look the second one comes that a finding needs, in ms. Default: {@link CONFIRM_AFTER_MS}. */
  readonly confirmAfterMs?: number | undefined;
}

/** AWS's answers may be older than a change that came just before them, by seconds. */
export const CONFIRM_AFTER_MS = 5_000;
