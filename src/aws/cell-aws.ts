import { cellById } from '../platform.ts';
import type { Cell, Platform } from '../contracts/platform.ts';
import { createStacks, type Stacks } from './cloudformation.ts';
import { createLogs, type Logs } from './cloudwatch-logs.ts';
import { createClients, type ClientOf, type ClientOptions } from './clients.ts';
import { createTables, type Tables } from './dynamodb.ts';
import { createFences, type Fences } from './dynamodb-fences.ts';
import { createItems, type Items } from './dynamodb-items.ts';
import { createRowLocks, type RowLocks } from './dynamodb-locks.ts';
import { createPartitions, type Partitions } from './dynamodb-partitions.ts';
import { createStreams, type Streams } from './dynamodb-streams.ts';
import { createEcs, type Ecs } from './ecs.ts';
import { createLoadBalancing, type LoadBalancing } from './elbv2.ts';
import { createPacing, type Pacing, type PacingOptions } from './pacing.ts';
import { createProbe, type Probe } from './probe.ts';
import { createDns, type Dns } from './route53.ts';
import { createSecrets, type Secrets } from './secrets-manager.ts';
import { createObjects, type Objects } from './s3.ts';
import { createMail, type Mail } from './ses.ts';
import { createInventory, type Inventory } from './inventory/inventory.ts';
import { createMarkedParameters, type MarkedParameters } from './ssm-marked.ts';
import { createParameters, type Parameters } from './ssm.ts';
import { createIdentity, type Identity } from './sts.ts';

/** AWS of one cell: an adapter per service that speaks the domain. Every method throws StepError. */
export interface CellAws {
  readonly ecs: Ecs;
  readonly loadBalancing: LoadBalancing;
  readonly dns: Dns;
  readonly secrets: Secrets;
  readonly logs: Logs;
  readonly stacks: Stacks;
  readonly mail: Mail;
  readonly identity: Identity;
  readonly probe: Probe;
  readonly parameters: Parameters;
  readonly markedParameters: MarkedParameters;
  readonly tables: Tables;
  readonly items: Items;
  readonly partitions: Partitions;
  readonly fences: Fences;
  readonly locks: RowLocks;
  readonly streams: Streams;
  readonly objects: Objects;
  /** A client of the SDK for a service that has no adapter here: for kinds of others. */
  readonly client: ClientOf;
  /** All that exists in the cell, for the sweep. */
  readonly inventory: Inventory;
  /** Closes the connections. */
  destroy(): void;
}

export interface CellAwsOptions extends ClientOptions {
  /** How calls are paced: options, or pacers that others of this process draw on too. */
  readonly pacing?: PacingOptions | Pacing | undefined;
}

/** Makes the adapters of one cell; make one per cell and process, the shared looks are in it. */
export function createCellAws(cell: Cell, options: CellAwsOptions = {}): CellAws {
  const clients = createClients(cell, options, pacingOf(options)(cell));
  return {
    ecs: createEcs(clients.ecs, cell.cluster),
    loadBalancing: createLoadBalancing(clients.elbv2),
    dns: createDns(clients.route53),
    secrets: createSecrets(clients.secretsManager),
    logs: createLogs(clients.logs),
    stacks: createStacks(clients.cloudformation, clients.dynamodb, cell.region),
    mail: createMail(clients.ses),
    identity: createIdentity(clients.sts),
    probe: createProbe(cell),
    parameters: createParameters(clients.ssm),
    markedParameters: createMarkedParameters(clients.ssm),
    tables: createTables(clients.dynamodb),
    items: createItems(clients.dynamodb),
    partitions: createPartitions(clients.dynamodb),
    fences: createFences(clients.dynamodb),
    locks: createRowLocks(clients.dynamodb),
    streams: createStreams(clients.dynamodb, clients.dynamodbStreams),
    objects: createObjects(clients.s3, clients.signer),
    client: clients.clientOf,
    inventory: createInventory(clients, cell),
    destroy: () => clients.destroy(),
  };
}

function pacingOf({ pacing }: CellAwsOptions): Pacing {
  return typeof pacing === 'function' ? pacing : createPacing(pacing);
}

export interface PlatformAws {
  /** The adapters of a cell, made on first use. @throws RangeError when the platform has no such cell */
  (cellId: string): CellAws;
  destroy(): void;
}

/** AWS of every cell of the platform. */
export function createAwsForPlatform(platform: Platform, options: CellAwsOptions = {}): PlatformAws {
  const made = new Map<string, CellAws>();
  const pacing = pacingOf(options);
  const ofCell = (cellId: string): CellAws => {
    const known = made.get(cellId);
    if (known) return known;
    const aws = createCellAws(cellById(platform, cellId), { ...options, pacing });
    made.set(cellId, aws);
    return aws;
  };
  return Object.assign(ofCell, {
    destroy: () => {
      for (const aws of made.values()) aws.destroy();
      made.clear();
    },
  });
}
