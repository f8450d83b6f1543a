import type { Server } from 'node:http';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities/create-activities.ts';
import { createDriftActivities } from '../activities/drifting.ts';
import { createHealthActivities } from '../activities/health-checking.ts';
import { createIsolationActivities } from '../activities/isolation.ts';
import { createSweepActivities } from '../activities/sweeping.ts';
import { removeDueArchives } from '../archives/expiry.ts';
import { createAwsForPlatform, type PlatformAws } from '../aws/cell-aws.ts';
import { createPacing } from '../aws/pacing.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { sourceOf } from '../catalog/lacking.ts';
import { loadCatalog } from '../catalog/load.ts';
import type { Orchestrator } from '../client/orchestrator.ts';
import { createTenantryClient, type TenantryClient } from '../client/tenantry.ts';
import { temporalOrchestrator } from '../client/temporal-orchestrator.ts';
import type { Config } from '../config.ts';
import { TASK_QUEUE, taskQueues } from '../contracts/ids.ts';
import { StepError } from '../contracts/step-error.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { sweepExpiredKeys } from '../db/idempotency-keys.ts';
import { sweepExpiredTickets } from '../db/stream-tickets.ts';
import { findInstallationId } from '../db/installation.ts';
import { sharedTokens } from '../db/rate-buckets.ts';
import { createTenantDatabases } from '../db/tenant-databases.ts';
import { createDrift } from '../drift/drift.ts';
import { createSweep } from '../sweep/sweep.ts';
import { createTemporalRuns } from '../sweep/temporal-runs.ts';
import { createTemporalClient, type TemporalClient } from '../temporal/client.ts';
import { createWorkerDataConverter } from '../temporal/data-converter.ts';
import { traceActivities } from './activity-traces.ts';
import { createDatabaseWatch, DATABASE_EVERY_MS } from './database-watch.ts';
import { createIdentityWatch, IDENTITY_EVERY_MS } from './identity-watch.ts';
import { startHealthServer } from './health.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createProjector, PROJECT_EVERY_MS } from './projector.ts';
import { createLedgerMarker, MARK_EVERY_MS } from './ledger-marker.ts';
import { startLoop, type Loop } from '../loop.ts';
import { runBesideLoops } from './beside-loops.ts';
import { sendDueMails } from './mailer.ts';
import { ISOLATIONS_EVERY_MS, startIsolations } from './isolations.ts';
import { startAccepted } from './starter.ts';
import { watchOperations, WATCH_EVERY_MS } from './watch.ts';
import { foreignNamespace } from './own-namespace.ts';
import { startProblems, WorkerStartError } from './start-problems.ts';
import { repairDrift, REPAIR_EVERY_MS } from './drift-repairs.ts';
import { ensureDriftSchedule } from './drift-schedule.ts';
import { SCHEDULE_EVERY_MS } from './schedule.ts';
import { ensureHealthSchedule } from './health-schedule.ts';
import { ensureSweepSchedule } from './sweep-schedule.ts';
import { startWebhookLoops } from './webhooks.ts';
import { workflowBundlePath } from './workflow-bundle.ts';

/** Activities that are cut off at shutdown are retried elsewhere; an AWS call in flight gets this long to answer. */
const SHUTDOWN_GRACE = '10s';

/**
 * Runs a worker until `stop` is aborted: activities with AWS credentials, workflows, and the loops beside the operations.
 * @throws WorkerStartError when something that every run needs is missing; all of it is named.
 */
