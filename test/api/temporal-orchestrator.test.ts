import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OrchestratorUnreachableError, type RunRequest } from '../../src/client/orchestrator.ts';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import { TASK_QUEUE } from '../../src/contracts/ids.ts';
import type { Claim, ClaimInput } from '../../src/contracts/messages.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { part } from '../support/parts.ts';
import { startTemporalProxy } from '../support/temporal-proxy.ts';
import { containing } from './matchers.ts';

let connection: Connection;
let client: Client;
let native: NativeConnection;
const namespace = `orchestrator-${randomUUID().slice(0, 8)}`;
/** Claims wait here until the test lets them through: the run stays `accepted`. */
const claims = new Map<string, (claim: Claim) => void>();
const letGo = (operationId: string) => claims.get(operationId)?.({ claimed: false });

beforeAll(async () => {
  const { address } = await part('temporal');
  // The SDK's retries go on by timer after `close`.
  connection = await Connection.connect({ address, interceptors: [] });
  await createNamespace();
  client = new Client({ connection, namespace });
  native = await NativeConnection.connect({ address });
});
afterAll(async () => {
  await native.close();
  await connection.close();
});

/** A namespace of its own, so that no other test's worker polls our queue. */
async function createNamespace(): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const { searchAttributes } = await import('../../src/contracts/ids.ts');
  for (let n = 0; ; n += 1) {
    try {
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(searchAttributes.map((name) => [name, 2])),
      });
      return;
    } catch (error) {
      // The server learns of a new namespace a little later.
      if (n > 60) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

function request(): RunRequest {
  const slug = `t-${randomUUID().slice(0, 8)}`;
  return {
    operationId: randomUUID(),
    type: 'provision',
    workflowId: `tenant.moamalat.${slug}`,
    tenantId: randomUUID(),
    product: 'moamalat',
    slug,
    tier: null,
    tenantStatus: 'pending',
  };
}

async function withWorker<T>(body: () => Promise<T>): Promise<T> {
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundlePath() },
    activities: {
      claimOperation: ({ operationId }: ClaimInput) => new Promise<Claim>((done) => void claims.set(operationId, done)),
    },
  });
  return worker.runUntil(body);
}

