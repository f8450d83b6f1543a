import { pino, type Logger } from 'pino';
import { startGateway, type Gateway } from '../sandbox/gateway/gateway.ts';
import { seedLandingZone } from '../sandbox/landing-zone/seed.ts';
import { createActivities } from '../src/activities/create-activities.ts';
import { createCellAws, type CellAws } from '../src/aws/cell-aws.ts';
import { migrationsOf } from '../src/catalog/catalog.ts';
import type { Activities } from '../src/contracts/activities.ts';
import type { Cell } from '../src/contracts/platform.ts';
import { createDatabase, type Database } from '../src/db/database.ts';
import { findInstallationId } from '../src/db/installation.ts';
import { migrate } from '../src/db/migrate.ts';
import { createTenantDatabases, type TenantDatabases } from '../src/db/tenant-databases.ts';
import { builtInKinds } from '../src/kinds/built-in.ts';
import type { Kind } from '../src/kinds/framework/kind.ts';
import type { SweepAws } from '../src/kinds/framework/resource-type.ts';
import { createKindRegistry, type KindRegistry } from '../src/kinds/framework/registry.ts';
import { CallBook } from './call-book.ts';
import { CallTap } from './call-tap.ts';
import type { Sample } from './sample.ts';
import { looksPerStep } from './looks-per-step.ts';
import { createOracle, type Oracle } from './oracle.ts';
import type { OwnListers } from './own-listers.ts';
import { freshAccountId, openParts, type ConformanceParts, type StandParts } from './parts.ts';
import { awsInSmallPages } from './small-pages.ts';

/** PostgreSQL, and AWS behind the gateway, where kinds of one test file are tried one after the other. */
export interface Ground {
  readonly gateway: Gateway;
  readonly cell: Cell;
  readonly aws: CellAws;
  /** The same for the sweep, with lists in small pages. */
  readonly smallPages: SweepAws;
  readonly database: Database;
  readonly tenantDatabases: TenantDatabases;
  /** The tenants' database, as superuser. */
  readonly adminUrl: string;
  readonly installationId: string;
  /** What workers wrote to their log, line by line. */
  readonly logged: readonly string[];
  readonly log: Logger;
  readonly otherKinds: readonly Kind[];
  readonly oracle: Oracle;
  readonly book: CallBook;
  readonly tap: CallTap;
  close(): Promise<void>;
}

/** The worker's own verbs of a kind. */
export interface Stand extends Ground {
  readonly kind: Kind;
  readonly kinds: KindRegistry;
  /** The activities of a worker that has the kind as it is, or changed. */
  workerWith(change?: (kind: Kind) => Kind, cell?: Cell): Activities;
}

export interface GroundOptions {
  readonly parts?: ConformanceParts | undefined;
  /** Other kinds that samples have steps of, beside those that come with Tenantry. */
  readonly kinds?: readonly Kind[] | undefined;
  /** Products of the samples: the cell serves each. */
  readonly products: readonly Sample['product'][];
  /** Types of the ledger that the oracle must be able to list. */
  readonly ledgerTypes: readonly string[];
  /** For those that its inventory does not know. */
  readonly listers?: OwnListers | undefined;
}

const region = 'us-east-1';

export async function startGround(options: GroundOptions): Promise<Ground> {
  const parts = await openParts(options.parts);
  const tap = new CallTap();
  const gateway = await startGateway({
    upstreamUrl: parts.ministackUrl,
    time: 'fast',
    onCall: (call) => tap.show(call),
  });
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  const cell = await seedCell(gateway, credentials, parts, options.products);
  await migrate(parts.controlUrl);
  const database = createDatabase({ url: parts.controlUrl, maxConnections: 20 });
  const tenantDatabases = createTenantDatabases({ primary: parts.tenantUrl }, migrationsOf(options.products));
  const awsOptions = { endpointUrl: gateway.url, credentials, pacing: { factor: Infinity } };
  const aws = looksPerStep(createCellAws(cell, awsOptions), cell, awsOptions);
  const smallPages = awsInSmallPages(cell, awsOptions);
  const installationId = await findInstallationId(database);
  const book = new CallBook(gateway);
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  return {
    gateway,
    cell,
    aws,
    smallPages,
    database,
    tenantDatabases,
    adminUrl: parts.adminUrl,
    installationId,
    logged,
    log,
    otherKinds: options.kinds ?? [],
    oracle: createOracle(
      { adminUrl: parts.adminUrl, cell, database, gateway },
      {
        ledger: options.ledgerTypes,
        own: options.listers ?? {},
        at: { endpointUrl: parts.ministackUrl, region, accountId: cell.accountId, credentials },
      },
    ),
    book,
    tap,
    close: async () => {
      book.close();
      aws.destroy();
      smallPages.destroy();
      await tenantDatabases.close();
      await database.close();
      await gateway.close();
      await parts.close();
    },
  };
}

/** The kind takes the place of one of its name. */
export function standFor(kind: Kind, ground: Ground): Stand {
  const { aws, cell, database, installationId, log, otherKinds, tenantDatabases } = ground;
  const others = [...builtInKinds, ...otherKinds].filter(({ name }) => name !== kind.name);
  const kindsWith = (changed: Kind) => createKindRegistry([...others, changed]);
  return {
    ...ground,
    kind,
    kinds: kindsWith(kind),
    workerWith: (change = (same) => same, known = cell) =>
      createActivities({
        ...{ database, tenantDatabases, installationId, log, aws: () => aws },
        platform: { version: 1, cells: [known] },
        kinds: kindsWith(change(kind)),
      }),
  };
}

async function seedCell(
  gateway: Gateway,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  { tenantUrl }: StandParts,
  products: GroundOptions['products'],
): Promise<Cell> {
  const { hostname: host, port, pathname } = new URL(tenantUrl);
  const database = { host, port: Number(port), name: pathname.slice(1) };
  const platform = await seedLandingZone({ endpointUrl: gateway.url, region, credentials, database, products });
  return platform.cells[0]!;
}