export async function runWorker(config: Config, log: Logger, stop: AbortSignal): Promise<void> {
  const catalog = await loadCatalog(config.catalogFile);
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 20, applicationName: 'tenantry-worker' });
  const tenantDatabases = createTenantDatabases(config.tenantDatabaseUrls, catalog.migrations);
  const pacing = createPacing({ lease: sharedTokens(database) });
  const aws = createAwsForPlatform(config.platform, { endpointUrl: config.awsEndpointUrl, pacing });
  // Paced together, but no look is shared: one of an operation would wait as long as one of these.
  const awsOfDrift = createAwsForPlatform(config.platform, { endpointUrl: config.awsEndpointUrl, pacing });
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  let polling: Worker | undefined;
  let health: Server | undefined;
  try {
    if (config.workerHealthPort !== undefined)
      health = await startHealthServer(config.workerHealthPort, () => polling?.getState() === 'RUNNING');
    const { platform, awsCredentialsNamed } = config;
    const { catalogFile } = config;
    logCatalog(log, catalog, catalogFile);
    const checks = { database, temporal, aws, platform, catalog, catalogFile, awsCredentialsNamed, log, stop };
    const problems = await startProblems(checks);
    if (stop.aborted) return;
    if (problems.length > 0) throw new WorkerStartError(problems);
    const foreign = await foreignNamespace(database, temporal);
    if (foreign !== undefined) throw new WorkerStartError([foreign]);
    await tenantDatabases.closeToPublic().catch(notClosed);
    const installationId = await findInstallationId(database);
    const orchestrator = temporalOrchestrator(temporal.client);
    const client = createTenantryClient({ database, orchestrator, platform, catalog, log });
    const temporalRuns = createTemporalRuns({ temporal: temporal.client, orchestrator, client, database, log });
    const deps = { database, tenantDatabases, platform, installationId, aws, kinds: catalog.kinds, log };
    const sweep = createSweep({ ...deps, catalog, temporalRuns });
    const drift = createDrift({ ...deps, aws: awsOfDrift });
    const activities = {
      ...createActivities(deps),
      ...createSweepActivities({ sweep, database, log }),
      ...createDriftActivities({ drift, database, log }),
      ...createHealthActivities({ ...deps, products: catalog.products }),
    };
    const connection = await NativeConnection.connect(config.temporal.connectionOptions);
    try {
      const worker = await createWorker(config, connection, activities);
      const isolationWorker = await createIsolationWorker(config, connection, createIsolationActivities(deps));
      polling = worker;
      const running = {
        config,
        log,
        stop,
        worker,
        isolationWorker,
        database,
        temporal,
        aws,
        installationId,
        orchestrator,
        client,
        catalog,
      };
      await runUntilStopped(running);
    } finally {
      await connection.close();
    }
  } finally {
    health?.close();
    await temporal.close();
    aws.destroy();
    awsOfDrift.destroy();
    await tenantDatabases.close();
    await database.close();
  }
}

function logCatalog(log: Logger, { products, kinds }: Catalog, catalogFile: string | undefined): void {
  const loaded = { from: sourceOf(catalogFile), products: Object.keys(products), kinds: [...kinds.kinds.keys()] };
  log.info(loaded, 'products and kinds are loaded');
}

/** A database that somebody else owns stays open to everybody until its owner closes it: its words say how. */
function notClosed(error: unknown): never {
  if (!(error instanceof StepError) || error.code !== 'ACCESS_DENIED') throw error;
  throw new WorkerStartError([`${error.message}${error.detail === undefined ? '' : ` (${error.detail})`}`]);
}

async function createWorker(config: Config, connection: NativeConnection, activities: object): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: config.temporal.namespace ?? 'default',
    taskQueue: TASK_QUEUE,
    activities,
    workflowBundle: { codePath: await workflowBundlePath() },
    dataConverter: createWorkerDataConverter(config.payloadKeys),
    // A workflow task for a dead worker's sticky queue would wait 10 s by default (temporal-patterns: 11.2 s -> 3.2 s).
    stickyQueueScheduleToStartTimeout: '2s',
    shutdownGraceTime: SHUTDOWN_GRACE,
    maxConcurrentActivityTaskExecutions: 100,
    interceptors: { activity: [traceActivities] },
  });
}

/** Slots of its own: those of operations may all be taken for minutes. */
function createIsolationWorker(config: Config, connection: NativeConnection, activities: object): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: config.temporal.namespace ?? 'default',
    taskQueue: taskQueues.isolation,
    activities,
    dataConverter: createWorkerDataConverter(config.payloadKeys),
    shutdownGraceTime: SHUTDOWN_GRACE,
    maxConcurrentActivityTaskExecutions: 20,
    interceptors: { activity: [traceActivities] },
  });
}

