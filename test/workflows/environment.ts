import { fileURLToPath } from 'node:url';
import {
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ConnectionPlugin,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { timeSkippingExecutable } from '../../sandbox/parts/time-skipping-server.ts';
import { searchAttributes, TASK_QUEUE } from '../../src/contracts/ids.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import type * as workflows from '../../src/workflows/index.ts';
import { activitiesOf, Gates, LOST_RUN, World, type WorldOptions } from './world.ts';

const failureConverterPath = fileURLToPath(new URL('../../src/temporal/failure-converter.cjs', import.meta.url));

export type Handle = WorkflowHandleWithFirstExecutionRunId<typeof workflows.TenantProvisioning>;

export interface Started {
  readonly world: World;
  readonly handle: Handle;
  readonly gates: Gates;
}

/** A time-skipping server with one worker on the real bundle, and worlds for its activities. */
export interface WorkflowEnvironment {
  readonly server: TestWorkflowEnvironment;
  /** Makes a world and starts its workflow; the gated calls wait at their entry until they are opened. */
  start(options: WorldOptions, gated?: readonly string[]): Promise<Started>;
  stop(): Promise<void>;
}

/**
 * The SDK's retries by timer, until the server is to stop: one that fires after the connection was closed would end the
 * process with "Channel has been shut down".
 */
function retriesUntil(stopped: AbortSignal): ConnectionPlugin {
  const usual = defaultGrpcRetryOptions();
  const retryableDecider: typeof usual.retryableDecider = (attempt, status) =>
    !stopped.aborted && usual.retryableDecider(attempt, status);
  const interceptors = [makeGrpcRetryInterceptor({ ...usual, retryableDecider })];
  return { name: 'retries-until-stopped', configureConnection: (options) => ({ ...options, interceptors }) };
}

interface ServerOptions {
  readonly path: string;
  readonly identity: string;
  readonly stopped: AbortSignal;
}

/** The SDK gives a server 5 s to come up, which a busy machine may not have. */
async function createServer(options: ServerOptions, attempts = 6): Promise<TestWorkflowEnvironment> {
  const { path, identity, stopped } = options;
  try {
    return await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path } },
      client: { identity, dataConverter: { failureConverterPath } },
      plugins: [retriesUntil(stopped)],
    });
  } catch (error) {
    if (attempts <= 1) throw error;
    return createServer(options, attempts - 1);
  }
}

/**
 * One server for a file's tests, and another one after a test that ran out of its time: a server that has come to stand still (it
 * does at times when an activity ends at the moment in which time is skipped) would let every later test run out of its time too.
 */
export async function startEnvironment(options: { readonly identity?: string } = {}): Promise<WorkflowEnvironment> {
  let current = await startOne(options);
  let isTimedOut = false;
  return {
    get server() {
      return current.server;
    },
    async start(world, gated) {
      if (isTimedOut) {
        await current.stop();
        current = await startOne(options);
      }
      isTimedOut = false;
      await onTimeOut(() => (isTimedOut = true));
      return current.start(world, gated);
    },
    stop: () => current.stop(),
  };
}

/** Histories are recorded outside tests. */
async function onTimeOut(act: () => void): Promise<void> {
  if (process.env['VITEST'] === undefined) return;
  const { onTestFailed } = await import('vitest');
  onTestFailed(({ task }) => {
    if (task.result?.errors?.some(({ message }) => message.startsWith('Test timed out'))) act();
  });
}

async function startOne({ identity = 'test' }: { readonly identity?: string }): Promise<WorkflowEnvironment> {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] });
  const path = await timeSkippingExecutable({ log: () => undefined });
  const stopping = new AbortController();
  const server = await createServer({ path, identity, stopped: stopping.signal });
  // An upsert of one that is missing would hang. This server cannot list them, so they are added unseen.
  const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;
  await server.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(searchAttributes.map((name) => [name, INDEXED_VALUE_TYPE_KEYWORD])),
  });
  const worlds = new Map<string, World>();
  const worker = await Worker.create({
    connection: server.nativeConnection,
    identity,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundlePath() },
    activities: activitiesOf(worlds),
    dataConverter: { failureConverterPath },
    shutdownForceTime: 1_000,
  });
  const running = worker.run();
  let count = 0;
  return {
    server,
    async start(options, gated = []) {
      const world = new World(options);
      worlds.set(world.operationId, world);
      const gates = new Gates(world, gated);
      count += 1;
      const { workflowType } = world.rules;
      const handle = await server.client.workflow.start<typeof workflows.TenantProvisioning>(workflowType, {
        workflowId: `tenant.moamalat.acme-${count}`,
        taskQueue: TASK_QUEUE,
        args: [{ operationId: world.operationId, ...(options.takeover ? { takesOver: LOST_RUN } : {}) }],
      });
      return { world, handle, gates };
    },
    async stop() {
      stopping.abort();
      worker.shutdown();
      // Activities that hang on purpose are given up by `shutdownForceTime`.
      await running.catch(() => undefined);
      await server.teardown();
    },
  };
}
