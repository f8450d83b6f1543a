import { randomBytes, randomUUID } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import { TASK_QUEUE } from '../../src/contracts/ids.ts';
import type { Claim, ClaimInput, OperationInput } from '../../src/contracts/messages.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { createWorkerDataConverter } from '../../src/temporal/data-converter.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';

const completed =
  proto.temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
const key = randomBytes(32);
let namespaces: Namespaces;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
/** Claims wait here until the test answers: the run is at its first activity. */
const claims = new Map<string, (claim: Claim) => void>();

beforeAll(async () => {
  namespaces = await openNamespaces(key);
  native = await NativeConnection.connect({ address: namespaces.address });
  worker = await Worker.create({
    connection: native,
    namespace: namespaces.own.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundlePath() },
    dataConverter: createWorkerDataConverter([key]),
    // Each task replays all: what cannot be read must be bearable again and again.
    maxCachedWorkflows: 0,
    activities: {
      claimOperation: ({ operationId }: ClaimInput) => new Promise<Claim>((done) => void claims.set(operationId, done)),
    },
    shutdownForceTime: 1_000,
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running.catch(() => undefined);
  await native.close();
  await namespaces.close();
});

let run: { operationId: string; workflowId: string; runId: null };
const ns = () => namespaces.own.namespace;
const service = () => namespaces.own.client.workflowService;
const orchestrator = () => temporalOrchestrator(namespaces.own.client);
const handle = () => namespaces.own.client.workflow.getHandle(run.workflowId);
const execution = () => ({ workflowId: run.workflowId });

beforeEach(async () => {
  run = { operationId: randomUUID(), workflowId: `tenant.moamalat.t-${randomUUID().slice(0, 8)}`, runId: null };
  const input: OperationInput = { operationId: run.operationId };
  await namespaces.own.client.workflow.start('TenantProvisioning', {
    workflowId: run.workflowId,
    taskQueue: TASK_QUEUE,
    args: [input],
  });
  await vi.waitFor(() => expect(claims.has(run.operationId)).toBe(true), { timeout: 30_000 });
});
afterEach(async () => {
  await handle()
    .terminate()
    .catch(() => undefined);
});

const plain = (encoding: string, data: string | Uint8Array): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(data),
});
const encrypted = async () => (await new EncryptionCodec([key]).encode([plain('json/plain', '"x"')]))[0]!;
async function forged(): Promise<Payload> {
  const payload = await encrypted();
  const data = Buffer.from(payload.data!);
  data[data.length - 1]! ^= 1;
  return { ...payload, data };
}

const unreadable: [string, () => Payload | Promise<Payload>][] = [
  ['what claims to be encrypted and is not', () => plain('binary/encrypted', '"x"')],
  [
    'what claims to be encrypted with a key that cannot be',
    () => ({ metadata: { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from('my key') } }),
  ],
  ['what was encrypted and changed', forged],
  ['broken JSON', () => plain('json/plain', '{"operationId":')],
  ['an encoding that nobody knows', () => plain('text/klingon', 'Qapla')],
  ['a protobuf message', () => plain('binary/protobuf', Buffer.from([8, 1]))],
  ['nothing that says what it is', () => ({ data: Buffer.from('x') })],
];

const signal = (signalName: string, payloads: Payload[]) =>
  service().signalWorkflowExecution({
    namespace: ns(),
    workflowExecution: execution(),
    signalName,
    input: { payloads },
  });
/** The run answers, its tasks do not fail, and it goes on to its end. */
async function expectHealthy(): Promise<void> {
  expect(await orchestrator().update(run, 'retry')).toMatchObject({ taken: false, why: 'refused' });
  expect(await handle().query('progress')).toMatchObject({ operationId: run.operationId, state: 'accepted' });
  const { events } = await handle().fetchHistory();
  expect((events ?? []).filter((e) => e.workflowTaskFailedEventAttributes)).toEqual([]);
}

describe('a run that is sent', () => {
  it.each(unreadable)('%s goes on, takes no request from it, and can be cancelled', async (_, make) => {
    const payload = await make();
    for (const name of ['retry', 'cancel', 'close', 'no-such-signal', '__temporal_signal'])
      await signal(name, [payload, payload]);
    await expectHealthy();

    for (const name of ['cancel', 'no-such-update']) {
      const sent = service().updateWorkflowExecution({
        namespace: ns(),
        workflowExecution: execution(),
        waitPolicy: { lifecycleStage: completed },
        request: { meta: { updateId: randomUUID() }, input: { name, args: { payloads: [payload] } } },
      });
      expect((await sent).outcome?.failure?.message ?? (await sent).outcome?.failure).toBeTruthy();
    }
    const queries = ['progress', 'no-such-query'].map((queryType) =>
      service()
        .queryWorkflow({
          namespace: ns(),
          execution: execution(),
          query: { queryType, queryArgs: { payloads: [payload] } },
        })
        .catch((error: unknown) => error),
    );
    await Promise.all(queries);
    await expectHealthy();

    expect(await orchestrator().update(run, 'cancel')).toEqual({ taken: true });
    claims.get(run.operationId)!({ claimed: false });
    expect(await handle().result()).toMatchObject({ outcome: 'not-claimed' });
  });
});

describe('what the run itself needs stays an error when it cannot be read:', () => {
  const failedTasks = async () => {
    const { raw } = await handle().describe();
    return raw.pendingWorkflowTask?.attempt ?? 0;
  };

  it.each(unreadable)("an activity's answer of %s", async (_, make) => {
    await service().respondActivityTaskCompletedById({
      namespace: ns(),
      workflowId: run.workflowId,
      activityId: '1',
      result: { payloads: [await make()] },
    });
    await expect.poll(failedTasks).toBeGreaterThan(1);
    expect((await handle().describe()).status.name).toBe('RUNNING');
  });

  it('also a signal whose key this worker lacks: it gets it when the rotation is over', async () => {
    const [foreign] = await new EncryptionCodec([randomBytes(32)]).encode([plain('json/plain', '"x"')]);
    await signal('cancel', [foreign!]);
    await expect.poll(failedTasks).toBeGreaterThan(1);
  });
});
