import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../sandbox/parts/ports.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { registerSweep } from '../../src/cli/sweep.ts';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import { createTenantryClient, type TenantryClient } from '../../src/client/tenantry.ts';
import { LONGEST_LATENESS_MS } from '../../src/contracts/verbs.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { findOperation } from '../../src/db/operations.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { lostRunDraft } from '../../src/sweep/ledger-findings.ts';
import { createTemporalRuns } from '../../src/sweep/temporal-runs.ts';
import type { TemporalClient } from '../../src/temporal/client.ts';
import { foreignNamespace } from '../../src/worker/own-namespace.ts';
import { platform, seedTenant, type Seeded } from '../db/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';
import { examplePlatform } from '../support/platform.ts';
import { someSlug } from './sweep-world.ts';
import { testCaller } from '../support/caller.ts';

/* What the sweep asks a real Temporal server, and how the command line opens it. */

const directory = mkdtempSync(join(tmpdir(), 'tenantry-temporal-runs-'));
const log = pino({ level: 'silent' });
const clients: TenantryClient[] = [];
let test: TestDatabase;
let db: Database;
let namespaces: Namespaces;
let address: string;
let own: TemporalClient;
let other: TemporalClient;

beforeAll(async () => {
  [test, namespaces] = await Promise.all([createTestDatabase(), openNamespaces()]);
  ({ address, own, other } = namespaces);
  await migrate(test.controlUrl);
  db = createDatabase({ url: test.controlUrl });
  expect(await foreignNamespace(db, own)).toBeUndefined();
  writeFileSync(join(directory, 'platform.json'), JSON.stringify(examplePlatform()));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all([namespaces.close(), db.close()]);
  await test.drop();
  rmSync(directory, { recursive: true });
});

function temporalRunsOf({ client: temporal }: TemporalClient) {
  const orchestrator = temporalOrchestrator(temporal);
  const client = createTenantryClient({ database: db, orchestrator, platform, catalog: defaultCatalog, log });
  clients.push(client);
  return createTemporalRuns({ temporal, orchestrator, client, database: db, log });
}

/** A running operation without a sign of life for so long that its run is asked about; Temporal knows no such run. */
async function silentOperation(): Promise<Seeded> {
  const tenant = await seedTenant(db, { slug: someSlug() });
  for (const status of ['validating', 'creating'])
    await db.query('update tenants set status = $2 where id = $1', [tenant.tenantId, status]);
  await db.query(`update operations set state = 'running', run_id = $2 where id = $1`, [
    tenant.operationId,
    randomUUID(),
  ]);
  await grownSilent(tenant);
  return tenant;
}

async function grownSilent({ operationId }: Seeded): Promise<void> {
  await db.query(`update operations set updated_at = updated_at - $2 * interval '1 millisecond' where id = $1`, [
    operationId,
    LONGEST_LATENESS_MS + 1_000,
  ]);
}

const workflowIdOf = ({ slug }: Seeded) => `tenant.moamalat.${slug}`;

/** What a worker writes about an operation whose run was lost. */
async function lostRun({ operationId }: Seeded, runId: string | null = null): Promise<void> {
  const failure = { code: 'RUN_LOST', message: 'the run was lost' };
  await db.query(
    `update operations set state = 'stuck', failure = $2::jsonb, run_id = coalesce($3, run_id) where id = $1`,
    [operationId, JSON.stringify(failure), runId],
  );
}

/** A run of the tenant's workflow id that no worker serves; its id. */
async function startRun(tenant: Seeded): Promise<string> {
  const handle = await own.client.workflow.start('TenantProvisioning', {
    workflowId: workflowIdOf(tenant),
    taskQueue: tenant.tenantId,
  });
  return handle.firstExecutionRunId;
}

/** Closes it as a worker does when the workflow returns. */
async function completeRun({ tenantId }: Seeded): Promise<void> {
  const { namespace, client } = own;
  const { COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: commandType } = proto.temporal.api.enums.v1.CommandType;
  const commands = [{ commandType, completeWorkflowExecutionCommandAttributes: {} }];
  await client.withDeadline(Date.now() + 20_000, async () => {
    const taskQueue = { name: tenantId };
    const { taskToken } = await client.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue });
    await client.workflowService.respondWorkflowTaskCompleted({ namespace, taskToken, commands });
  });
}

const stateOf = async ({ operationId }: Seeded) => (await findOperation(db, operationId))?.state;

