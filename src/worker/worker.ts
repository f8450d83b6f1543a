import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities/create-activities.ts';
import { createAwsForPlatform, type PlatformAws } from '../aws/cell-aws.ts';
import { createTenantryClient } from '../client/tenantry.ts';
import { temporalOrchestrator } from '../client/temporal-orchestrator.ts';
import type { Config } from '../config.ts';
import { TASK_QUEUE } from '../contracts/ids.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { findInstallationId } from '../db/installation.ts';
import { createTenantDatabases } from '../db/tenant-databases.ts';
import { products } from '../products/index.ts';
import { createTemporalClient, type TemporalClient } from '../temporal/client.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { startHealthServer } from './health.ts';
import { startLoop } from './loop.ts';
import { sendDueMails } from './mailer.ts';
import { startAccepted } from './starter.ts';
import { watchOperations, WATCH_EVERY_MS } from './watch.ts';
import { startProblems, WorkerStartError } from './start-problems.ts';
import { workflowBundlePath } from './workflow-bundle.ts';

/** Activities that are cut off at shutdown are retried elsewhere; an AWS call in flight gets this long to answer. */
const SHUTDOWN_GRACE = '10s';

/**
 * Runs a worker until `stop` is aborted: activities with AWS credentials, workflows, and the loops beside the operations.
 * @throws WorkerStartError when something that every run needs is missing; all of it is named.
 */
export async function runWorker(config: Config, log: Logger, stop: AbortSignal): Promise<void> {
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 20, applicationName: 'tenantry-worker' });
  const tenantDatabases = createTenantDatabases(config.tenantDatabaseUrls);
  const aws = createAwsForPlatform(config.platform, { endpointUrl: config.awsEndpointUrl });
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  try {
    const problems = await startProblems({ database, temporal, aws, platform: config.platform });
    if (problems.length > 0) throw new WorkerStartError(problems);
    await tenantDatabases.closeToPublic();
    const installationId = await findInstallationId(database);
    const activities = createActivities({
      database,
      tenantDatabases,
      platform: config.platform,
      installationId,
      aws,
      log,
    });
    const connection = await NativeConnection.connect(config.temporal.connectionOptions);
    try {
      const worker = await createWorker(config, connection, activities);
      await runUntilStopped({ config, log, stop, worker, database, temporal, aws });
    } finally {
      await connection.close();
    }
  } finally {
    await temporal.close();
    aws.destroy();
    await tenantDatabases.close();
    await database.close();
  }
}

async function createWorker(config: Config, connection: NativeConnection, activities: object): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: config.temporal.namespace ?? 'default',
    taskQueue: TASK_QUEUE,
    activities,
    workflowBundle: { codePath: await workflowBundlePath() },
    dataConverter: createDataConverter(config.payloadKeys),
    // A workflow task for a dead worker's sticky queue would wait 10 s by default (temporal-patterns: 11.2 s -> 3.2 s).
    stickyQueueScheduleToStartTimeout: '2s',
    shutdownGraceTime: SHUTDOWN_GRACE,
    maxConcurrentActivityTaskExecutions: 100,
  });
}

interface Running {
  readonly config: Config;
  readonly log: Logger;
  readonly stop: AbortSignal;
  readonly worker: Worker;
  readonly database: Database;
  readonly temporal: TemporalClient;
  readonly aws: PlatformAws;
}

async function runUntilStopped({ config, log, stop, worker, database, temporal, aws }: Running): Promise<void> {
  const orchestrator = temporalOrchestrator(temporal.client);
  const client = createTenantryClient({ database, orchestrator, platform: config.platform, products, log });
  const loops = [
    startLoop({ name: 'mailer', everyMs: 1_000, log }, () =>
      sendDueMails({ database, platform: config.platform, aws, log }),
    ),
    startLoop({ name: 'starter', everyMs: 2_000, log }, () => startAccepted({ database, client, log })),
    startLoop({ name: 'watch', everyMs: WATCH_EVERY_MS, log }, () => watchOperations({ database, orchestrator, log })),
  ];
  const health =
    config.workerHealthPort === undefined
      ? undefined
      : await startHealthServer(config.workerHealthPort, () => worker.getState() === 'RUNNING');
  const shutdown = () => worker.shutdown();
  stop.addEventListener('abort', shutdown, { once: true });
  try {
    log.info({ taskQueue: TASK_QUEUE, cells: config.platform.cells.map((c) => c.id) }, 'worker is polling');
    if (stop.aborted) return;
    await worker.run();
  } finally {
    stop.removeEventListener('abort', shutdown);
    health?.close();
    await Promise.all(loops.map((loop) => loop.stop()));
  }
}
