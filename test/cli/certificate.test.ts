import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeOperation } from '../../src/activities/operation-closing.ts';
import { forgeryIn } from '../../src/certificates/signature.ts';
import type { SignedCertificate } from '../../src/contracts/certificate.ts';
import { recordIntent } from '../../src/db/step-making.ts';
import type { StepKey } from '../../src/db/steps.ts';
import { markRemoving, noteRemoval, recordGone, recordRemoved, recordResidues } from '../../src/db/step-removal.ts';
import { acme, createApiFixture, type ApiFixture } from '../api/api-fixture.ts';

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tenantry-certificate-'));
let api: ApiFixture;
let url: string;
beforeAll(async () => {
  api = await createApiFixture();
  url = (await api.listen()).url;
});
afterAll(async () => {
  await api.close();
  rmSync(directory, { recursive: true });
});

interface Tenant {
  readonly tenantId: string;
  readonly operationId: string;
  readonly workflowId: string;
  readonly slug: string;
}
const residue = { type: 'ecs:task-definition', name: 'acme:1', reason: 'INACTIVE revisions stay', expiresAt: null };
const moments: Record<string, number> = {};

let counter = 0;
async function active(): Promise<Tenant> {
  const slug = `gone-${(counter += 1)}`;
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
  const tenant = { ...answer.json<Tenant>(), slug };
  await api.orchestrator.claim(tenant.operationId);
  await recordIntent(api.database, {
    key: keyOf(tenant, tenant.operationId),
    resources: ['backend', 'frontend'].map((name) => ({ type: 'logs:log-group', name: `${slug}-${name}` })),
    ...{ latenessMs: 0, attempt: 1, sawMade: false },
  });
  const rows = { ...keyOf(tenant, tenant.operationId), stepId: 'rows', kind: 'dynamodb-rows' };
  await recordIntent(api.database, { key: rows, resources: [], latenessMs: 0, attempt: 1, sawMade: false });
  await api.database.query('update steps set unclear_until = null');
  await api.move(tenant.tenantId, ['committing', 'succeeded'], ['creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}

/** @param notes of the removal of a step whose rows are deleted one by one; undefined: there is no such step */
async function deleted(notes?: Readonly<Record<string, string>>): Promise<Tenant> {
  const tenant = await active();
  const path = `/api/v1/tenants/${tenant.tenantId}?confirm=${tenant.slug}`;
  const { operationId } = (await api.app.inject({ method: 'DELETE', url: path })).json<Tenant>();
  await api.orchestrator.claim(operationId);
  await api.move(tenant.tenantId, ['committing']);
  const key = keyOf(tenant, operationId);
  await markRemoving(api.database, key);
  await recordGone(api.database, key, [{ type: 'logs:log-group', name: `${tenant.slug}-backend` }]);
  moments['betweenTheTwo'] = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await recordResidues(api.database, key, [residue]);
  await recordRemoved(api.database, key);
  if (notes) await deletedRows({ ...key, stepId: 'rows', kind: 'dynamodb-rows' }, notes);
  await closeOperation(api.database, { operationId, state: 'succeeded' });
  return { ...tenant, operationId };
}
async function deletedRows(key: StepKey, notes: Readonly<Record<string, string>>): Promise<void> {
  await markRemoving(api.database, key);
  await noteRemoval(api.database, key, notes);
  await recordRemoved(api.database, key);
}
const keyOf = ({ tenantId }: Tenant, operationId: string) => ({
  ...{ tenantId, operationId, cell: 'default', stepId: 'logs', kind: 'log-group', generation: 1 },
});

const get = async <T>(path: string) => {
  const answer = await api.app.inject({ url: path });
  return { code: answer.statusCode, body: answer.json<T>() };
};
const certificateOf = ({ tenantId }: Tenant) => get<SignedCertificate>(`/api/v1/tenants/${tenantId}/certificate`);
const keys = async () => (await get<{ keys: { kty: string; kid: string }[] }>('/api/v1/keys')).body;
/** `tenantry tenants certificate ...`. */
const cli = (...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = { ...process.env, TENANTRY_API_URL: url };
    execFile(process.execPath, [bin, 'tenants', 'certificate', ...args], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
function file(name: string, content: unknown): string {
  writeFileSync(join(directory, name), JSON.stringify(content));
  return join(directory, name);
}

describe('the certificate of a deletion', () => {
  it('says what was seen absent and when, what stays, and who asked; and is the same ever after', async () => {
    const tenant = await deleted();
    const both = await Promise.all([certificateOf(tenant), certificateOf(tenant)]);
    expect(both.map(({ code }) => code)).toEqual([200, 200]);
    const { certificate, jws } = both[0].body;
    expect(both[1].body).toEqual({ certificate, jws });
    expect(certificate).toMatchObject({
      tenant: { tenantId: tenant.tenantId, slug: tenant.slug, product: 'moamalat' },
      operation: { operationId: tenant.operationId, type: 'deprovision', askedBy: { role: 'platform-admin' } },
      residues: [{ ...residue, stepId: 'logs' }],
    });
    const [backend, frontend] = certificate.resources;
    expect([backend?.name, frontend?.name]).toEqual([`${tenant.slug}-backend`, `${tenant.slug}-frontend`]);
    expect(Date.parse(backend?.absentAt ?? '')).toBeLessThanOrEqual(moments['betweenTheTwo'] ?? 0);
    expect(Date.parse(frontend?.absentAt ?? '')).toBeGreaterThan(moments['betweenTheTwo'] ?? 0);
    const reserved = Date.parse(certificate.tombstone.slugReservedUntil ?? '');
    expect(reserved - Date.parse(certificate.tenant.deletedAt)).toBe(30 * 86_400_000);
    expect(JSON.stringify(certificate)).not.toContain(acme.contactEmail);
    // The ledger may be tidied up one day: what was certified stays.
    await api.database.query('update ledger set absent_at = null where tenant_id = $1', [tenant.tenantId]);
    expect((await certificateOf(tenant)).body).toEqual({ certificate, jws });
    await expect(api.database.query('delete from certificates')).rejects.toThrow('append-only');
  });

  it('lists rows of services that were deleted one by one, as certain as they were counted', async () => {
    const notes = { table: 'shared-items', partition: 'ACCOUNT#1', rows: '3' };
    const { certificate, jws } = (await certificateOf(await deleted(notes))).body;
    expect(certificate.deletedRows).toEqual([
      { stepId: 'rows', ...notes, rows: 3, isExact: true, absentAt: expect.stringMatching(/Z$/) as string },
    ]);
    expect(await cli('--verify', file('rows.json', { certificate, jws }))).toMatchObject({
      ...{
        code: 0,
        out: expect.stringContaining('deleted: 3 rows of partition ACCOUNT#1 of table shared-items;') as string,
      },
    });
    const interrupted = (await certificateOf(await deleted({ ...notes, atLeast: 'true' }))).body;
    expect(interrupted.certificate.deletedRows).toMatchObject([{ rows: 3, isExact: false }]);
    expect((await certificateOf(await deleted())).body.certificate.deletedRows).toEqual([]);
  });

  it('is verified by the public keys, and any change in it is told', async () => {
    const { body: signed } = await certificateOf(await deleted());
    expect(await forgeryIn(signed, await keys())).toBeUndefined();
    const { certificate, jws } = signed;
    const early = { ...certificate, tenant: { ...certificate.tenant, deletedAt: '2020-01-01T00:00:00.000Z' } };
    expect(await forgeryIn({ certificate: early, jws }, await keys())).toContain('not what was signed');
    const payload = Buffer.from(JSON.stringify(early)).toString('base64url');
    const forged = { certificate: early, jws: { ...jws, payload } };
    expect(await forgeryIn(forged, await keys())).toContain('signature');
    expect(await forgeryIn(signed, { keys: [] })).toContain('signature');
  });

  it('stays verifiable when another key signs, and keeps no private key in the open', async () => {
    const first = (await certificateOf(await deleted())).body;
    await api.database.query('update signing_keys set retired_at = now()');
    const second = (await certificateOf(await deleted())).body;
    const known = await keys();
    expect(new Set(known.keys.map(({ kid }) => kid)).size).toBe(2);
    for (const signed of [first, second]) expect(await forgeryIn(signed, known)).toBeUndefined();
    expect(await forgeryIn(second, { keys: known.keys.slice(1) })).toBeDefined();
    expect(JSON.stringify(known)).not.toContain('"d"');
    const { rows } = await api.database.query<{ private: string }>(
      `select encode(private_jwk, 'escape') as private from signing_keys`,
    );
    for (const row of rows) expect(row.private).toMatch(/binary\/encrypted(?!.*"d")/s);
  });

  it('does not exist before a deletion has succeeded', async () => {
    const tenant = await active();
    const { code, body } = await get<{ error: { code: string; message: string } }>(
      `/api/v1/tenants/${tenant.tenantId}/certificate`,
    );
    expect([code, body.error.code]).toEqual([404, 'CERTIFICATE_NOT_FOUND']);
    expect(body.error.message).toContain('its status is active');
    expect(await cli(tenant.slug)).toMatchObject({ code: 3 });
  });
});

describe('tenantry tenants certificate', () => {
  it('prints it by slug, and verifies the file against the API and without it', async () => {
    const tenant = await deleted();
    const printed = await cli(tenant.slug, '--json');
    expect(printed).toMatchObject({ code: 0, err: '' });
    const signed = JSON.parse(printed.out) as SignedCertificate;
    const kept = file('kept.json', signed);
    expect(await cli('--verify', kept)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`genuine: moamalat/${tenant.slug}`) as unknown,
    });
    const offline = file('keys.json', await keys());
    const resources = signed.certificate.resources.slice(1);
    const changed = file('changed.json', { ...signed, certificate: { ...signed.certificate, resources } });
    const told = await cli('--verify', changed, '--keys', offline, '--json');
    expect([told.code, JSON.parse(told.out)]).toEqual([
      1,
      { genuine: false, reason: 'its text is not what was signed' },
    ]);
    expect((await cli()).code).toBe(2);
  });
});