interface Running {
  readonly config: Config;
  readonly log: Logger;
  readonly stop: AbortSignal;
  readonly worker: Worker;
  readonly isolationWorker: Worker;
  readonly database: Database;
  readonly temporal: TemporalClient;
  readonly aws: PlatformAws;
  readonly installationId: string;
  readonly orchestrator: Orchestrator;
  readonly client: TenantryClient;
  readonly catalog: Catalog;
}

function runUntilStopped(running: Running): Promise<void> {
  const { config, log, stop, worker, isolationWorker, database } = running;
  const both: Pick<Worker, 'runUntil'> = {
    runUntil: (until, options) => isolationWorker.runUntil(() => worker.runUntil(until, options)),
  };
  const onPolling = () =>
    log.info({ taskQueue: TASK_QUEUE, cells: config.platform.cells.map((c) => c.id) }, 'worker is polling');
  return runBesideLoops(
    { worker: both, heartbeat: startHeartbeat({ database, worker, log }), loops: startLoops(running) },
    stop,
    onPolling,
  );
}

/** How often archives are looked for that are due, in ms. */
const ARCHIVES_EVERY_MS = 5 * 60_000;

/** How often idempotency keys are deleted that have expired, in ms. */
const KEYS_EVERY_MS = 5 * 60_000;

/** What a worker does beside its operations. */
function startLoops(running: Running): Loop[] {
  const { config, log, database, temporal, aws, catalog, installationId, orchestrator, client } = running;
  const { platform } = config;
  const markLedger = createLedgerMarker({ database, installationId, platform, aws }, log);
  return [
    startLoop({ name: 'mailer', everyMs: 1_000, log }, (stop) => sendDueMails({ database, platform, aws, log }, stop)),
    ...startWebhookLoops({ config, database, installationId, log }),
    startLoop({ name: 'starter', everyMs: 2_000, log }, () => startAccepted({ database, client, log })),
    startLoop({ name: 'isolations', everyMs: ISOLATIONS_EVERY_MS, log }, () =>
      startIsolations({ database, client, log }),
    ),
    startLoop({ name: 'watch', everyMs: WATCH_EVERY_MS, log }, () =>
      watchOperations({ database, temporal, orchestrator, log }),
    ),
    startLoop({ name: 'database', everyMs: DATABASE_EVERY_MS, log }, createDatabaseWatch({ database, log })),
    startLoop({ name: 'identity', everyMs: IDENTITY_EVERY_MS, log }, createIdentityWatch({ platform, aws, log })),
    startLoop({ name: 'ledger-mark', everyMs: MARK_EVERY_MS, log }, markLedger),
    startLoop(
      { name: 'projector', everyMs: PROJECT_EVERY_MS, log },
      createProjector({ database, platform, installationId, aws, log }),
    ),
    startLoop({ name: 'archives', everyMs: ARCHIVES_EVERY_MS, log }, async (stop) => {
      await removeDueArchives({ database, aws, log }, { stop });
    }),
    startLoop({ name: 'idempotency-keys', everyMs: KEYS_EVERY_MS, log }, async () => {
      await sweepExpiredKeys(database);
      await sweepExpiredTickets(database);
    }),
    startLoop({ name: 'sweep-schedule', everyMs: SCHEDULE_EVERY_MS, log }, async () => {
      const ensure = () => ensureSweepSchedule(temporal.client, installationId, config.sweepIntervalMs);
      await temporal.client.withDeadline(Date.now() + 10_000, ensure);
    }),
    startLoop({ name: 'drift-repairs', everyMs: REPAIR_EVERY_MS, log }, () =>
      repairDrift({ database, platform, catalog, client, policy: config.driftRepair, log }),
    ),
    startLoop({ name: 'drift-schedule', everyMs: SCHEDULE_EVERY_MS, log }, async () => {
      const ensure = () => ensureDriftSchedule(temporal.client, installationId, config.driftIntervalMs);
      await temporal.client.withDeadline(Date.now() + 10_000, ensure);
    }),
    startLoop({ name: 'health-schedule', everyMs: SCHEDULE_EVERY_MS, log }, async () => {
      const ensure = () => ensureHealthSchedule(temporal.client, installationId, config.healthEveryMs);
      await temporal.client.withDeadline(Date.now() + 10_000, ensure);
    }),
  ];
}
