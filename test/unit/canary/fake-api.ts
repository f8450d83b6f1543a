import { randomUUID } from 'node:crypto';
import { ApiError, type ApiClient, type ListedTenant, type Status } from '../../../src/cli/api-client.ts';
import { makeSigningKey, sign } from '../../../src/certificates/signature.ts';

interface Kept {
  readonly tenant: { tenantId: string; slug: string; displayName: string; product: string; createdAt: string };
  readonly by: string;
  status: string;
  operation: { operationId: string; type: string; state: string };
  isOpen: boolean;
  deletion?: string;
}

/** What goes wrong; each is asked at the moment itself. */
export interface Faults {
  /** Of a request, before it is carried out. */
  readonly before?: (request: string) => void;
  /** After it: the answer is lost. */
  readonly after?: (request: string) => void;
  provisioningEnds?: 'succeeded' | 'rolled-back' | 'never';
  removalEnds?: 'succeeded' | 'stuck' | 'never';
}

export const refusal = (code: string, status = 409) =>
  new ApiError(status, { code, message: code, requestId: randomUUID() });

/** An API that keeps tenants: an operation ends at the second look. */
export function fakeApi(faults: Faults = {}, me = 'key:canary', reaches = 'own') {
  const kept = new Map<string, Kept>();
  const keys = new Map<string, string>();
  const requests: string[] = [];
  let hasSigned = false;
  const signing = makeSigningKey();
  let looks = 0;
  const made = (tenant: Partial<Kept['tenant']>, by = me, status = 'active'): Kept => {
    const tenantId = tenant.tenantId ?? randomUUID();
    const whole = {
      slug: tenantId,
      displayName: 'x',
      product: 'moamalat',
      createdAt: new Date().toISOString(),
      ...tenant,
      tenantId,
    };
    const operation = { operationId: randomUUID(), type: 'provision', state: 'succeeded' };
    const row: Kept = { tenant: whole, by, status, operation, isOpen: false };
    kept.set(tenantId, row);
    return row;
  };
  const asked = async <T>(request: string, answer: () => T | Promise<T>): Promise<T> => {
    requests.push(request);
    faults.before?.(request);
    const answered = await answer();
    faults.after?.(request);
    return answered;
  };
  const row = (id: string) => {
    const found = kept.get(id);
    if (!found) throw refusal('TENANT_NOT_FOUND', 404);
    return found;
  };
  const advance = (one: Kept) => {
    if (!one.isOpen || (looks += 1) % 2 === 1) return;
    const ends =
      one.operation.type === 'provision'
        ? (faults.provisioningEnds ?? 'succeeded')
        : (faults.removalEnds ?? 'succeeded');
    if (one.operation.state === 'rolling-back') Object.assign(one.operation, { state: 'cancelled' });
    else if (ends === 'never') return;
    else Object.assign(one.operation, { state: ends });
    if (one.operation.state === 'stuck') return;
    one.isOpen = false;
    one.status =
      one.operation.type !== 'provision' ? 'deleted' : one.operation.state === 'succeeded' ? 'active' : 'failed';
  };
  const statusOf = (one: Kept): Status => {
    advance(one);
    const { operation, isOpen } = one;
    return {
      ...{
        tenantId: one.tenant.tenantId,
        status: one.status,
        operation: { ...operation },
        currentSteps: isOpen ? ['create_dns'] : [],
      },
      outcome: isOpen ? null : { ...operation, message: '' },
      cleanupPending: operation.state === 'stuck',
      ...(operation.state === 'stuck' && {
        error: { code: 'ACCESS_DENIED', message: 'no' },
        leftovers: [{ stepId: 'create_dns', type: 'route53:record', name: 'x', reason: 'no' }],
      }),
    } as unknown as Status;
  };
  const api = {
    caller: () => asked('caller', () => ({ principal: me, role: 'canary', reaches, expiresAt: null })),
    products: () => asked('products', () => ({ products: [{ name: 'moamalat', slugs: 'chosen' }] })),
    list: () =>
      asked('list', () => ({
        tenants: [...kept.values()]
          .filter(({ by, status }) => status !== 'deleted' && (reaches === 'all' || by === me))
          .map(({ tenant, status }) => ({ ...tenant, status }) as unknown as ListedTenant),
        nextCursor: null,
      })),
    events: (id: string) => asked(`events`, () => [{ caller: { principal: row(id).by } }]),
    create: (body: Kept['tenant'], key: string) =>
      asked('create', () => {
        const tenantId = keys.get(key) ?? made(body).tenant.tenantId;
        if (!keys.has(key)) Object.assign(row(tenantId), { status: 'provisioning', isOpen: true });
        if (!keys.has(key)) row(tenantId).operation.state = 'running';
        keys.set(key, tenantId);
        return { tenantId, operationId: row(tenantId).operation.operationId, tenantUrl: null };
      }),
    status: (id: string) => asked('status', () => statusOf(row(id))),
    cancel: (id: string) => asked('cancel', () => void (row(id).operation.state = 'rolling-back')),
    delete: (id: string, confirm: string, options: object) =>
      asked(`delete ${confirm} ${JSON.stringify(options)}`, () => {
        const one = row(id);
        if (one.isOpen && one.operation.state !== 'stuck') throw refusal('OPERATION_IN_PROGRESS');
        one.operation = { operationId: randomUUID(), type: 'deprovision', state: 'running' };
        Object.assign(one, { status: 'deleting', isOpen: true, deletion: one.operation.operationId });
        return { tenantId: id, operationId: one.operation.operationId };
      }),
    keys: () => asked('keys', async () => ({ keys: hasSigned ? [(await signing).publicJwk] : [] })),
    certificate: (id: string) =>
      asked('certificate', async () => {
        const signed = await certificateOf(row(id), await signing);
        // As the API does: the first certificate makes the key.
        hasSigned = true;
        return signed;
      }),
  };
  return { api: api as unknown as ApiClient, kept, made, requests, faults };
}

async function certificateOf({ deletion, tenant }: Kept, key: Awaited<ReturnType<typeof makeSigningKey>>) {
  const at = new Date().toISOString();
  const certificate = {
    ...{ certificate: 'tenantry-deletion', version: 1, installationId: randomUUID() },
    tenant: { ...tenant, tier: null, cell: 'default', activatedAt: at, deletedAt: at },
    operation: { operationId: deletion, type: 'deprovision', askedBy: null, askedAt: at, closedAt: at },
    resources: [{ stepId: 'a', type: 't', name: 'n', physicalId: null, madeAt: at, absentAt: at }],
    residues: [{ stepId: 'a', type: 'secret', name: 'n', reason: 'kept', expiresAt: null }],
    tombstone: { slugReservedUntil: null },
  };
  return { certificate, jws: await sign(certificate, key) };
}