describe('what the sweep learns from Temporal', () => {
  it('finishes the lost run that was approved, and makes no other operation stuck', async () => {
    const [approved, bystander] = [await silentOperation(), await silentOperation()];
    const temporalRuns = temporalRunsOf(own);
    const lost = await temporalRuns.findLost();
    expect(lost.map((l) => l.operationId).sort()).toEqual([approved.operationId, bystander.operationId].sort());
    const finished = await temporalRuns.finishLost(
      testCaller,
      lost.find((l) => l.operationId === approved.operationId)!,
    );
    expect(finished).toContain(`finishes operation ${approved.operationId}`);
    expect(await stateOf(approved)).toBe('stuck');
    expect(await stateOf(bystander)).toBe('running');
  });

  it('leaves an operation to the run that has taken it over, though the database does not say so yet', async () => {
    const tenant = await silentOperation();
    await lostRun(tenant);
    const temporalRuns = temporalRunsOf(own);
    const isLost = async () => (await temporalRuns.findLost()).some((l) => l.operationId === tenant.operationId);
    expect(await isLost()).toBe(true);
    const takeover = await startRun(tenant);
    expect(await isLost()).toBe(false);
    await own.client.workflow.getHandle(workflowIdOf(tenant), takeover).terminate();
    expect(await isLost()).toBe(true);
  });

  it('lets nobody approve the finishing of a provisioning whose run completed: its tenant may be live', async () => {
    const tenant = await silentOperation();
    const runId = await startRun(tenant);
    await completeRun(tenant);
    await lostRun(tenant, runId);
    const [lost] = (await temporalRunsOf(own).findLost()).filter((l) => l.operationId === tenant.operationId);
    expect(lost?.obstacle).toContain('COMPLETED');
    const draft = lostRunDraft(lost!);
    expect(draft.removable).toBe(false);
    expect(draft.remedy).toContain('this database is older than what happened');
    expect(draft.remedy).not.toMatch(/delete|abandon/);
    await expect(temporalRunsOf(own).finishLost(testCaller, lost!)).rejects.toThrow('COMPLETED');
  });

  it("says nothing from a namespace that does not hold this installation's runs", async () => {
    const tenant = await silentOperation();
    const temporalRuns = temporalRunsOf(other);
    const refusal = `this is "${other.namespace}"`;
    await expect(temporalRuns.findLost()).rejects.toThrow(refusal);
    await expect(temporalRuns.knowsTenant(tenant.tenantId)).rejects.toThrow(refusal);
    const [lost] = (await temporalRunsOf(own).findLost()).filter((l) => l.operationId === tenant.operationId);
    await expect(temporalRuns.finishLost(testCaller, lost!)).rejects.toThrow(refusal);
    expect(await stateOf(tenant)).toBe('running');
  });
});

describe('the command line', () => {
  let printed: string[];
  beforeEach(() => {
    printed = [];
    for (const method of ['log', 'error'] as const)
      vi.spyOn(console, method).mockImplementation((text: unknown) => void printed.push(String(text)));
    vi.stubEnv('DATABASE_URL', test.controlUrl);
    vi.stubEnv('PLATFORM_CONFIG', join(directory, 'platform.json'));
    vi.stubEnv('TENANTRY_PAYLOAD_KEY', Buffer.alloc(32, 1).toString('base64'));
    vi.stubEnv('TEMPORAL_ADDRESS', address);
    vi.stubEnv('TEMPORAL_NAMESPACE', own.namespace);
    vi.stubEnv('LOG_LEVEL', 'silent');
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    process.exitCode = undefined;
  });

  async function sweepList(): Promise<{ code: typeof process.exitCode; text: string }> {
    process.exitCode = undefined;
    await buildProgram({ registrars: [registerSweep] }).parseAsync(['sweep', 'list'], { from: 'user' });
    return { code: process.exitCode, text: printed.join('\n') };
  }

  it('refuses another namespace than that of its runs, as wrong usage', async () => {
    expect((await sweepList()).code).toBe(0);
    vi.stubEnv('TEMPORAL_NAMESPACE', other.namespace);
    const refused = await sweepList();
    expect(refused.code).toBe(2);
    expect(refused.text).toContain(`the runs of this database are in the Temporal namespace "${own.namespace}"`);
  });

  it('opens without a Temporal that answers: reports are made all the same', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', `127.0.0.1:${await freePort()}`);
    expect((await sweepList()).code).toBe(0);
  });

  it('says by its exit code that PostgreSQL is away', async () => {
    vi.stubEnv('DATABASE_URL', `postgresql://nobody@127.0.0.1:${await freePort()}/nothing`);
    expect((await sweepList()).code).toBe(5);
  });
});
