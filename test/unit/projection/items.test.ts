import { describe, expect, it } from 'vitest';
import { fromAttributes, toAttributes, type Item } from '../../../src/aws/dynamodb-values.ts';
import type { TenantState } from '../../../src/db/projections.ts';
import { eventItem, tenantIdOf, tenantItem } from '../../../src/projection/items.ts';

const tenantId = '11111111-1111-4111-8111-111111111111';
const operationId = '22222222-2222-4222-8222-222222222222';
const installationId = '33333333-3333-4333-8333-333333333333';
const at = new Date('2026-11-30T05:00:00.000Z');

const tenant: TenantState['tenant'] = {
  ...{
    id: tenantId,
    product: 'moamalat',
    tier: null,
    cameFromTier: null,
    slug: 'acme',
    displayName: 'Acme',
    cell: 'default',
  },
  ...{ contactEmail: 'Ops@Acme.example', hostName: 'acme.example', tenantUrl: 'https://acme.example' },
  ...{
    settings: { token: 'not for the table' },
    credentials: 1,
    settingsVersion: 2,
    status: 'creating',
    cleanupPending: false,
  },
  ...{ failure: null, createdAt: at, updatedAt: at, activatedAt: null, deletedAt: null },
  health: null,
  isolation: null,
};
const operation: NonNullable<TenantState['operation']> = {
  ...{ id: operationId, tenantId, cell: 'default', type: 'provision', state: 'running', onFailure: 'hold', holdMs: 1 },
  ...{ workflowId: 'tenant.moamalat.acme', runId: null, generation: 1, failure: null, leftovers: null, caller: null },
  ...{ graceUntil: null, statusBefore: null, refreshes: false, finalDump: null, traceparent: null },
  ...{ cancelRequestedAt: null, acceptedAt: at, claimedAt: at, committedAt: null, closedAt: null, updatedAt: at },
};
const step: TenantState['steps'][number] = {
  ...{ tenantId, operationId, removingAt: null, applied: null },
  ...{ stepId: 'create_dns', kind: 'dns-record', state: 'present', generation: 1, inputsHash: null, outputs: null },
  ...{
    outputsHash: null,
    unclearUntil: null,
    startedAt: at,
    readyAt: null,
    removedAt: null,
    removal: null,
    residues: null,
    detail: null,
  },
  ...{ failure: null },
};
const resource = (n: number): TenantState['resources'][number] => ({
  ...{ id: n, tenantId, stepId: 'create_dns', cell: 'default', operationId, type: 'dns-record', name: `r${n}` },
  ...{
    physicalId: null,
    state: 'ready',
    residues: null,
    failure: null,
    intendedAt: at,
    updatedAt: at,
    madeAt: at,
    absentAt: null,
  },
});
const state: TenantState = { version: 7, tenant, operation, steps: [step], resources: [resource(1)] };

describe("a tenant's item", () => {
  it('has the keys of the table and its indexes, and what the API shows', () => {
    expect(tenantItem(state, installationId)).toEqual({
      PK: `TENANT#${tenantId}`,
      SK: 'META',
      GSI1PK: 'PRODUCT#moamalat',
      GSI1SK: `STATUS#creating#TENANT#${tenantId}`,
      GSI2PK: 'OWNER#ops@acme.example',
      GSI2SK: `TENANT#${tenantId}`,
      item: 'tenant',
      schemaVersion: 1,
      version: 7,
      installationId,
      tenantId,
      product: 'moamalat',
      tier: null,
      slug: 'acme',
      displayName: 'Acme',
      contactEmail: 'Ops@Acme.example',
      cell: 'default',
      hostName: 'acme.example',
      tenantUrl: 'https://acme.example',
      status: 'creating',
      cleanupPending: false,
      health: null,
      settingsVersion: 2,
      error: null,
      operation: { operationId, type: 'provision', state: 'running' },
      currentStep: 'create_dns',
      currentSteps: ['create_dns'],
      resources: [{ stepId: 'create_dns', type: 'dns-record', name: 'r1', physicalId: null, state: 'ready' }],
      resourcesTotal: 1,
      createdAt: '2026-11-30T05:00:00.000Z',
      activatedAt: null,
      deletedAt: null,
    });
  });

  it("says why the operation failed, and stays below DynamoDB's 400 KB however many resources there are", () => {
    const failure = { code: 'SERVICE_FAILED', message: 'the service failed', stepId: 'create_dns' };
    const resources = Array.from({ length: 5_000 }, (_, n) => resource(n));
    const item = tenantItem(
      { ...state, operation: { ...operation, state: 'stuck', failure }, resources },
      installationId,
    );
    expect(item).toMatchObject({ error: failure, currentStep: null, currentSteps: [], resourcesTotal: 5_000 });
    expect(JSON.stringify(toAttributes(item)).length).toBeLessThan(400_000);
  });
});

describe("an event's item", () => {
  const event = { tenantId, operationId, type: 'step.ready', stepId: 'create_dns', data: { durationMs: 5 } } as const;

  it('is kept apart from another of the same moment by its id', () => {
    const [one, two] = [3, 4].map((id) =>
      eventItem({ ...event, id, at: '2026-11-30T05:00:00.000001Z' }, installationId),
    );
    expect(one?.SK).toBe('EVENT#2026-11-30T05:00:00.000001Z#create_dns#3');
    expect(two?.SK).not.toBe(one?.SK);
    expect(one).toMatchObject({ PK: `TENANT#${tenantId}`, eventId: 3, data: { durationMs: 5 } });
  });

  it('goes by its type when no step is meant', () => {
    const item = eventItem({ ...event, id: 3, at: '2026-11-30T05:00:00.000001Z', stepId: null }, installationId);
    expect(item.SK).toBe('EVENT#2026-11-30T05:00:00.000001Z#step.ready#3');
  });
});

it("an item's tenant is told by its key, whoever wrote it", () => {
  expect(tenantIdOf({ PK: `TENANT#${tenantId}`, SK: 'META' })).toBe(tenantId);
  for (const PK of ['TENANT#acme', `ACCOUNT#${tenantId}`, tenantId])
    expect(tenantIdOf({ PK, SK: 'META' })).toBeUndefined();
});

it('what DynamoDB holds is read as it was written', () => {
  const item: Item = { a: 'text', b: 0, c: -1.5, d: false, e: null, f: [1, 'two', [null]], g: { h: { i: [] } }, j: '' };
  expect(fromAttributes(toAttributes(item))).toEqual(item);
});