describe('the orchestrator on a real Temporal server', () => {
  it('starts a run once per workflow id, with its search attributes, and takes Updates for the named operation only', async () => {
    const orchestrator = temporalOrchestrator(client);
    await orchestrator.ping();
    const run = request();
    expect(await orchestrator.start(run)).toBe('started');
    expect(await orchestrator.start(run)).toBe('already-open');
    const { typedSearchAttributes } = await client.workflow.getHandle(run.workflowId).describe();
    const found = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(found)).toEqual({
      TenantId: run.tenantId,
      TenantSlug: run.slug,
      Product: 'moamalat',
      Operation: 'provision',
      TenantStatus: 'pending',
    });
    await withWorker(async () => {
      while (!claims.has(run.operationId)) await new Promise((resolve) => setTimeout(resolve, 50));
      const pollers = await orchestrator.pollers();
      expect(pollers.map((p) => p.identity)).toContain(`${process.pid}@${hostname()}`);
      for (const { lastAccessAt } of pollers) expect(Date.now() - lastAccessAt.getTime()).toBeLessThan(75_000);
      const reference = { operationId: run.operationId, workflowId: run.workflowId, runId: null };
      expect(await orchestrator.update(reference, 'retry')).toMatchObject({
        taken: false,
        why: 'refused',
        reason: containing('nothing to retry'),
      });
      expect(await orchestrator.update({ ...reference, operationId: randomUUID() }, 'cancel')).toMatchObject({
        taken: false,
        why: 'refused',
      });
      expect(await orchestrator.update(reference, 'cancel')).toEqual({ taken: true });
      await orchestrator.close(reference, 'superseded');
      letGo(run.operationId);
      await client.workflow
        .getHandle(run.workflowId)
        .result()
        .catch(() => undefined);
      expect(await orchestrator.update(reference, 'cancel')).toMatchObject({ taken: false, why: 'not-running' });
      await orchestrator.close(reference, 'superseded');
      expect(await orchestrator.start({ ...run, operationId: randomUUID() })).toBe('started');
      await client.workflow.getHandle(run.workflowId).terminate('the test ends');
    });
  });

  it('has no Update taken after the time that it names when nobody answered', { timeout: 90_000 }, async () => {
    const orchestrator = temporalOrchestrator(client);
    const run = request();
    await orchestrator.start(run);
    const reference = { operationId: run.operationId, workflowId: run.workflowId, runId: null };
    const sentMs = Date.now();
    const unclear = await orchestrator.update(reference, 'cancel').catch((error: unknown) => error);
    expect(unclear).toBeInstanceOf(OrchestratorUnreachableError);
    const { mayLandUntil } = unclear as OrchestratorUnreachableError;
    expect(mayLandUntil!.getTime()).toBeGreaterThan(sentMs + 20_000);
    await new Promise((resolve) => setTimeout(resolve, mayLandUntil!.getTime() - Date.now()));
    const accepted = async () => {
      const { events } = await client.workflow.getHandle(run.workflowId).fetchHistory();
      return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
    };
    await withWorker(async () => {
      while (!claims.has(run.operationId) && (await accepted()).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await accepted()).toEqual([]);
      // One that comes in time is taken.
      expect(await orchestrator.update(reference, 'cancel')).toEqual({ taken: true });
      letGo(run.operationId);
      await client.workflow
        .getHandle(run.workflowId)
        .result()
        .catch(() => undefined);
    });
  });

  it('tells a run that is open from one that was terminated, and from one that it does not know', async () => {
    const orchestrator = temporalOrchestrator(client);
    const run = request();
    await orchestrator.start({ ...run, takesOver: 'lost-run' });
    const handle = client.workflow.getHandle(run.workflowId);
    const { runId } = await handle.describe();
    const { events } = await handle.fetchHistory();
    const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
    expect(JSON.parse(Buffer.from(input!).toString())).toEqual({ operationId: run.operationId, takesOver: 'lost-run' });

    const { workflowId } = run;
    for (const id of [runId, null]) expect(await orchestrator.look({ workflowId, runId: id })).toEqual({ is: 'open' });
    const before = Date.now();
    await handle.terminate('the test wants it');
    for (const id of [runId, null]) {
      const seen = await orchestrator.look({ workflowId, runId: id });
      expect(seen).toMatchObject({ is: 'closed', as: 'TERMINATED' });
      expect(seen.is === 'closed' && Math.abs(seen.at.getTime() - before) < 10_000).toBe(true);
    }
    expect(await orchestrator.look({ workflowId, runId: randomUUID() })).toEqual({ is: 'missing' });
    expect(await orchestrator.look({ workflowId: 'tenant.moamalat.nobody', runId: null })).toEqual({ is: 'missing' });
  });

  it('takes neither a missing namespace nor a server that is away for an answer about a run', async () => {
    const run = { workflowId: 'tenant.moamalat.acme', runId: randomUUID() };
    const elsewhere = temporalOrchestrator(new Client({ connection, namespace: 'nowhere' }));
    await expect(elsewhere.look(run)).rejects.toThrow(OrchestratorUnreachableError);
    const away = Connection.lazy({ address: '127.0.0.1:9', connectTimeout: '3s', interceptors: [] });
    await expect(temporalOrchestrator(new Client({ connection: away })).look(run)).rejects.toThrow(
      OrchestratorUnreachableError,
    );
    await away.close();
  });

  it('counts a start and an Update whose answers were lost as its own when it sends them again', async () => {
    const proxy = await startTemporalProxy((await part('temporal')).address);
    const proxied = await Connection.connect({ address: proxy.address, interceptors: [] });
    try {
      const orchestrator = temporalOrchestrator(new Client({ connection: proxied, namespace }));
      const run = request();
      proxy.loseAnswerOf('StartWorkflowExecution');
      expect(await orchestrator.start(run)).toBe('started');
      expect(proxy.calls('StartWorkflowExecution')).toBe(2);
      // Another operation of the same workflow id did not start it.
      proxy.loseAnswerOf('StartWorkflowExecution');
      expect(await orchestrator.start({ ...run, operationId: randomUUID() })).toBe('already-open');
      await withWorker(async () => {
        while (!claims.has(run.operationId)) await new Promise((resolve) => setTimeout(resolve, 50));
        proxy.loseAnswerOf('UpdateWorkflowExecution');
        const reference = { operationId: run.operationId, workflowId: run.workflowId, runId: null };
        const updateId = randomUUID();
        expect(await orchestrator.update(reference, 'cancel', { updateId })).toEqual({ taken: true });
        expect(proxy.calls('UpdateWorkflowExecution')).toBe(2);
        const again = { updateId, isRepeated: true };
        expect(await orchestrator.update(reference, 'cancel', again)).toEqual({ taken: true });
        const { events } = await client.workflow.getHandle(run.workflowId).fetchHistory();
        const accepted = events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
        expect(accepted).toHaveLength(1);
        letGo(run.operationId);
      });
    } finally {
      await proxied.close();
      await proxy.close();
    }
  });

  it('counts an Update as taken that a run accepted which ended before it was sent again, and no other', async () => {
    const proxy = await startTemporalProxy((await part('temporal')).address);
    const proxied = await Connection.connect({ address: proxy.address, interceptors: [] });
    try {
      const orchestrator = temporalOrchestrator(new Client({ connection: proxied, namespace }));
      const run = request();
      await orchestrator.start(run);
      const { workflowId, operationId } = run;
      const handle = client.workflow.getHandle(workflowId);
      const { runId } = await handle.describe();
      const reference = { operationId, workflowId, runId };
      await withWorker(async () => {
        while (!claims.has(operationId)) await new Promise((resolve) => setTimeout(resolve, 50));
        proxy.loseAnswerOf('UpdateWorkflowExecution', async () => {
          letGo(operationId);
          await handle.result().catch(() => undefined);
        });
        const updateId = randomUUID();
        expect(await orchestrator.update(reference, 'cancel', { updateId })).toEqual({ taken: true });
        proxy.loseAnswerOf('UpdateWorkflowExecution');
        const late = await orchestrator.update(reference, 'cancel');
        expect(late).toMatchObject({ taken: false, why: 'not-running' });
        expect(proxy.calls('UpdateWorkflowExecution')).toBe(4);
        const repeated = (id: string) => orchestrator.update(reference, 'cancel', { updateId: id, isRepeated: true });
        expect(await repeated(updateId)).toEqual({ taken: true });
        expect(await repeated(randomUUID())).toMatchObject({ taken: false, why: 'not-running' });
      });
    } finally {
      await proxied.close();
      await proxy.close();
    }
  });

  it('says that the outcome is unclear when no worker answers an Update within 5 s', async () => {
    const orchestrator = temporalOrchestrator(client);
    const run = request();
    await orchestrator.start(run);
    const begin = Date.now();
    const asked = orchestrator.update(
      { operationId: run.operationId, workflowId: run.workflowId, runId: null },
      'cancel',
    );
    await expect(asked).rejects.toThrow(OrchestratorUnreachableError);
    expect(Date.now() - begin).toBeLessThan(9_000);
    await client.workflow.getHandle(run.workflowId).terminate('the test ends');
  });

  it('gives up on a server that is away within 4 s', async () => {
    const away = Connection.lazy({ address: '127.0.0.1:9', connectTimeout: '3s', interceptors: [] });
    const orchestrator = temporalOrchestrator(new Client({ connection: away, namespace }));
    const begin = Date.now();
    await expect(orchestrator.start(request())).rejects.toThrow(OrchestratorUnreachableError);
    await expect(orchestrator.ping()).rejects.toThrow(OrchestratorUnreachableError);
    expect(Date.now() - begin).toBeLessThan(9_000);
    await away.close();
  });
});
